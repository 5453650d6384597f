import { Anchor, Button, Paper, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, type ReactNode } from 'react';
import { Link, useNavigate, useSearchParams } from 'react-router';
import { ask, type Schemas } from '../api/client';
import { callColumns, callPath } from '../parts/calls';
import { Page } from '../parts/page';
import { Rows } from '../parts/rows';
import { Answer, Empty } from '../parts/states';
import { count } from '../parts/words';

export default function Search() {
  const [params] = useSearchParams();
  const q = params.get('q') ?? '';
  const tenant = params.get('tenant') ?? undefined;
  const found = useQuery({
    queryKey: ['search', q, tenant],
    queryFn: ({ signal }) =>
      tenant ? ask('get', '/v1/tenants/{tenant}/search', { path: { tenant }, query: { q }, signal }) : ask('get', '/v1/search', { query: { q }, signal }),
    enabled: q !== '',
  });
  const navigate = useNavigate();
  const only = onlyCall(found.data, q);
  useEffect(() => {
    // Who has pasted a Call-ID wants that call, and no list of one.
    if (only) void navigate(callPath(only), { replace: true });
  }, [only, navigate]);
  return (
    <Page
      title={`“${q}”`}
      about={tenant ? `what was found at ${tenant}` : 'what was found'}
      actions={
        tenant && (
          <Button component={Link} variant="default" to={`/search?${new URLSearchParams({ q })}`}>
            Search everywhere
          </Button>
        )
      }
    >
      {q === '' ? (
        <Empty title="What are you looking for?">Type a number, a name, or the Call-ID of a call.</Empty>
      ) : (
        <Answer of={found}>{(f) => <Found of={f} tenant={tenant} q={q} />}</Answer>
      )}
    </Page>
  );
}

// onlyCall is the one call that a search by id has found.
function onlyCall(f: Schemas['Found'] | undefined, q: string): string | undefined {
  const one = f?.calls.length === 1 ? f.calls[0] : undefined;
  return one && (one.call === q || one.sip_call_id === q) ? one.call : undefined;
}

function Found({ of: f, tenant, q }: { of: Schemas['Found']; tenant: string | undefined; q: string }) {
  const things = f.tenants.length + f.users.length + f.devices.length + f.numbers.length;
  if (f.calls.length + things === 0) {
    return (
      <Paper withBorder>
        <Empty title="Nothing was found" action={<Button component={Link} to={tenant ? `/t/${encodeURIComponent(tenant)}/calls` : '/calls'}>All calls</Button>}>
          No call, tenant, user, device or number fits “{q}”. Numbers are found however they are written; of names any part will do. A call that the edge never heard of is not here: then look at the phone, or at its network.
        </Empty>
      </Paper>
    );
  }
  const at = (t: string) => `/t/${encodeURIComponent(t)}`;
  return (
    <Stack>
      {things > 0 && (
        <Paper withBorder p="md">
          <Stack gap="xs">
            <Kind title="Tenants" all={f.tenants} show={(t) => <Thing key={t.id} to={at(t.id)} name={t.name} more={t.domain} />} />
            <Kind title="Users" all={f.users} show={(u) => <Thing key={`${u.tenant} ${u.id}`} to={`${at(u.tenant)}/users/${encodeURIComponent(u.id)}`} name={u.name} more={[u.extension, u.number, tenant ? '' : u.tenant].filter(Boolean).join(' · ')} />} />
            <Kind title="Devices" all={f.devices} show={(d) => <Thing key={`${d.tenant} ${d.id}`} to={`${at(d.tenant)}/devices/${encodeURIComponent(d.id)}`} name={d.name} more={[d.username, tenant ? '' : d.tenant].filter(Boolean).join(' · ')} />} />
            <Kind title="Numbers" all={f.numbers} show={(n) => <Thing key={n.number} to={`${at(n.tenant)}/numbers/${encodeURIComponent(n.number)}`} name={n.number} more={tenant ? '' : n.tenant} />} />
          </Stack>
        </Paper>
      )}
      {f.calls.length > 0 ? (
        <Paper withBorder style={{ overflowX: 'auto' }}>
          <Title order={2} size="h4" p="md" pb={4}>
            {count(f.calls.length, 'call', 'calls')}
          </Title>
          <Rows rows={f.calls} columns={callColumns(!tenant)} id={(c) => c.call} label="Calls" />
        </Paper>
      ) : (
        <Text c="dimmed" size="sm">
          No call fits.
        </Text>
      )}
    </Stack>
  );
}

function Kind<T>({ title, all, show }: { title: string; all: T[]; show: (one: T) => ReactNode }) {
  if (all.length === 0) return null;
  return (
    <section aria-label={title}>
      <Text size="xs" fw={650} c="dimmed">
        {title}
      </Text>
      <div style={{ display: 'flex', flexWrap: 'wrap', gap: '2px 20px' }}>{all.map(show)}</div>
    </section>
  );
}

function Thing({ to, name, more }: { to: string; name: string; more: string }) {
  return (
    <span>
      <Anchor component={Link} to={to} size="sm" fw={550}>
        {name}
      </Anchor>{' '}
      <Text span size="sm" c="dimmed">
        {more}
      </Text>
    </span>
  );
}
