import { Anchor, Badge, Text } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { ask, type Schemas } from '../api/client';
import { useEvents } from '../api/events';
import { usePages } from '../api/lists';
import { filled, FormButton } from '../parts/form';
import { Page } from '../parts/page';
import { List } from '../parts/rows';
import { Secret } from '../parts/secret';
import { useMay } from '../session';
import { useTheTenant } from '../shell/tenant';

type Registration = Schemas['RegistrationRow'];

const most = 10; // pages of registrations that are read: a tenant with more sees those of its first ones

// useRegistrations are where a tenant's devices are registered, by device; whole says that these are all.
export function useRegistrations(tenant: string) {
  const may = useMay();
  const client = useQueryClient();
  useEvents(may('registrations:read') ? tenant : undefined, (e) => {
    if (e.type !== 'configuration.published' && !e.type.startsWith('call.')) void client.invalidateQueries({ queryKey: ['registrations', tenant] });
  });
  return useQuery({
    queryKey: ['registrations', tenant, 'by device'],
    queryFn: async ({ signal }) => {
      const by = new Map<string, Registration[]>();
      let cursor: string | undefined;
      for (let page = 0; page < most; page++) {
        const { items, next } = await ask('get', '/v1/tenants/{tenant}/registrations', { path: { tenant }, query: { limit: 200, cursor }, signal });
        for (const r of items) by.set(r.username, [...(by.get(r.username) ?? []), r]);
        cursor = next;
        if (!cursor) break;
      }
      return { by, whole: !cursor };
    },
    enabled: may('registrations:read'),
    refetchInterval: 30_000,
  });
}

export default function Devices() {
  const tenant = useTheTenant();
  const may = useMay();
  const client = useQueryClient();
  const [made, setMade] = useState<{ username: string; password: string }>();
  const devices = usePages(['devices', tenant], (cursor, signal) => ask('get', '/v1/tenants/{tenant}/devices', { path: { tenant }, query: { limit: 50, cursor }, signal }));
  const registrations = useRegistrations(tenant);
  const add = may('devices:write') && (
    <FormButton
      words="Add a device"
      title="A new device"
      fields={[
        { name: 'name', label: 'Name', required: true, placeholder: 'Desk phone' },
        { name: 'username', label: 'User name', required: true, placeholder: 'ada-desk', description: 'By which it registers.' },
        { name: 'user', label: 'User', placeholder: 'a user’s id', description: 'Whose it is: it rings when his extension is dialled.' },
        { name: 'id', label: 'Id', placeholder: 'made up unless given' },
      ]}
      submit="Add"
      act={async (v) => {
        setMade(await ask('post', '/v1/tenants/{tenant}/devices', { path: { tenant }, body: filled(v) as never }));
        await client.invalidateQueries({ queryKey: ['devices', tenant] });
      }}
    />
  );
  return (
    <Page title="Devices" about={`of ${tenant}`} actions={add}>
      {made && <Secret title={`${made.username} can register now`} facts={{ 'User name': made.username, Password: made.password }} close={() => setMade(undefined)} />}
      <List
        of={devices}
        label="Devices"
        id={(d) => d.id}
        empty={{ title: 'No devices yet', words: 'A device is a phone, a softphone or a PBX. Its user name and password go into it.', action: add }}
        columns={[
          {
            name: 'Name',
            show: (d) => (
              <Anchor component={Link} to={`/t/${encodeURIComponent(tenant)}/devices/${encodeURIComponent(d.id)}`} size="sm" fw={550}>
                {d.name}
              </Anchor>
            ),
          },
          { name: 'User name', show: (d) => <span className="mono">{d.username}</span> },
          { name: 'User', show: (d) => d.user && <Anchor component={Link} size="sm" to={`/t/${encodeURIComponent(tenant)}/users/${encodeURIComponent(d.user)}`}>{d.user}</Anchor> },
          {
            name: 'Registered',
            show: (d) => {
              const here = registrations.data?.by.get(d.username);
              if (!registrations.data || (!here && !registrations.data.whole)) return '';
              return here ? (
                <div>
                  <Badge variant="light" color="teal" radius="sm" tt="none">
                    {here.length > 1 ? `${here.length} times` : 'yes'}
                  </Badge>
                  <Text size="xs" c="dimmed">
                    <bdi>{here[0]?.user_agent}</bdi>
                  </Text>
                </div>
              ) : (
                <Badge variant="light" color="gray" radius="sm" tt="none">
                  no
                </Badge>
              );
            },
          },
        ]}
      />
    </Page>
  );
}
