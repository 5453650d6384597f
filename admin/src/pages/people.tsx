import { Badge, Group } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useParams } from 'react-router';
import { ask } from '../api/client';
import { usePages } from '../api/lists';
import { Confirm } from '../parts/confirm';
import { filled, FormButton, type Field, type Values } from '../parts/form';
import { Page } from '../parts/page';
import { List } from '../parts/rows';
import { useTell } from '../parts/told';
import { useMay } from '../session';

const platformRoles = [{ value: 'platform_admin', label: 'Platform admin: everything' }, { value: 'support', label: 'Support: mends what customers have' }];
const tenantRoles = [{ value: 'tenant_admin', label: 'Tenant admin: everything of the tenant’s' }, { value: 'reseller', label: 'Reseller: that, and all tenants below' }, { value: 'user', label: 'User: himself alone' }];

export default function People() {
  const { tenant } = useParams();
  const may = useMay();
  const tell = useTell();
  const client = useQueryClient();
  const key = ['people', tenant];
  const people = usePages(key, (cursor, signal) => (tenant ? ask('get', '/v1/tenants/{tenant}/people', { path: { tenant }, query: { limit: 50, cursor }, signal }) : ask('get', '/v1/people', { query: { limit: 50, cursor }, signal })));
  const anew = () => client.invalidateQueries({ queryKey: key });
  const fields: Field[] = [
    { name: 'name', label: 'Name', required: true },
    { name: 'email', label: 'E-mail', required: true, description: 'Signs in with it.' },
    { name: 'role', label: 'Role', kind: 'select', required: true, options: tenant ? tenantRoles : platformRoles },
    { name: 'user', label: 'User', description: 'Id of the user who he is.', show: (v) => v.role === 'user' },
  ];
  const add = may('people:write') && (
    <FormButton
      words="Let somebody sign in"
      title="Somebody new"
      fields={[...fields, { name: 'password', label: 'First password', kind: 'password', required: true, description: '10 letters at least. He should change it.' }]}
      submit="Add"
      act={async (v) => {
        const body = filled(v) as never;
        await (tenant ? ask('post', '/v1/tenants/{tenant}/people', { path: { tenant }, body }) : ask('post', '/v1/people', { body }));
        tell.done('He can sign in now.');
        await anew();
      }}
    />
  );
  return (
    <Page title="People" about={tenant ? `who sign in for ${tenant}` : 'who sign in for the platform'} actions={add}>
      <List
        of={people}
        label="People"
        id={(p) => p.id}
        empty={{ title: 'Nobody signs in here', action: add }}
        columns={[
          { name: 'Name', show: (p) => <b>{p.name}</b> },
          { name: 'E-mail', show: (p) => p.email },
          { name: 'Role', show: (p) => p.role.replace('_', ' ') },
          {
            name: 'State',
            show: (p) => (
              <Group gap={4}>
                {p.disabled && <Badge color="red" variant="light" tt="none">disabled</Badge>}
                <Badge color={p.totp ? 'teal' : 'gray'} variant="light" tt="none">{p.totp ? 'second factor' : 'password alone'}</Badge>
              </Group>
            ),
          },
          {
            name: '',
            end: true,
            show: (p) =>
              may('people:write') && (
                <Group gap={6} justify="flex-end" wrap="nowrap">
                  <FormButton
                    small
                    words="Change"
                    label={`Change ${p.name}`}
                    title={p.name}
                    fields={[...fields, { name: 'disabled', label: 'May not sign in', kind: 'check' }]}
                    values={p as unknown as Values}
                    submit="Save"
                    act={async (v) => {
                      const body = { name: v.name, email: v.email, role: v.role, disabled: v.disabled === true, ...(v.user ? { user: v.user } : {}) } as never;
                      await (tenant ? ask('put', '/v1/tenants/{tenant}/people/{person}', { path: { tenant, person: p.id }, body }) : ask('put', '/v1/people/{person}', { path: { person: p.id }, body }));
                      tell.done('Saved.');
                      await anew();
                    }}
                  />
                  <Confirm words="Remove" label={`Remove ${p.name}`} title={`Remove ${p.name}?`} sure="Remove" done="Removed."
                    act={() => (tenant ? ask('delete', '/v1/tenants/{tenant}/people/{person}', { path: { tenant, person: p.id } }) : ask('delete', '/v1/people/{person}', { path: { person: p.id } })).then(anew)}
                  >
                    Signed out at once, and cannot sign in any more.
                  </Confirm>
                </Group>
              ),
          },
        ]}
      />
    </Page>
  );
}
