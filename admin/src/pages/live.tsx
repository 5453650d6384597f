// Calls as they are now.
import { Anchor, Badge, Group, Text, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { Link } from 'react-router';
import { ask, type AnswerOf } from '../api/client';
import { everywhere, useEvents } from '../api/events';
import { callPath, Parties } from '../parts/calls';
import type { Doing } from '../parts/livedialogs';
import { Page } from '../parts/page';
import { List } from '../parts/rows';
import { Since } from '../parts/time';
import { count } from '../parts/words';
import { useMay } from '../session';
import { useTenant } from '../shell/tenant';
import classes from './live.module.css';

const LiveDialog = lazy(() => import('../parts/livedialogs'));

type Calls = AnswerOf<'/v1/calls', 'get'>;
type Call = Calls['calls'][number];

const most = 1000; // calls that are asked for
const drawn = 50; // of them, until more are asked for
const pause = 700; // ms between looks, however much happens at a tenant
const pauseOfAll = 1500; // and at all
const slowly = 15_000; // ms between looks while events come
const quickly = 3_000; // ms between looks without them

export default function Live() {
  const tenant = useTenant();
  const client = useQueryClient();
  const [doing, setDoing] = useState<Doing>();
  const [filter, setFilter] = useState('');
  const [shown, setShown] = useState(drawn);
  const key = ['live', tenant];
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const soon = () => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      void client.invalidateQueries({ queryKey: key });
    }, tenant ? pause : pauseOfAll);
  };
  const follows = useEvents(tenant ?? everywhere, (e) => {
    if (!e.type.startsWith('call.')) return;
    if (e.type === 'call.ended') client.setQueryData<Calls>(key, (all) => all && { ...all, calls: all.calls.filter((c) => c.call !== e.data.call) });
    soon();
  });
  const live = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => (tenant ? ask('get', '/v1/tenants/{tenant}/calls', { path: { tenant }, query: { live: '1', limit: most }, signal }) : ask('get', '/v1/calls', { query: { live: '1', limit: most }, signal })),
    refetchInterval: follows ? slowly : quickly,
  });
  const wanted = filter.trim().toLowerCase();
  const fits = (c: Call) => !wanted || [c.from, c.to, c.tenant, c.node, c.flow, c.call].some((t) => t?.toLowerCase().includes(wanted));
  const calls = live.data?.calls.filter(fits);
  const did = ({ what, call }: Doing) => {
    if (what === 'hangup') client.setQueryData<Calls>(key, (all) => all && { ...all, calls: all.calls.filter((c) => c.call !== call.call) });
    soon();
  };
  return (
    <Page
      title="Live calls"
      about={
        <Group gap="xs" component="span">
          <span aria-live="polite">{live.data ? `${count(live.data.calls.length, 'call', 'calls')}${live.data.more ? ' and more' : ''} ${tenant ? `of ${tenant}` : 'of all tenants'}` : '…'}</span>
          <Badge size="sm" variant="light" color={follows ? 'teal' : 'gray'} tt="none">
            {follows ? 'as it happens' : `every ${quickly / 1000} s`}
          </Badge>
        </Group>
      }
    >
      <TextInput label="Narrow to" placeholder="Number, tenant, node or flow" value={filter} onChange={(e) => setFilter(e.currentTarget.value)} maw={320} />
      <List
        of={{ data: calls?.slice(0, shown), error: live.error, isPending: live.isPending, refetch: live.refetch, more: calls && calls.length > shown ? () => setShown(shown + drawn) : undefined }}
        label="Live calls"
        id={(c) => c.call}
        empty={wanted ? { title: 'No live call fits' } : { title: 'Nobody is calling', words: 'A call shows up here as soon as it begins, and is gone when it is over. Calls that are over are under Calls.' }}
        columns={[
          {
            name: 'Call',
            show: (c) => (
              <Anchor component={Link} to={callPath(c.call)} size="sm" fw={550}>
                <Parties from={c.from} to={c.to} />
              </Anchor>
            ),
          },
          { name: 'State', show: (c) => <State call={c} />, width: 150 },
          { name: 'For', show: (c) => <Since at={c.started_at} />, width: 90 },
          ...(tenant ? [] : [{ name: 'Tenant', show: (c: Call) => c.tenant && <Anchor component={Link} to={`/t/${encodeURIComponent(c.tenant)}`} size="sm">{c.tenant}</Anchor> }]),
          { name: 'In', show: (c) => [c.flow, c.element].filter(Boolean).join(', at ') },
          { name: 'Node', show: (c) => <span style={{ whiteSpace: 'nowrap' }}>{c.node}</span> },
          { name: '', end: true, show: (c) => <Actions call={c} act={setDoing} /> },
        ]}
      />
      {doing && (
        <Suspense>
          <LiveDialog doing={doing} close={() => setDoing(undefined)} done={() => did(doing)} />
        </Suspense>
      )}
    </Page>
  );
}

// Actions are plain buttons: a long list has hundreds of them.
function Actions({ call: c, act }: { call: Call; act: (doing: Doing) => void }) {
  const may = useMay();
  const all: { what: Doing['what']; words: string; label: string; scope: string; talks?: boolean }[] = [
    { what: 'listen', words: 'Listen', label: 'Listen to the call', scope: 'calls:listen', talks: true },
    { what: 'record', words: c.recorded ? 'End recording' : 'Record', label: c.recorded ? 'End recording of the call' : 'Record the call', scope: 'calls:record', talks: true },
    { what: 'transfer', words: 'Transfer', label: 'Transfer the call', scope: 'calls:write' },
    { what: 'hangup', words: 'Hang up', label: 'Hang up the call', scope: 'calls:write' },
  ];
  return (
    <span className={classes.actions}>
      {all
        .filter((a) => may(a.scope) && (!a.talks || c.state === 'answered'))
        .map((a) => (
          <button key={a.what} type="button" className={classes.action} aria-label={`${a.label} ${c.from} to ${c.to}`} onClick={() => act({ what: a.what, call: c })}>
            {a.words}
          </button>
        ))}
    </span>
  );
}

function State({ call: c }: { call: Call }) {
  return (
    <Group gap={4}>
      <Badge variant="light" color={c.state === 'answered' ? 'teal' : 'blue'} radius="sm" tt="none">
        {c.state === 'answered' ? 'Talking' : 'Ringing'}
      </Badge>
      {c.recorded && (
        <Badge variant="light" color="red" radius="sm" tt="none">
          Recorded
        </Badge>
      )}
      {c.uncertain && <Text size="xs" c="dimmed" title="Nobody has spoken for its node lately">may be over</Text>}
    </Group>
  );
}
