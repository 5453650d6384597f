import { Anchor } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { Link } from 'react-router';
import { ask } from '../api/client';
import { usePages } from '../api/lists';
import { Confirm } from '../parts/confirm';
import { filled, FormButton, type Field } from '../parts/form';
import { Page } from '../parts/page';
import { List } from '../parts/rows';
import { useTell } from '../parts/told';
import { useMay } from '../session';
import { useTheTenant } from '../shell/tenant';

export const userFields: Field[] = [
  { name: 'name', label: 'Name', required: true, placeholder: 'Ada Lovelace' },
  { name: 'extension', label: 'Extension', required: true, placeholder: '101', description: 'What colleagues dial.' },
  { name: 'number', label: 'Number shown outside', placeholder: '+4930901820', description: 'One of the tenant’s.' },
];

export default function Users() {
  const tenant = useTheTenant();
  const may = useMay();
  const tell = useTell();
  const client = useQueryClient();
  const users = usePages(['users', tenant], (cursor, signal) => ask('get', '/v1/tenants/{tenant}/users', { path: { tenant }, query: { limit: 50, cursor, sort: 'extension' }, signal }));
  const anew = () => client.invalidateQueries({ queryKey: ['users', tenant] });
  const add = may('users:write') && (
    <FormButton
      words="Add a user"
      title="A new user"
      fields={[...userFields, { name: 'id', label: 'Id', placeholder: 'made up unless given' }]}
      submit="Add"
      act={async (v) => {
        await ask('post', '/v1/tenants/{tenant}/users', { path: { tenant }, body: filled(v) as never });
        tell.done('The user is there. Give him a device next.');
        await anew();
      }}
    />
  );
  return (
    <Page title="Users" about={`of ${tenant}`} actions={add}>
      <List
        of={users}
        label="Users"
        id={(u) => u.id}
        empty={{ title: 'No users yet', words: 'A user has an extension, and devices that ring when it is dialled.', action: add }}
        columns={[
          { name: 'Extension', show: (u) => u.extension, width: 110 },
          {
            name: 'Name',
            show: (u) => (
              <Anchor component={Link} to={`/t/${encodeURIComponent(tenant)}/users/${encodeURIComponent(u.id)}`} size="sm" fw={550}>
                {u.name}
              </Anchor>
            ),
          },
          { name: 'Number', show: (u) => u.number ?? '' },
          { name: 'Id', show: (u) => <span className="mono">{u.id}</span> },
          {
            name: '',
            end: true,
            show: (u) =>
              may('users:write') && (
                <Confirm words="Remove" label={`Remove ${u.name}`} title={`Remove ${u.name}?`} sure="Remove" done="Removed. Under Changes it can be undone." act={() => ask('delete', '/v1/tenants/{tenant}/users/{user}', { path: { tenant, user: u.id } }).then(anew)}>
                  The extension {u.extension} leads nowhere from then on. A user who has devices keeps them, and is not removed.
                </Confirm>
              ),
          },
        ]}
      />
    </Page>
  );
}
