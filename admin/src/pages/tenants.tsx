import { Anchor, Badge, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from 'react-router';
import { ask } from '../api/client';
import { usePages } from '../api/lists';
import { filled, FormButton, type Field } from '../parts/form';
import { Page } from '../parts/page';
import { List } from '../parts/rows';
import { Time } from '../parts/time';
import { useTell } from '../parts/told';
import { useMay } from '../session';

const fields: Field[] = [
  { name: 'name', label: 'Name', required: true, placeholder: 'Harbour Dental' },
  { name: 'domain', label: 'SIP domain', required: true, placeholder: 'harbour.example.com', description: 'By which its phones register.' },
  { name: 'id', label: 'Id', placeholder: 'made up unless given', description: 'Letters, digits, hyphens. It stays.' },
  { name: 'kind', label: 'Kind', kind: 'select', options: [{ value: 'customer', label: 'Customer' }, { value: 'reseller', label: 'Reseller, with customers of its own' }] },
  { name: 'parent', label: 'Below', placeholder: 'a reseller’s id', description: 'Unless given: below you.' },
  { name: 'time_zone', label: 'Time zone', placeholder: 'Europe/Berlin' },
  { name: 'max_calls', label: 'Calls at once', kind: 'number' },
];

export default function Tenants() {
  const may = useMay();
  const tell = useTell();
  const client = useQueryClient();
  const navigate = useNavigate();
  const tenants = usePages(['tenants'], (cursor, signal) => ask('get', '/v1/tenants', { query: { limit: 50, cursor, sort: 'name' }, signal }));
  return (
    <Page
      title="Tenants"
      actions={
        may('tenants:write') && (
          <FormButton
            words="Add a tenant"
            title="A new tenant"
            fields={fields}
            values={{ kind: 'customer' }}
            submit="Add"
            act={async (v) => {
              const made = await ask('post', '/v1/tenants', { body: filled(v) as never });
              tell.done(`${made.name} is there.`);
              await client.invalidateQueries({ queryKey: ['tenants'] });
              await navigate(`/t/${encodeURIComponent(made.id)}`);
            }}
          />
        )
      }
    >
      <List
        of={tenants}
        label="Tenants"
        id={(t) => t.id}
        empty={{ title: 'No tenants yet', words: 'A tenant is a customer, or a reseller with customers of its own.' }}
        columns={[
          {
            name: 'Name',
            show: (t) => (
              <div>
                <Anchor component={Link} to={`/t/${encodeURIComponent(t.id)}`} size="sm" fw={550}>
                  {t.name}
                </Anchor>
                <Text size="xs" c="dimmed">
                  {t.id}
                </Text>
              </div>
            ),
          },
          { name: 'Domain', show: (t) => t.domain },
          { name: 'Kind', show: (t) => t.kind },
          { name: 'Below', show: (t) => t.parent ?? '' },
          { name: 'State', show: (t) => (t.suspended || t.suspended_above ? <Badge color="red" variant="light" tt="none">suspended</Badge> : t.version > 0 ? `version ${t.version}` : 'nothing published') },
          { name: 'Since', show: (t) => <Time at={t.created_at} /> },
        ]}
      />
    </Page>
  );
}
