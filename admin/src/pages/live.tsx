// Calls as they are now.
import { Anchor, Badge, Group, Text, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { Link } from 'react-router';
import { ask, type AnswerOf } from '../api/client';
import { useEvents } from '../api/events';
import { callPath, Parties } from '../parts/calls';
import { Confirm } from '../parts/confirm';
import { FormButton } from '../parts/form';
import { Page } from '../parts/page';
import { List } from '../parts/rows';
import { Since } from '../parts/time';
import { useTell } from '../parts/told';
import { count } from '../parts/words';
import { useMay } from '../session';
import { useTenant } from '../shell/tenant';

type Calls = AnswerOf<'/v1/calls', 'get'>;
type Call = Calls['calls'][number];

const most = 1000; // calls that are asked for
const drawn = 50; // of them, until more are asked for
const pause = 700; // ms between looks, however much happens
const slowly = 15_000; // ms between looks while events come
const quickly = 3_000; // ms between looks without them

export default function Live() {
  const tenant = useTenant();
  const may = useMay();
  const client = useQueryClient();
  const tell = useTell();
  const [filter, setFilter] = useState('');
  const [shown, setShown] = useState(drawn);
  const key = ['live', tenant];
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const soon = () => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      void client.invalidateQueries({ queryKey: key });
    }, pause);
  };
  const follows = useEvents(tenant, (e) => {
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
  const hangUp = async (c: Call) => {
    await ask('post', '/v1/calls/{call}/hangup', { path: { call: c.call }, body: { reason: 'by the admin' } });
    client.setQueryData<Calls>(key, (all) => all && { ...all, calls: all.calls.filter((x) => x.call !== c.call) });
    soon();
  };
  return (
    <Page
      title="Live calls"
      about={
        <Group gap="xs" component="span">
          <span aria-live="polite">{live.data ? `${count(live.data.calls.length, 'call', 'calls')}${live.data.more ? ' and more' : ''} ${tenant ? `of ${tenant}` : 'of all tenants'}` : '…'}</span>
          <Badge size="sm" variant="light" color={follows || !tenant ? 'teal' : 'gray'} tt="none">
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
          { name: 'Node', show: (c) => c.node ?? '' },
          {
            name: '',
            end: true,
            show: (c) =>
              may('calls:write') && (
                <Group gap={6} justify="flex-end" wrap="nowrap">
                  <FormButton
                    small
                    words="Transfer"
                    label={`Transfer the call ${c.from} to ${c.to}`}
                    title="Transfer to"
                    fields={[
                      { name: 'to', label: 'Number or extension', required: true, placeholder: '102' },
                      { name: 'leg', label: 'Who is transferred', kind: 'select', options: (c.legs ?? []).map((l) => ({ value: l.leg, label: `${l.role}${l.device || l.trunk ? `: ${l.device ?? l.trunk}` : ''}` })), description: 'Unless given: whom the flow drives.' },
                    ]}
                    submit="Transfer"
                    act={async (v) => {
                      const answer = await ask('post', '/v1/calls/{call}/transfer', { path: { call: c.call }, body: { to: String(v.to ?? ''), ...(v.leg ? { leg: String(v.leg) } : {}) } });
                      tell.done(answer.detail);
                      soon();
                    }}
                  />
                  <Confirm words="Hang up" label={`Hang up the call ${c.from} to ${c.to}`} title="End this call?" sure="Hang up" done="The call is over." act={() => hangUp(c)}>
                    <Parties from={c.from} to={c.to} /> will be cut off at once. It is written down who did it.
                  </Confirm>
                </Group>
              ),
          },
        ]}
      />
    </Page>
  );
}

function State({ call: c }: { call: Call }) {
  return (
    <Group gap={4}>
      <Badge variant="light" color={c.state === 'answered' ? 'teal' : 'blue'} radius="sm" tt="none">
        {c.state === 'answered' ? 'Talking' : 'Ringing'}
      </Badge>
      {c.uncertain && <Text size="xs" c="dimmed" title="Nobody has spoken for its node lately">may be over</Text>}
    </Group>
  );
}
