// What of the drafts is not live yet, in words, and the ways to make it so: for all callers, or for a share of them first.
import { Alert, Anchor, Button, Group, List as Bullets, NumberInput, Paper, Stack, Table, Text, Textarea, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { ask, type AnswerOf, type Schemas } from '../api/client';
import { useMay } from '../session';
import { callPath } from './calls';
import { Confirm } from './confirm';
import { useTell } from './told';
import { count, sentence } from './words';

const week = '168h';

const shares = { least: 1, most: 99, usual: 10 }; // percent of the callers
const outcomes = '24h'; // of which calls are counted; the API counts no more
const again = 20_000; // ms until they are counted anew
const looked = 20; // newest versions among which the one on trial is

type Version = Schemas['VersionView'];

// useTrial finds the version that a share of callers gets, and the one that the others get.
function useTrial(tenant: string) {
  const ask1 = (query: { limit: number; outcomes?: string }, signal: AbortSignal) => ask('get', '/v1/tenants/{tenant}/versions', { path: { tenant }, query, signal });
  const versions = useQuery({ queryKey: ['versions', tenant, 'trial'], queryFn: ({ signal }) => ask1({ limit: looked }, signal) });
  const on = versions.data?.versions.find((v) => v.share);
  const counted = useQuery({ queryKey: ['versions', tenant, 'outcomes'], queryFn: ({ signal }) => ask1({ limit: looked, outcomes }, signal), enabled: on !== undefined, refetchInterval: again });
  const all = counted.data?.versions ?? versions.data?.versions ?? [];
  return { on: on && (all.find((v) => v.version === on.version) ?? on), live: all.find((v) => v.live), known: versions.data !== undefined, none: versions.data?.versions.length === 0 };
}

// Publishing is what is on trial, and what the drafts would change.
export function Publishing({ tenant }: { tenant: string }) {
  const trial = useTrial(tenant);
  if (!trial.known) return null;
  return (
    <Stack gap="sm">
      {trial.on && <Trial tenant={tenant} on={trial.on} live={trial.live} />}
      <Waiting tenant={tenant} published={!trial.none} tried={trial.on} />
    </Stack>
  );
}

// Trial says how the calls of the version on trial went beside the others, and ends it one way or the other.
function Trial({ tenant, on, live }: { tenant: string; on: Version; live: Version | undefined }) {
  const may = useMay();
  const tell = useTell();
  const client = useQueryClient();
  const [share, setShare] = useState<number | ''>(on.share ?? shares.usual);
  const path = { tenant };
  const widen = useMutation({
    mutationFn: (to: number) => ask('put', '/v1/tenants/{tenant}/canary', { path, body: { share: to, by: '', comment: '' } }),
    onSuccess: async (p) => {
      tell.done(`${p.share} % of the callers get version ${p.version}.`);
      await client.invalidateQueries();
    },
  });
  const verdict = { version: on.version ?? 0, by: '', comment: '' };
  return (
    <Paper withBorder p="md" component="section" aria-label="On trial">
      <Stack gap="sm">
        <Title order={2} size="h4">
          {on.share} % of the callers get version {on.version}
        </Title>
        {on.comment && <Text size="sm">{on.comment}</Text>}
        <Table aria-label="How their calls went" maw={560}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Calls of the last 24 hours</Table.Th>
              <Table.Th>All</Table.Th>
              <Table.Th>Answered</Table.Th>
              <Table.Th>Failed</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {[on, live].map((v) => v && <Went key={v.version} of={v} words={v.live ? 'live' : 'on trial'} />)}
          </Table.Tbody>
        </Table>
        <Text size="xs" c="dimmed">Failed: by the configuration, a carrier or the platform. A caller meets the same version however often he calls.</Text>
        {may('publish:write') && (
          <Group gap="xs" align="flex-end">
            <NumberInput label="Share of the callers (%)" w={190} min={shares.least} max={shares.most} allowDecimal={false} value={share} onChange={(v) => setShare(typeof v === 'number' ? v : '')} />
            <Button variant="default" disabled={share === '' || share === on.share} loading={widen.isPending} onClick={() => share !== '' && widen.mutate(share)}>
              Change the share
            </Button>
            <Confirm words="Give it to all" size="sm" variant="filled" color="tandem" title={`Give version ${on.version} to all callers?`} sure="Give it to all" done={`Version ${on.version} is live for new calls.`} act={() => ask('post', '/v1/tenants/{tenant}/canary/promote', { path, body: verdict }).then(() => client.invalidateQueries())}>
              What was tried becomes what all new calls get, within a second. Drafts that have changed since stay drafts.
            </Confirm>
            <Confirm words="Abandon it" size="sm" title={`Give version ${on.version} to nobody any more?`} sure="Abandon it" done="New calls get what is live." act={() => ask('post', '/v1/tenants/{tenant}/canary/abandon', { path, body: verdict }).then(() => client.invalidateQueries())}>
              New calls get what is live. Calls that are up go on as they are, and the drafts stay.
            </Confirm>
          </Group>
        )}
        {widen.error && (
          <Alert color="red" role="alert">
            {sentence(widen.error)}
          </Alert>
        )}
      </Stack>
    </Paper>
  );
}

function Went({ of: v, words }: { of: Version; words: string }) {
  const o = v.outcome;
  const part = (n: number) => (o && o.calls > 0 ? `${n.toLocaleString()} (${Math.round((100 * n) / o.calls)} %)` : n.toLocaleString());
  return (
    <Table.Tr>
      <Table.Td>
        Version {v.version}, {words}
      </Table.Td>
      <Table.Td>{o?.calls.toLocaleString() ?? '…'}</Table.Td>
      <Table.Td>{o ? part(o.answered) : '…'}</Table.Td>
      <Table.Td>{o ? part(o.failed) : '…'}</Table.Td>
    </Table.Tr>
  );
}

// Waiting is what the drafts would change, in words, with the ways to make it so.
function Waiting({ tenant, published, tried }: { tenant: string; published: boolean; tried: Version | undefined }) {
  const may = useMay();
  const tell = useTell();
  const client = useQueryClient();
  const [comment, setComment] = useState('');
  const [share, setShare] = useState<number | ''>(shares.usual);
  const path = { tenant };
  const diff = useQuery({
    queryKey: ['diff', tenant, 'live', 'draft'],
    queryFn: ({ signal }) => ask('get', '/v1/tenants/{tenant}/versions/{version}/diff', { path: { tenant, version: 'live' }, query: { to: 'draft' }, signal }),
    enabled: published,
  });
  const replay = useMutation({ mutationFn: () => ask('post', '/v1/tenants/{tenant}/replay', { path, body: { since: week, until: '', draft: true, version: 0 } }) });
  const attempt = useMutation({
    mutationFn: (of: number) => ask('put', '/v1/tenants/{tenant}/canary', { path, body: { share: of, by: '', comment } }),
    onSuccess: async (p) => {
      tell.done(`${p.share} % of the callers get version ${p.version}.`);
      setComment('');
      await client.invalidateQueries();
    },
  });
  const publish = useMutation({
    mutationFn: () => ask('post', '/v1/tenants/{tenant}/versions', { path, body: { comment } }),
    onSuccess: async (p) => {
      tell.done(p.same ? 'The drafts run already.' : `Version ${p.version} is live for new calls.`);
      setComment('');
      replay.reset();
      await client.invalidateQueries();
    },
  });
  if (published && diff.data === undefined && !diff.error) return null;
  const changes = diff.data?.changes ?? [];
  if (published && changes.length === 0 && !diff.data?.to.refused) {
    return (
      <Text size="sm" c="dimmed">
        The drafts are what runs: version {diff.data?.from.version}.
      </Text>
    );
  }
  const refused = diff.data?.to.refused;
  return (
    <Paper withBorder p="md" component="section" aria-label="Not published yet">
      <Stack gap="sm">
        <Title order={2} size="h4">
          {published ? `${count(changes.length, 'change is', 'changes are')} not published yet` : 'Nothing is published yet'}
        </Title>
        {diff.error && <Alert color="red">{sentence(diff.error)}</Alert>}
        <Bullets size="sm" spacing={2}>
          {changes.map((c) => (
            <Bullets.Item key={c.path + c.words}>{c.words}</Bullets.Item>
          ))}
        </Bullets>
        {refused && (
          <Alert color="orange" title="It cannot be published so">
            {refused}
          </Alert>
        )}
        {tried && <Text size="sm">Version {tried.version} is on trial: give it to all or abandon it, before something else is published.</Text>}
        {may('publish:write') && !tried && (
          <>
            <Textarea label="What and why" placeholder="for whoever looks at it later" autosize minRows={1} value={comment} onChange={(e) => setComment(e.currentTarget.value)} maxLength={500} />
            <Group gap="xs">
              <Button onClick={() => publish.mutate()} loading={publish.isPending} disabled={Boolean(refused)}>
                Publish
              </Button>
              {published && may('calls:read') && (
                <Button variant="default" onClick={() => replay.mutate()} loading={replay.isPending}>
                  How would last week’s calls have gone?
                </Button>
              )}
            </Group>
            {published && (
              <Group gap="xs" align="flex-end">
                <NumberInput label="Or give it to some callers first (%)" w={260} min={shares.least} max={shares.most} allowDecimal={false} value={share} onChange={(v) => setShare(typeof v === 'number' ? v : '')} />
                <Button variant="default" onClick={() => share !== '' && attempt.mutate(share)} loading={attempt.isPending} disabled={Boolean(refused) || share === ''}>
                  Start the trial
                </Button>
              </Group>
            )}
          </>
        )}
        {attempt.error && (
          <Alert color="red" role="alert">
            {sentence(attempt.error)}
          </Alert>
        )}
        {publish.error && (
          <Alert color="red" role="alert">
            {sentence(publish.error)}
          </Alert>
        )}
        {replay.error && (
          <Alert color="red" role="alert">
            {sentence(replay.error)}
          </Alert>
        )}
        {replay.data && <Replayed of={replay.data.summary} />}
      </Stack>
    </Paper>
  );
}

type Summary = NonNullable<AnswerOf<'/v1/tenants/{tenant}/replay', 'post'>>['summary'];

function Replayed({ of: s }: { of: Summary }) {
  return (
    <Alert color={s.different > 0 ? 'blue' : 'teal'} variant="light" title={s.different > 0 ? `${s.different.toLocaleString()} of last week’s ${count(s.calls, 'call', 'calls')} would have gone differently` : `All of last week’s ${count(s.calls, 'call', 'calls')} would have gone the same way`}>
      <Stack gap={4}>
        {(s.groups ?? []).map((g) => (
          <Text size="sm" key={g.words + g.outcome}>
            <b>{g.calls.toLocaleString()}</b> {g.words}{' '}
            {g.examples?.[0] && (
              <Anchor component={Link} size="sm" to={callPath(g.examples[0].call)}>
                such as this one
              </Anchor>
            )}
          </Text>
        ))}
        {s.unfaithful > 0 && <Text size="sm">{s.unfaithful.toLocaleString()} cannot be judged: what is not versioned has changed since.</Text>}
      </Stack>
    </Alert>
  );
}

