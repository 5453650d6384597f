// Where phones are registered.
import { Anchor, Group, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { Link } from 'react-router';
import { ask, type Schemas } from '../api/client';
import { useEvents } from '../api/events';
import { usePages } from '../api/lists';
import { Confirm } from '../parts/confirm';
import { Page } from '../parts/page';
import { List } from '../parts/rows';
import { Time } from '../parts/time';
import { useMay } from '../session';
import { useTenant } from '../shell/tenant';

type Registration = Schemas['RegistrationRow'];

export default function Registrations() {
  const tenant = useTenant();
  return (
    <Page title="Registrations" about={tenant ? `of ${tenant}’s phones` : 'of the phones of all tenants'}>
      <RegistrationList tenant={tenant} empty={{ title: 'No phone is registered', words: 'A phone shows up here as soon as it has registered with the user name and password of a device.' }} />
    </Page>
  );
}

const often = 15_000; // ms between looks, for what no event tells of

// RegistrationList shows all of a tenant's, or those of one device, right within a second.
export function RegistrationList({ tenant, username, empty }: { tenant: string | undefined; username?: string; empty: { title: string; words: string } }) {
  const may = useMay();
  const client = useQueryClient();
  const key = ['registrations', tenant];
  const anew = () => client.invalidateQueries({ queryKey: key });
  useEvents(tenant, (e) => {
    if (e.type.startsWith('registration.') || e.type.startsWith('device.')) void anew();
  });
  const all = usePages<Registration>(
    [...key, 'list', username],
    (cursor, signal) => {
      const query = { limit: 100, cursor, username };
      return tenant ? ask('get', '/v1/tenants/{tenant}/registrations', { path: { tenant }, query, signal }) : ask('get', '/v1/registrations', { query, signal });
    },
    { every: often },
  );
  return (
    <List
      of={all}
      label="Registrations"
      id={(r) => r.id}
      empty={empty}
      columns={[
        ...(username
          ? []
          : [
              {
                name: 'Device',
                show: (r: Registration) =>
                  r.device && r.tenant ? (
                    <Anchor component={Link} size="sm" fw={550} to={`/t/${encodeURIComponent(r.tenant)}/devices/${encodeURIComponent(r.device)}`}>
                      {r.username}
                    </Anchor>
                  ) : (
                    r.username
                  ),
              },
            ]),
        ...(tenant ? [] : [{ name: 'Tenant', show: (r: Registration) => r.tenant ?? '' }]),
        { name: 'Phone', show: (r) => <bdi>{r.user_agent || 'says nothing of itself'}</bdi> },
        {
          name: 'From',
          show: (r) => (
            <span className="mono">
              {r.address}:{r.port} {r.transport}
            </span>
          ),
        },
        {
          name: 'Edge',
          show: (r) => (
            <Text size="xs" c="dimmed">
              {r.edge}
            </Text>
          ),
        },
        { name: 'Until', show: (r) => <Time at={r.expires_at} /> },
        {
          name: '',
          end: true,
          show: (r) =>
            may('registrations:write') && (
              <Group gap={6} justify="flex-end" wrap="nowrap">
                <Confirm words="Resync" label={`Resync ${r.username}`} title="Ask the phone to fetch its settings?" sure="Ask it" done="It was asked."
                  act={() => (tenant ? ask('post', '/v1/tenants/{tenant}/registrations/{registration}/resync', { path: { tenant, registration: r.id } }) : ask('post', '/v1/registrations/{registration}/resync', { path: { registration: r.id } }))}
                >
                  Some phones restart for it, when no call is up.
                </Confirm>
                <Confirm words="Unregister" label={`Unregister ${r.username}`} title={`Forget where ${r.username} is?`} sure="Unregister" done="It is forgotten."
                  act={() => (tenant ? ask('delete', '/v1/tenants/{tenant}/registrations/{registration}', { path: { tenant, registration: r.id } }) : ask('delete', '/v1/registrations/{registration}', { path: { registration: r.id } })).then(anew)}
                >
                  It does not ring until it registers again, which phones do by themselves after a while.
                </Confirm>
              </Group>
            ),
        },
      ]}
    />
  );
}
