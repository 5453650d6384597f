// A user: what he is, what he has set, his devices and his calls.
import { Anchor, Paper, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from 'react-router';
import { ask, askTagged, type Schemas } from '../api/client';
import { CallButton } from '../parts/callbutton';
import { callColumns } from '../parts/calls';
import { Form, type Field, type Values } from '../parts/form';
import { Page } from '../parts/page';
import { Rows } from '../parts/rows';
import { Answer, Empty } from '../parts/states';
import { useTell } from '../parts/told';
import { useMay, useSelf } from '../session';
import { useTheTenant } from '../shell/tenant';
import { userFields } from './users';

type Settings = Schemas['UserSettings'];

export default function User() {
  const tenant = useTheTenant();
  const { user = '' } = useParams();
  const may = useMay();
  const tell = useTell();
  const client = useQueryClient();
  const path = { tenant, user };
  const base = `/t/${encodeURIComponent(tenant)}`;
  const row = useQuery({ queryKey: ['user', tenant, user], queryFn: ({ signal }) => askTagged('get', '/v1/tenants/{tenant}/users/{user}', { path, signal }) });
  const devices = useQuery({ queryKey: ['devices', tenant, 'of', user], queryFn: ({ signal }) => ask('get', '/v1/tenants/{tenant}/devices', { path: { tenant }, query: { user, limit: 50 }, signal }), enabled: may('devices:read') });
  return (
    <Answer of={row}>
      {({ value: u, etag }) => (
        <Page title={u.name} about={`extension ${u.extension}${u.number ? ` · ${u.number}` : ''}`} back={may('users:read') ? { to: `${base}/users`, words: 'Users' } : undefined} actions={<CallButton tenant={tenant} to={u.extension} words="Call" />}>
          <SimpleGrid cols={{ base: 1, md: 2 }}>
            <Stack>
              <Paper withBorder p="md">
                <Title order={2} size="h4" mb="sm">
                  Who
                </Title>
                <Form
                  key={etag}
                  fields={userFields.map((f) => ({ ...f, fixed: !may('users:write') }))}
                  values={u as unknown as Values}
                  submit="Save"
                  act={async (v) => {
                    await ask('put', '/v1/tenants/{tenant}/users/{user}', { path, match: etag, body: { name: String(v.name ?? ''), extension: String(v.extension ?? ''), ...(v.number ? { number: String(v.number) } : {}) } });
                    tell.done('Saved.');
                    await client.invalidateQueries({ queryKey: ['user', tenant, user] });
                  }}
                />
              </Paper>
              {may('devices:read') && (
                <Paper withBorder>
                  <Title order={2} size="h4" p="md" pb={4}>
                    Devices
                  </Title>
                  <Answer of={devices} rows={2}>
                    {(d) =>
                      d.items.length === 0 ? (
                        <Empty title="No device">Without one nothing rings. <Anchor component={Link} to={`${base}/devices`}>Add a device</Anchor></Empty>
                      ) : (
                        <Rows rows={d.items} id={(x) => x.id} label="Devices" columns={[{ name: 'Device', show: (x) => <Anchor component={Link} size="sm" to={`${base}/devices/${encodeURIComponent(x.id)}`}>{x.name}</Anchor> }, { name: 'User name', show: (x) => x.username }]} />
                      )
                    }
                  </Answer>
                </Paper>
              )}
            </Stack>
            <Stack>
              <Set tenant={tenant} user={user} />
              {may('voicemail:read') && <Voicemail tenant={tenant} user={u.id} />}
            </Stack>
          </SimpleGrid>
          {may('calls:read') && <Calls tenant={tenant} extension={u.extension} />}
        </Page>
      )}
    </Answer>
  );
}

const kinds = ['forward_all', 'forward_busy', 'forward_no_answer'] as const;
const words = { forward_all: 'All calls to', forward_busy: 'When busy to', forward_no_answer: 'When unanswered to' };

const settingFields: Field[] = [
  ...kinds.flatMap((k): Field[] => [{ name: `${k}_to`, label: words[k], placeholder: 'extension or number' }]),
  { name: 'no_answer_seconds', label: 'Unanswered after (seconds)', kind: 'number', max: 300 },
  { name: 'do_not_disturb', label: 'Do not disturb', kind: 'check' },
  { name: 'no_call_waiting', label: 'No second call while in one', kind: 'check' },
  { name: 'reject_anonymous', label: 'No calls without a number', kind: 'check' },
];

// Set is what a user has set for himself, as by feature codes.
function Set({ tenant, user }: { tenant: string; user: string }) {
  const may = useMay();
  const self = useSelf();
  const tell = useTell();
  const client = useQueryClient();
  const path = { tenant, user };
  const writes = may('users:write') || self.user === user; // each sets his own
  const settings = useQuery({ queryKey: ['settings', tenant, user], queryFn: ({ signal }) => ask('get', '/v1/tenants/{tenant}/users/{user}/settings', { path, signal }) });
  return (
    <Paper withBorder p="md">
      <Title order={2} size="h4" mb="sm">
        Forwarding and quiet
      </Title>
      <Answer of={settings}>
        {(a) => {
          const s = ('settings' in a ? a.settings : a) as Settings;
          const values: Values = { no_answer_seconds: s.no_answer_seconds, do_not_disturb: s.do_not_disturb, no_call_waiting: s.no_call_waiting, reject_anonymous: s.reject_anonymous };
          for (const k of kinds) values[`${k}_to`] = s[k]?.on ? s[k]?.to : undefined;
          return (
            <Form
              key={JSON.stringify(s)}
              fields={settingFields.map((f) => ({ ...f, fixed: !writes }))}
              values={values}
              submit="Save"
              act={async (v) => {
                const next: Settings = { ...s, user, no_answer_seconds: (v.no_answer_seconds as number | undefined) ?? 0, do_not_disturb: v.do_not_disturb === true, no_call_waiting: v.no_call_waiting === true, reject_anonymous: v.reject_anonymous === true };
                for (const k of kinds) {
                  const to = String(v[`${k}_to`] ?? '').trim();
                  next[k] = { ...s[k], on: to !== '', ...(to ? { to } : {}) };
                }
                await ask('put', '/v1/tenants/{tenant}/users/{user}/settings', { path, body: { settings: next } as never });
                tell.done('Saved. It holds for new calls within a second.');
                await client.invalidateQueries({ queryKey: ['settings', tenant, user] });
              }}
            />
          );
        }}
      </Answer>
    </Paper>
  );
}

// Voicemail leads to his box.
function Voicemail({ tenant, user }: { tenant: string; user: string }) {
  const box = useQuery({ queryKey: ['box', tenant, user], queryFn: ({ signal }) => ask('get', '/v1/tenants/{tenant}/voicemail/{box}', { path: { tenant, box: user }, signal }) });
  return (
    <Paper withBorder p="md" component="section" aria-label="Voicemail">
      <Title order={2} size="h4" mb="xs">
        Voicemail
      </Title>
      <Answer of={box} rows={1}>
        {(b) => (
          <Text size="sm">
            <Anchor component={Link} size="sm" fw={550} underline="always" to={`/t/${encodeURIComponent(tenant)}/voicemail/${encodeURIComponent(user)}`}>
              {`${b.new.toLocaleString()} new, ${b.heard.toLocaleString()} heard`}
            </Anchor>
            {b.pin ? '' : '. It has no PIN: it cannot be opened by telephone.'}
          </Text>
        )}
      </Answer>
    </Paper>
  );
}

function Calls({ tenant, extension }: { tenant: string; extension: string }) {
  const found = useQuery({ queryKey: ['search', extension, tenant, 'calls'], queryFn: ({ signal }) => ask('get', '/v1/tenants/{tenant}/search', { path: { tenant }, query: { q: extension, kinds: ['call', 'user'] }, signal }) });
  return (
    <Paper withBorder style={{ overflowX: 'auto' }}>
      <Title order={2} size="h4" p="md" pb={4}>
        Last calls
      </Title>
      <Answer of={found}>{(f) => (f.calls.length === 0 ? <Empty title="No calls in the last month" /> : <Rows rows={f.calls} columns={callColumns(false)} id={(c) => c.call} label="Last calls" />)}</Answer>
    </Paper>
  );
}
