// A device: where it can be reached, what it is, and how it gets its settings.
import { Anchor, Group, Paper, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import { ask, askTagged, Problem } from '../api/client';
import { usePages } from '../api/lists';
import { callPath, Parties } from '../parts/calls';
import { Confirm } from '../parts/confirm';
import { Fault } from '../parts/fault';
import { Form, type Values } from '../parts/form';
import { Page } from '../parts/page';
import { List } from '../parts/rows';
import { Secret } from '../parts/secret';
import { Answer } from '../parts/states';
import { Time } from '../parts/time';
import { useTell } from '../parts/told';
import { lasted } from '../parts/words';
import { useMay } from '../session';
import { useTheTenant } from '../shell/tenant';
import { RegistrationList } from './registrations';

export default function Device() {
  const tenant = useTheTenant();
  const { device = '' } = useParams();
  const may = useMay();
  const tell = useTell();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [password, setPassword] = useState<string>();
  const path = { tenant, device };
  const base = `/t/${encodeURIComponent(tenant)}`;
  const row = useQuery({ queryKey: ['device', tenant, device], queryFn: ({ signal }) => askTagged('get', '/v1/tenants/{tenant}/devices/{device}', { path, signal }) });
  return (
    <Answer of={row}>
      {({ value: d, etag }) => (
        <Page
          title={d.name}
          about={
            <>
              <span className="mono">{d.username}</span>
              {d.user && (
                <>
                  {' · '}
                  <Anchor component={Link} size="sm" underline="always" to={`${base}/users/${encodeURIComponent(d.user)}`}>
                    {d.user}
                  </Anchor>
                </>
              )}
            </>
          }
          back={{ to: `${base}/devices`, words: 'Devices' }}
          actions={
            may('devices:write') && (
              <>
                <Confirm words="New password" size="sm" title="Give it another password?" sure="New password" act={async () => setPassword((await ask('post', '/v1/tenants/{tenant}/devices/{device}/password', { path })).password)}>
                  The old one is refused at once: until the new one is in the phone, it cannot call.
                </Confirm>
                <Confirm words="Remove" size="sm" title={`Remove ${d.name}?`} sure="Remove" done="Removed. Under Changes it can be undone." act={() => ask('delete', '/v1/tenants/{tenant}/devices/{device}', { path }).then(() => navigate(`${base}/devices`))}>
                  It can neither register nor be called from then on.
                </Confirm>
              </>
            )
          }
        >
          {password && <Secret title="The new password" facts={{ 'User name': d.username, Password: password }} close={() => setPassword(undefined)} />}
          <Reached tenant={tenant} username={d.username} />
          <SimpleGrid cols={{ base: 1, md: 2 }}>
            <Paper withBorder p="md">
              <Title order={2} size="h4" mb="sm">
                What
              </Title>
              <Form
                key={etag}
                fields={[
                  { name: 'name', label: 'Name', required: true, fixed: !may('devices:write') },
                  { name: 'user', label: 'User', description: 'Id of the user whose it is.', fixed: !may('devices:write') },
                ]}
                values={d as unknown as Values}
                submit="Save"
                act={async (v) => {
                  await ask('put', '/v1/tenants/{tenant}/devices/{device}', { path, match: etag, body: { name: String(v.name ?? ''), ...(v.user ? { user: String(v.user) } : {}) } });
                  tell.done('Saved.');
                  await client.invalidateQueries({ queryKey: ['device', tenant, device] });
                }}
              />
            </Paper>
            <Provisioning tenant={tenant} device={device} />
          </SimpleGrid>
          {may('calls:read') && <Calls tenant={tenant} device={device} />}
        </Page>
      )}
    </Answer>
  );
}

function Reached({ tenant, username }: { tenant: string; username: string }) {
  const may = useMay();
  if (!may('registrations:read')) return null;
  return (
    <Stack gap="xs">
      <Title order={2} size="h4">
        Registered
      </Title>
      <RegistrationList
        tenant={tenant}
        username={username}
        empty={{ title: 'Not registered', words: 'It cannot ring. Check that it has power and network, and that its user name, password and domain are right. As soon as it registers, it shows up here.' }}
      />
    </Stack>
  );
}

const vendors = ['yealink', 'poly', 'grandstream', 'snom', 'fanvil', 'cisco'];

// Provisioning is how a desk phone gets its settings by itself.
function Provisioning({ tenant, device }: { tenant: string; device: string }) {
  const may = useMay();
  const tell = useTell();
  const client = useQueryClient();
  const path = { tenant, device };
  const key = ['provisioning', tenant, device];
  const phone = useQuery({
    queryKey: key,
    queryFn: async ({ signal }) => {
      try {
        return await ask('get', '/v1/tenants/{tenant}/devices/{device}/provisioning', { path, signal });
      } catch (e) {
        if (e instanceof Problem && e.status === 404) return null;
        throw e;
      }
    },
  });
  return (
    <Paper withBorder p="md">
      <Title order={2} size="h4" mb="sm">
        Desk phone
      </Title>
      <Answer of={phone}>
        {(p) => (
          <Stack gap="sm">
            {p?.url && (
              <Text size="sm">
                Enter as provisioning URL: <span className="mono">{p.url}</span>
              </Text>
            )}
            {p && (
              <Text size="sm" c="dimmed">
                {p.last_fetch ? (
                  <>
                    Fetched <span className="mono">{p.last_fetch.file}</span> <Time at={p.last_fetch.at} /> from {p.last_fetch.from}
                  </>
                ) : (
                  'It has fetched nothing yet.'
                )}
              </Text>
            )}
            {!p && (
              <Text size="sm" c="dimmed">
                A desk phone of a known vendor fetches its settings and password by itself. Say which it is.
              </Text>
            )}
            <Form
              key={JSON.stringify(p?.phone)}
              fields={[
                { name: 'vendor', label: 'Vendor', kind: 'select', required: true, options: vendors.map((v) => ({ value: v, label: v })), fixed: !may('devices:write') },
                { name: 'mac', label: 'MAC address', required: true, placeholder: '00156512abcd', fixed: !may('devices:write') },
                { name: 'model', label: 'Model', fixed: !may('devices:write') },
                { name: 'note', label: 'Note', fixed: !may('devices:write') },
              ]}
              values={(p?.phone ?? {}) as unknown as Values}
              submit={p ? 'Save' : 'Let it provision itself'}
              act={async (v) => {
                await ask('put', '/v1/tenants/{tenant}/devices/{device}/provisioning', { path, body: { ...p?.phone, ...Object.fromEntries(Object.entries(v).filter(([, x]) => x !== '')) } as never });
                tell.done('Saved. The phone gets it with its next fetch.');
                await client.invalidateQueries({ queryKey: key });
              }}
            />
            {p && may('devices:write') && (
              <Group gap="xs">
                <Confirm words="Fetch again now" title="Ask the phone to fetch its settings?" sure="Ask it" done="It was asked." act={() => ask('post', '/v1/tenants/{tenant}/devices/{device}/provisioning/resync', { path })}>
                  Some phones restart for it, when no call is up.
                </Confirm>
              </Group>
            )}
          </Stack>
        )}
      </Answer>
    </Paper>
  );
}

function Calls({ tenant, device }: { tenant: string; device: string }) {
  const legs = usePages(['cdrs', tenant, device], (cursor, signal) => ask('get', '/v1/tenants/{tenant}/cdrs', { path: { tenant }, query: { device, limit: 20, cursor }, signal }));
  return (
    <Stack gap="xs">
      <Title order={2} size="h4">
        Last calls
      </Title>
      <List
        of={legs}
        label="Last calls"
        id={(l) => l.leg}
        empty={{ title: 'No calls yet' }}
        columns={[
          { name: 'Time', show: (l) => <Time at={l.started_at} />, width: 130 },
          { name: 'Call', show: (l) => <Anchor component={Link} to={callPath(l.call)} size="sm" fw={550}><Parties from={l.from} to={l.to} /></Anchor> },
          { name: 'As', show: (l) => (l.role === 'caller' ? 'caller' : 'called') },
          { name: 'Talked', show: (l) => (l.answered_at ? lasted(l.answered_at, l.ended_at) : 'not answered') },
          { name: 'Fault', show: (l) => <Fault fault={l.fault} ok="none" /> },
        ]}
      />
    </Stack>
  );
}
