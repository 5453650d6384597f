// Why a call went as it did: the page that support opens first.
import { Alert, Anchor, Badge, Button, Checkbox, CopyButton, Divider, Group, List as Bullets, Loader, Paper, SimpleGrid, Stack, Text, Title, UnstyledButton } from '@mantine/core';
import { IconBulb, IconCopy, IconLink, IconPlayerPlay, IconPhoneOff } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useState, type ReactNode } from 'react';
import { Link, useParams } from 'react-router';
import { ask, Problem, type AnswerOf } from '../api/client';
import { CallButton } from '../parts/callbutton';
import { Parties } from '../parts/calls';
import { Confirm } from '../parts/confirm';
import { Fault } from '../parts/fault';
import { Legs } from '../parts/legs';
import { Page } from '../parts/page';
import { Recordings } from '../parts/recordings';
import { Answer, Loading } from '../parts/states';
import { Steps } from '../parts/steps';
import { Since, Time } from '../parts/time';
import { sentence, wholeTime } from '../parts/words';
import { useMay, useSelf } from '../session';

const Ladder = lazy(() => import('../parts/ladder'));

type Explanation = AnswerOf<'/v1/calls/{call}/explanation', 'get'>;
type View = AnswerOf<'/v1/calls/{call}', 'get'>;

const look = 1500; // ms between looks at a call that is not over, or not told to its end
const dialled = /^\+?[0-9*#]{2,20}$/; // a caller who can be called back
const late = 20_000; // ms after its end until which its records may come

function settled(x: Explanation | undefined, v: View | undefined): boolean {
  if (!x || !v || v.state !== 'ended') return false;
  const told = x.lines.at(-1);
  const ended = v.ended_at ? Date.now() - new Date(v.ended_at).getTime() > late : false;
  return ended || (x.legs.length > 0 && (told?.source === 'routing' || told?.code === 'call_ended'));
}

export default function Call() {
  const { call = '' } = useParams();
  const view = useQuery({
    queryKey: ['call', call],
    queryFn: ({ signal }) => ask('get', '/v1/calls/{call}', { path: { call }, signal }),
    refetchInterval: (q) => (q.state.data && q.state.data.state !== 'ended' ? look : false),
  });
  const story = useQuery({
    queryKey: ['call', call, 'explanation'],
    queryFn: ({ signal }) => ask('get', '/v1/calls/{call}/explanation', { path: { call }, signal }),
    refetchInterval: (q) => (q.state.error || settled(q.state.data, view.data) ? false : look),
  });
  const from = story.data?.legs[0]?.from || view.data?.from || '';
  const to = story.data?.legs[0]?.to || view.data?.to || '';
  const tenant = story.data?.tenant || view.data?.tenant || '';
  const began = view.data?.started_at ?? story.data?.lines[0]?.at;
  return (
    <Page
      title={from || to ? `${from || 'unknown'} → ${to || 'unknown'}` : 'Call'}
      about={
        <Group gap="xs">
          {began && <time dateTime={began}>{wholeTime(began)}</time>}
          {tenant && (
            <Anchor component={Link} to={`/t/${encodeURIComponent(tenant)}`} size="sm">
              {tenant}
            </Anchor>
          )}
        </Group>
      }
      actions={
        <>
          {tenant && dialled.test(from) && <CallButton tenant={tenant} to={from} words="Call back" />}
          <CopyButton value={window.location.href}>
            {({ copied, copy }) => (
              <Button variant="default" leftSection={<IconLink size={16} />} onClick={copy}>
                {copied ? 'Copied' : 'Copy link'}
              </Button>
            )}
          </CopyButton>
        </>
      }
    >
      <Answer of={story} rows={8}>
        {(x) => (
          <Stack gap="md">
            {view.data && view.data.state !== 'ended' && <Live call={view.data} />}
            <Verdict x={x} live={view.data?.state !== 'ended'} />
            <Again x={x} />
            <Section title="What happened, step by step" note={x.version > 0 ? <VersionNote x={x} /> : undefined}>
              <Steps lines={x.lines} />
            </Section>
            {x.legs.length > 0 && (
              <Section title="Legs" note="Each is one dialog with a phone or a carrier.">
                <Legs legs={x.legs} tenant={tenant} />
              </Section>
            )}
            <Section title="SIP ladder" note="Who sent what to whom, as far as it was reported.">
              <Suspense fallback={<Loading rows={6} />}>
                <Ladder call={x.call} settled={settled(x, view.data)} />
              </Suspense>
            </Section>
            {tenant && <Recordings tenant={tenant} call={x.call} />}
            {tenant && began && <Changed tenant={tenant} version={x.version} since={began} />}
            <Ids x={x} node={view.data?.node} />
          </Stack>
        )}
      </Answer>
    </Page>
  );
}

function Section({ title, note, children }: { title: string; note?: ReactNode; children: ReactNode }) {
  return (
    <Paper withBorder component="section" aria-label={title}>
      <Group justify="space-between" px="md" pt="md" pb="xs" gap="xs">
        <Title order={2} size="h4">
          {title}
        </Title>
        {note && (
          <Text size="sm" c="dimmed" component="div">
            {note}
          </Text>
        )}
      </Group>
      {children}
    </Paper>
  );
}

const edge: Record<string, string> = { none: 'teal', caller: 'gray', callee: 'yellow', tenant: 'orange', carrier: 'grape', platform: 'red' };

// Verdict says what happened, whose fault it was, and what to do.
function Verdict({ x, live }: { x: Explanation; live: boolean }) {
  const colour = live && x.legs.length === 0 ? 'blue' : (edge[x.fault] ?? 'gray');
  return (
    <Paper withBorder p={{ base: 'md', sm: 'lg' }} component="section" aria-label="Verdict" style={{ borderLeft: `6px solid var(--mantine-color-${colour}-6)` }}>
      <Stack gap="sm">
        <Text fz={{ base: 18, sm: 21 }} fw={600} lh={1.4} data-testid="verdict">
          {x.verdict}
        </Text>
        {x.legs.length > 0 && (
          <Group gap="xs">
            <Text size="sm" c="dimmed">
              Whose fault:
            </Text>
            <Fault fault={x.fault} ok="Nobody’s" />
          </Group>
        )}
        {x.advice && x.advice.length > 0 && (
          <Alert variant="light" color={colour === 'teal' ? 'blue' : colour} icon={<IconBulb aria-hidden />} title="What to do" data-testid="advice">
            <Bullets size="sm" spacing={6} listStyleType={x.advice.length > 1 ? 'disc' : 'none'} withPadding={false}>
              {x.advice.map((a) => (
                <Bullets.Item key={a.words}>
                  {a.words} <Where about={a.about} x={x} />
                </Bullets.Item>
              ))}
            </Bullets>
          </Alert>
        )}
      </Stack>
    </Paper>
  );
}

// Where leads to the page on which something can be done.
function Where({ about, x }: { about: string; x: Explanation }) {
  const may = useMay();
  const home = useSelf().tenant;
  const t = `/t/${encodeURIComponent(x.tenant)}`;
  const silent = x.legs.find((l) => l.role === 'callee' && l.device && !l.answered_at)?.device;
  const places: Record<string, { to: string; words: string; scope: string } | undefined> = {
    device: { to: silent ? `${t}/devices/${encodeURIComponent(silent)}` : `${t}/devices`, words: silent ? 'The device' : 'Devices', scope: 'devices:read' },
    user: { to: `${t}/users`, words: 'Users', scope: 'users:read' },
    flow: x.flow && !x.flow.startsWith('*') ? { to: `${t}/flows/${encodeURIComponent(x.flow)}`, words: 'Open the flow', scope: 'flows:read' } : { to: `${t}/flows`, words: 'Flows', scope: 'flows:read' },
    schedule: { to: `${t}/flows?show=schedules`, words: 'Opening hours', scope: 'flows:read' },
    trunk: home === undefined && may('platform:read') ? { to: '/trunks', words: 'Trunks', scope: 'trunks:read' } : { to: `${t}/trunks`, words: 'Trunks', scope: 'trunks:read' },
    number: { to: `${t}/numbers`, words: 'Numbers', scope: 'numbers:read' },
    limits: { to: t, words: 'The tenant’s limits', scope: 'tenants:read' },
    dialling: { to: t, words: 'The tenant’s settings', scope: 'tenants:read' },
    tenant: { to: t, words: 'The tenant', scope: 'tenants:read' },
    nodes: { to: '/nodes', words: 'Nodes', scope: 'platform:read' },
  };
  const place = places[about];
  if (!place || !may(place.scope) || (!x.tenant && place.to.startsWith('/t/'))) return null;
  return (
    <Anchor component={Link} to={place.to} size="sm" fw={600} c="inherit" underline="always">
      {place.words} →
    </Anchor>
  );
}

function VersionNote({ x }: { x: Explanation }) {
  return (
    <span>
      Configuration{' '}
      <Anchor component={Link} to={`/t/${encodeURIComponent(x.tenant)}/versions/${x.version}`} size="sm">
        version {x.version}
      </Anchor>
      {x.canary ? ` (on trial, ${x.canary} % of calls)` : ''}
    </span>
  );
}

// Live is what can be done with a call that is up.
function Live({ call }: { call: View }) {
  const may = useMay();
  const client = useQueryClient();
  return (
    <Alert variant="light" color="blue" icon={<Loader size="xs" type="dots" color="blue" />} title={call.state === 'answered' ? 'They are talking' : call.state === 'unseen' ? 'Not seen on a media node' : 'The call is under way'}>
      <Group justify="space-between" gap="xs">
        <Text size="sm">
          {call.uncertain ? 'Nobody has spoken for its media node lately: it may be over. ' : ''}
          {call.flow ? `In the flow ${call.flow}${call.element ? `, at ${call.element}` : ''}. ` : ''}
          {call.started_at && (
            <>
              For <Since at={call.started_at} />.
            </>
          )}
        </Text>
        {may('calls:write') && call.state !== 'unseen' && (
          <Confirm words="Hang up" leftSection={<IconPhoneOff size={15} />} title="End this call?" sure="Hang up" done="The call is over."
            act={async () => {
              await ask('post', '/v1/calls/{call}/hangup', { path: { call: call.call }, body: { reason: 'by the admin' } });
              await client.invalidateQueries({ queryKey: ['call'] });
            }}
          >
            <Parties from={call.from} to={call.to} /> will be cut off at once. It is written down who did it.
          </Confirm>
        )}
      </Group>
    </Alert>
  );
}

// Again asks what would happen if the call were made once more.
function Again({ x }: { x: Explanation }) {
  const [nobody, setNobody] = useState(false);
  const may = useMay();
  const again = useMutation({
    mutationFn: async (draft: boolean) => ({ draft, x: await ask('post', '/v1/calls/{call}/again', { path: { call: x.call }, body: { draft, nobody_answers: nobody } }) }),
  });
  const now = again.data?.x;
  return (
    <Paper withBorder p="md" component="section" aria-label="Try again">
      <Group justify="space-between" gap="sm">
        <div style={{ flex: '1 1 260px' }}>
          <Title order={2} size="h4">
            Would it work now?
          </Title>
          <Text size="sm" c="dimmed">
            Decides the same call once more, with today’s configuration and registrations. No phone rings.
          </Text>
        </div>
        <Group gap="xs">
          <Button leftSection={<IconPlayerPlay size={16} />} onClick={() => again.mutate(false)} loading={again.isPending && again.variables === false}>
            Try again now
          </Button>
          {may('flows:read') && (
            <Button variant="default" onClick={() => again.mutate(true)} loading={again.isPending && again.variables === true}>
              Try with the drafts
            </Button>
          )}
        </Group>
      </Group>
      <Checkbox mt="xs" size="sm" label="as if nobody answered" checked={nobody} onChange={(e) => setNobody(e.currentTarget.checked)} />
      <div aria-live="polite">
        {again.error && (
          <Alert mt="sm" color={again.error instanceof Problem && again.error.faults.length > 0 ? 'orange' : 'red'} role="alert">
            {sentence(again.error)}
          </Alert>
        )}
        {now && <Result now={now} then={x} draft={again.data?.draft ?? false} />}
      </div>
    </Paper>
  );
}

function Result({ now, then, draft }: { now: Explanation; then: Explanation; draft: boolean }) {
  const [open, setOpen] = useState(false);
  const answered = now.verdict.startsWith('The call would be answered');
  const differs = firstDifference(then, now);
  const same = !differs && !answered && now.verdict === then.verdict;
  return (
    <Stack gap="xs" mt="md">
      <Divider />
      <Group gap="xs">
        <Badge color={answered ? 'teal' : (edge[now.fault] ?? 'gray')} variant="light" radius="sm" tt="none">
          {draft ? 'With the drafts' : 'Now'}
        </Badge>
        <Text fw={600} data-testid="again">
          {same ? 'It would go the same way, and end the same.' : now.verdict}
        </Text>
        {!same && !answered && <Fault fault={now.fault} ok="Nobody’s fault" />}
      </Group>
      {!same && (
        <Text size="sm" c="dimmed">
          {differs ? (
            <>
              It goes another way than then: <b>{differs}</b>
            </>
          ) : (
            'It takes the same way as then, with another end.'
          )}
        </Text>
      )}
      {!same && now.advice?.map((a) => (
        <Text size="sm" key={a.words}>
          {a.words} <Where about={a.about} x={now} />
        </Text>
      ))}
      <UnstyledButton onClick={() => setOpen(!open)} aria-expanded={open}>
        <Text size="sm" c="var(--mantine-color-anchor)">
          {open ? 'Hide the steps' : 'Show its steps'}
        </Text>
      </UnstyledButton>
      {open && <Steps lines={now.lines} />}
    </Stack>
  );
}

// passing are reasons that tell of the moment and not of the way.
const passing = new Set(['nodes_chosen', 'node_of_device', 'call_ended', 'caller_hung_up', 'callee_ended_call', 'leg_ended', 'leg_rang', 'leg_answered', 'early_media', 'caller_hung_up_by_us', 'talking', 'parked_again', 'version_on_trial']);

// firstDifference is the first reason of now that then had not, at the same place.
function firstDifference(then: Explanation, now: Explanation): string {
  const of = (x: Explanation) => x.lines.filter((l) => !passing.has(l.code));
  const a = of(then);
  const b = of(now);
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    if (a[i]?.code === b[i]?.code && a[i]?.element === b[i]?.element) continue;
    const line = b[i];
    return line ? line.words : '';
  }
  return '';
}

const someChanges = 8;

// Changed says what is different in the configuration since the call.
function Changed({ tenant, version, since }: { tenant: string; version: number; since: string }) {
  const may = useMay();
  const diff = useQuery({
    queryKey: ['diff', tenant, version, 'live'],
    queryFn: ({ signal }) => ask('get', '/v1/tenants/{tenant}/versions/{version}/diff', { path: { tenant, version: String(version) }, query: { to: 'live' }, signal }),
    enabled: version > 0 && may('flows:read'),
  });
  const changes = useQuery({
    queryKey: ['audit', tenant, 'since', since],
    queryFn: ({ signal }) => ask('get', '/v1/tenants/{tenant}/audit', { path: { tenant }, query: { since, limit: someChanges }, signal }),
    enabled: may('audit:read'),
  });
  if (!may('flows:read') && !may('audit:read')) return null;
  const words = diff.data?.changes ?? [];
  const others = changes.data?.items ?? [];
  const nothing = diff.data !== undefined && words.length === 0 && others.length === 0;
  return (
    <Section title="What changed since" note={diff.data?.to.version ? `live is version ${diff.data.to.version}` : undefined}>
      <Stack gap="xs" px="md" pb="md">
        {(diff.isLoading || changes.isLoading) && <Loader size="sm" type="dots" />}
        {nothing && <Text size="sm">Nothing: the configuration is what it was. If it works now, a registration, a limit or the other side has changed.</Text>}
        {words.length > 0 && (
          <Bullets size="sm" spacing={4}>
            {words.slice(0, someChanges).map((c) => (
              <Bullets.Item key={c.path + c.words}>{c.words}</Bullets.Item>
            ))}
          </Bullets>
        )}
        {words.length > someChanges && (
          <Anchor component={Link} size="sm" to={`/t/${encodeURIComponent(tenant)}/versions/${version}`}>
            All {words.length} changes
          </Anchor>
        )}
        {others.length > 0 && (
          <Stack gap={2}>
            {others.map((e) => (
              <Text size="sm" key={e.id}>
                <Time at={e.at} />{' '}
                <Text span c="dimmed">
                  {e.actor} {e.change} {e.object.replaceAll('_', ' ')} {e.object_id}
                </Text>
              </Text>
            ))}
            <Anchor component={Link} size="sm" to={`/t/${encodeURIComponent(tenant)}/audit?since=${encodeURIComponent(since)}`}>
              All changes since, with undo
            </Anchor>
          </Stack>
        )}
        {diff.error && <Text size="sm" c="dimmed">{sentence(diff.error)}</Text>}
      </Stack>
    </Section>
  );
}

// Ids are what other systems call it.
function Ids({ x, node }: { x: Explanation; node: string | undefined }) {
  const callIDs = [...new Set(x.legs.map((l) => l.sip_call_id).filter((id): id is string => Boolean(id)))];
  return (
    <Section title="For other systems">
      <SimpleGrid cols={{ base: 1, sm: 2 }} px="md" pb="md" spacing="xs">
        <Id name="Call" value={x.call} />
        {callIDs.map((id, i) => (
          <Id key={id} name={i === 0 ? 'SIP Call-ID' : 'Call-ID of a leg'} value={id} />
        ))}
        {(node ?? x.legs[0]?.node) && <Id name="Media node" value={node ?? x.legs[0]?.node ?? ''} />}
      </SimpleGrid>
    </Section>
  );
}

function Id({ name, value }: { name: string; value: string }) {
  return (
    <CopyButton value={value}>
      {({ copied, copy }) => (
        <UnstyledButton onClick={copy} title="Copy">
          <Text size="xs" c="dimmed">
            {name} {copied ? '(copied)' : <IconCopy size={11} aria-hidden />}
          </Text>
          <Text size="sm" className="mono">
            {value}
          </Text>
        </UnstyledButton>
      )}
    </CopyButton>
  );
}

