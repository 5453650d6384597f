// All about a tenant on one page.
import { Alert, Anchor, Button, Group, Paper, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link, useNavigate } from 'react-router';
import { ask, type Schemas } from '../api/client';
import { callColumns } from '../parts/calls';
import { Confirm } from '../parts/confirm';
import { FirstSteps } from '../parts/firststeps';
import { FormButton, type Field, type Values } from '../parts/form';
import { Page } from '../parts/page';
import { Rows } from '../parts/rows';
import { Answer, Empty, Loading } from '../parts/states';
import { useTell } from '../parts/told';
import { count } from '../parts/words';
import { useMay, useSelf, useSessionChanges } from '../session';
import { useTheTenant } from '../shell/tenant';

type Tenant = Schemas['TenantRow'];

export default function Overview() {
  const tenant = useTheTenant();
  const row = useQuery({ queryKey: ['tenant', tenant], queryFn: ({ signal }) => ask('get', '/v1/tenants/{tenant}', { path: { tenant }, signal }) });
  return <Answer of={row}>{(t) => <About t={t} />}</Answer>;
}

function About({ t }: { t: Tenant }) {
  const may = useMay();
  const base = `/t/${encodeURIComponent(t.id)}`;
  return (
    <Page title={t.name} about={`${t.kind} · ${t.domain}`} actions={<Actions t={t} />}>
      {t.suspended && <Alert color="red" title="Suspended">Its calls are refused, but for those to emergency numbers.</Alert>}
      {!t.suspended && t.suspended_above && <Alert color="red" title="Suspended by a reseller above">Its calls are refused, but for those to emergency numbers.</Alert>}
      <ToFirstCall t={t} base={base} />
      <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }} spacing="md">
        <Now tenant={t.id} base={base} />
        <Settings t={t} />
        {may('tenants:read') && <Limits tenant={t.id} />}
      </SimpleGrid>
      {may('calls:read') && <Failures tenant={t.id} base={base} />}
    </Page>
  );
}

function Card({ title, action, children }: { title: string; action?: ReactNode; children: ReactNode }) {
  return (
    <Paper withBorder p="md" component="section" aria-label={title}>
      <Group justify="space-between" mb="xs" wrap="nowrap">
        <Title order={2} size="h5">
          {title}
        </Title>
        {action}
      </Group>
      <Stack gap={4}>{children}</Stack>
    </Paper>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <Group justify="space-between" wrap="nowrap" gap="sm" align="flex-start">
      <Text size="sm" c="dimmed" style={{ flexShrink: 0 }}>
        {name}
      </Text>
      <Text size="sm" ta="right" component="div">
        {children}
      </Text>
    </Group>
  );
}

function Actions({ t }: { t: Tenant }) {
  const may = useMay();
  const self = useSelf();
  const tell = useTell();
  const client = useQueryClient();
  const { actAs } = useSessionChanges();
  const navigate = useNavigate();
  const anew = () => client.invalidateQueries({ queryKey: ['tenant', t.id] });
  const own = (self.acting_as ?? self.tenant) === t.id;
  const path = { tenant: t.id };
  return (
    <>
      {!own && self.role && self.role !== 'user' && (
        <Button
          variant="default"
          onClick={() =>
            void actAs(t.id, Boolean(self.acting_as))
              .then(() => navigate(`/t/${encodeURIComponent(t.id)}`))
              .catch(tell.failed)
          }
        >
          Act as {t.name}
        </Button>
      )}
      {may('tenants:write') && !own && !t.suspended && (
        <Confirm words="Suspend" size="sm" title={`Suspend ${t.name}?`} sure="Suspend" done="It is suspended." act={() => ask('post', '/v1/tenants/{tenant}/suspend', { path }).then(anew)}>
          At once its calls, and those of all below it, are refused. Emergency calls still go, and calls that are up go on.
        </Confirm>
      )}
      {may('tenants:write') && !own && t.suspended && (
        <Button onClick={() => void ask('post', '/v1/tenants/{tenant}/reactivate', { path }).then(anew).then(() => tell.done('It is active again.')).catch(tell.failed)}>Reactivate</Button>
      )}
    </>
  );
}

const look = 5000; // ms: what is done elsewhere shows up here

// ToFirstCall leads a newcomer through making a first call.
function ToFirstCall({ t, base }: { t: Tenant; base: string }) {
  const may = useMay();
  const first = { limit: 1 };
  const path = { tenant: t.id };
  const has = useQuery({
    queryKey: ['first steps', t.id],
    queryFn: async ({ signal }) => {
      const [users, devices, registrations, calls] = await Promise.all([
        ask('get', '/v1/tenants/{tenant}/users', { path, query: first, signal }),
        ask('get', '/v1/tenants/{tenant}/devices', { path, query: first, signal }),
        ask('get', '/v1/tenants/{tenant}/registrations', { path, query: first, signal }),
        ask('get', '/v1/tenants/{tenant}/past-calls', { path, query: first, signal }),
      ]);
      return { users: users.items.length > 0, devices: devices.items.length > 0, registrations: registrations.items.length > 0, calls: calls.items.length > 0 };
    },
    enabled: ['users:read', 'devices:read', 'registrations:read', 'calls:read'].every(may),
    refetchInterval: (q) => (q.state.data?.calls ? false : look),
    staleTime: look,
  });
  // Room is kept for the steps where there will be some, so that nothing jumps.
  if (has.isLoading && t.version === 0) return <Paper withBorder><Loading rows={7} /></Paper>;
  if (!has.data || has.data.calls) return null;
  return (
    <FirstSteps
      title="To the first call"
      steps={[
        { done: has.data.users, words: 'Add a user', to: `${base}/users`, more: 'He has an extension, such as 101, that colleagues dial.' },
        { done: has.data.devices, words: 'Give him a device', to: `${base}/devices`, more: 'It is a desk phone or a program. Its user name and password are shown once.' },
        { done: t.version > 0, words: 'Publish', to: `${base}/flows`, more: 'From then on extensions can be called.' },
        { done: has.data.registrations, words: 'Let the phone register', to: `${base}/registrations`, more: `Type in: the user name and password of the device, and the domain ${t.domain}. The phone shows up under Registrations.` },
        { done: false, words: 'Make a call', to: `${base}/calls`, more: 'Dial another extension at the phone. The call shows up under Calls, with the reason why it went as it did.' },
      ]}
    />
  );
}

function Now({ tenant, base }: { tenant: string; base: string }) {
  const may = useMay();
  const path = { tenant };
  const live = useQuery({ queryKey: ['live', tenant], queryFn: ({ signal }) => ask('get', '/v1/tenants/{tenant}/calls', { path, query: { live: '1', limit: 1000 }, signal }), enabled: may('calls:read') });
  const drafts = useQuery({ queryKey: ['diff', tenant, 'live', 'draft'], queryFn: ({ signal }) => ask('get', '/v1/tenants/{tenant}/versions/{version}/diff', { path: { tenant, version: 'live' }, query: { to: 'draft' }, signal }), enabled: may('flows:read'), retry: false });
  return (
    <Card title="Now">
      {may('calls:read') && (
        <Fact name="Live calls">
          <Anchor component={Link} to={`${base}/live`} size="sm">
            {live.data ? `${live.data.calls.length}${live.data.more ? '+' : ''}` : '…'}
          </Anchor>
        </Fact>
      )}
      {may('flows:read') && (
        <>
          <Fact name="Live version">{drafts.data?.from.version ?? 'nothing is published'}</Fact>
          <Fact name="Drafts">
            <Anchor component={Link} to={`${base}/flows`} size="sm">
              {drafts.data ? (drafts.data.changes.length > 0 ? count(drafts.data.changes.length, 'change waits', 'changes wait') : 'nothing waits') : 'look'}
            </Anchor>
          </Fact>
        </>
      )}
    </Card>
  );
}

const settingFields: Field[] = [
  { name: 'name', label: 'Name', required: true },
  { name: 'time_zone', label: 'Time zone', required: true, placeholder: 'Europe/Berlin' },
  { name: 'language', label: 'Language of prompts', required: true, placeholder: 'en' },
  { name: 'main_number', label: 'Main number', placeholder: '+4930901820', description: 'Shown outside when a user has none of his own.' },
  { name: 'country', label: 'Country', placeholder: 'DE', description: 'Of which its people write numbers.' },
  { name: 'area_code', label: 'Area code' },
  { name: 'international_prefix', label: 'Dialled before a number abroad', placeholder: '00' },
  { name: 'national_prefix', label: 'Dialled before an area code', placeholder: '0' },
  { name: 'music_on_hold', label: 'Music on hold', description: 'A prompt.' },
  { name: 'withheld', label: 'Hide all callers outside', kind: 'check' },
];

function Settings({ t }: { t: Tenant }) {
  const may = useMay();
  const client = useQueryClient();
  const tell = useTell();
  const values = Object.fromEntries(settingFields.map((f) => [f.name, t[f.name as keyof Tenant] as string | boolean | undefined])) as Values;
  return (
    <Card
      title="Settings"
      action={
        may('settings:write') && (
          <FormButton
            small
            words="Change"
            label="Change the settings"
            title={`Settings of ${t.name}`}
            fields={settingFields}
            values={values}
            submit="Save"
            act={async (v) => {
              await ask('put', '/v1/tenants/{tenant}/settings', { path: { tenant: t.id }, body: v as never });
              tell.done('Saved. It holds for new calls within a second.');
              await client.invalidateQueries({ queryKey: ['tenant', t.id] });
            }}
          />
        )
      }
    >
      <Fact name="Time zone">{t.time_zone}</Fact>
      <Fact name="Language">{t.language}</Fact>
      <Fact name="Main number">{t.main_number || 'none'}</Fact>
      <Fact name="Country">{t.country || 'not set'}</Fact>
    </Card>
  );
}

const limitFields: Field[] = [
  { name: 'max_calls', label: 'Calls at once', kind: 'number', description: '0: as many as those above it may.' },
  { name: 'max_calls_per_second', label: 'New calls a second', kind: 'number', description: '0: no limit of its own.' },
  { name: 'may_call_out', label: 'May call numbers outside', kind: 'check' },
  { name: 'max_outgoing', label: 'Calls out at once', kind: 'number' },
  { name: 'outgoing_per_second', label: 'Calls out a second', kind: 'number' },
  { name: 'blocked_prefixes', label: 'Blocked prefixes', kind: 'tags', placeholder: '+1900' },
  { name: 'shown_numbers', label: 'Numbers that it may show besides its own', kind: 'tags', placeholder: '+49800123456' },
];

function Limits({ tenant }: { tenant: string }) {
  const may = useMay();
  const self = useSelf();
  const client = useQueryClient();
  const tell = useTell();
  const path = { tenant };
  const limits = useQuery({ queryKey: ['limits', tenant], queryFn: ({ signal }) => ask('get', '/v1/tenants/{tenant}/limits', { path, signal }) });
  const own = (self.acting_as ?? self.tenant) === tenant;
  const words = (n: number) => (n === 0 ? 'no limit' : n.toLocaleString());
  return (
    <Card
      title="Limits"
      action={
        may('tenants:write') && !own && limits.data ? (
          <FormButton
            small
            words="Change"
            label="Change the limits"
            title="Limits"
            fields={limitFields}
            values={Object.fromEntries(limitFields.map((f) => [f.name, limits.data[f.name as keyof typeof limits.data] as unknown as Values[string]]))}
            submit="Save"
            act={async (v) => {
              await ask('put', '/v1/tenants/{tenant}/limits', { path, body: { ...v, blocked_prefixes: v.blocked_prefixes ?? [], shown_numbers: v.shown_numbers ?? [] } as never });
              tell.done('Saved. It holds for new calls within a second.');
              await client.invalidateQueries({ queryKey: ['limits', tenant] });
            }}
          />
        ) : undefined
      }
    >
      <Answer of={limits} rows={3}>
        {(l) => (
          <>
            <Fact name="Calls at once">{words(l.effective.max_calls)}</Fact>
            <Fact name="New calls a second">{words(l.effective.max_calls_per_second)}</Fact>
            <Fact name="Calls outside">{l.effective.may_call_out ? 'allowed' : 'not allowed'}</Fact>
            {l.effective.may_call_out && <Fact name="Calls out at once">{words(l.effective.max_outgoing)}</Fact>}
            {l.effective.blocked_prefixes.length > 0 && <Fact name="Blocked">{l.effective.blocked_prefixes.join(', ')}</Fact>}
          </>
        )}
      </Answer>
    </Card>
  );
}

const some = 8;

// Failures are the last calls that its configuration is at fault for.
function Failures({ tenant, base }: { tenant: string; base: string }) {
  const calls = useQuery({ queryKey: ['calls', tenant, 'last'], queryFn: ({ signal }) => ask('get', '/v1/tenants/{tenant}/past-calls', { path: { tenant }, query: { limit: some }, signal }) });
  return (
    <Paper withBorder component="section" aria-label="Last calls" style={{ overflowX: 'auto' }}>
      <Group justify="space-between" p="md" pb={4}>
        <Title order={2} size="h5">
          Last calls
        </Title>
        <Anchor component={Link} to={`${base}/calls`} size="sm">
          All calls
        </Anchor>
      </Group>
      <Answer of={calls} rows={4}>
        {(p) => (p.items.length === 0 ? <Empty title="No calls yet" /> : <Rows rows={p.items} columns={callColumns(false)} id={(c) => c.call} label="Last calls" />)}
      </Answer>
    </Paper>
  );
}
