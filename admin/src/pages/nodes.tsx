// Media nodes, who drives them, and how loaded they are.
import { Badge, Button, Group, Paper, Progress, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { ask, type AnswerOf } from '../api/client';
import { Confirm } from '../parts/confirm';
import { Page } from '../parts/page';
import { Answer, Empty } from '../parts/states';
import { Time } from '../parts/time';
import { useTell } from '../parts/told';
import { useMay } from '../session';

type Node = AnswerOf<'/v1/nodes', 'get'>['nodes'][number];

const look = 2000; // ms: owners tell of their nodes that often

const colours: Record<string, string> = { up: 'teal', down: 'red', draining: 'orange', unknown: 'gray' };

export default function Nodes() {
  const nodes = useQuery({ queryKey: ['nodes'], queryFn: ({ signal }) => ask('get', '/v1/nodes', { signal }), refetchInterval: look });
  return (
    <Page title="Media nodes" about="and the worker that drives each">
      <Answer of={nodes}>
        {(n) =>
          n.nodes.length === 0 ? (
            <Paper withBorder>
              <Empty title="There is no media node">Without one no call can be taken: add one by <code>tandem node add</code>.</Empty>
            </Paper>
          ) : (
            <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
              {n.nodes.map((one) => (
                <Card key={one.name} node={one} />
              ))}
            </SimpleGrid>
          )
        }
      </Answer>
    </Page>
  );
}

function Card({ node: n }: { node: Node }) {
  const may = useMay();
  const client = useQueryClient();
  const tell = useTell();
  const anew = () => client.invalidateQueries({ queryKey: ['nodes'] });
  const path = { name: n.name };
  return (
    <Paper withBorder p="md" component="section" aria-label={n.name}>
      <Stack gap="xs">
        <Group justify="space-between">
          <Title order={2} size="h4">
            {n.name}
          </Title>
          <Badge color={colours[n.state] ?? 'gray'} variant="light" radius="sm" tt="none">
            {n.state}
          </Badge>
        </Group>
        {n.overloaded && (
          <Text size="sm" c="red">
            Takes no new calls: {n.overloaded}
          </Text>
        )}
        <Load name="Calls" value={n.calls} of={n.max_calls} />
        <Percent name="Sessions" value={n.busy.sessions} />
        <Percent name="New a second" value={n.busy.rate} />
        <Percent name="Processor" value={n.busy.cpu} />
        <Text size="sm" c="dimmed">
          {n.owner ? (
            <>
              Driven by <b>{n.owner}</b> (epoch {n.epoch})
            </>
          ) : (
            'No worker drives it.'
          )}
          {n.heard_at && (
            <>
              , heard of <Time at={n.heard_at} />
            </>
          )}
        </Text>
        <Text size="xs" c="dimmed" className="mono">
          {n.sip_uri}
        </Text>
        {may('platform:write') &&
          (n.draining ? (
            <Button variant="default" size="compact-sm" onClick={() => void ask('post', '/v1/nodes/{name}/resume', { path }).then(anew).then(() => tell.done(`${n.name} takes new calls again.`)).catch(tell.failed)}>
              Resume
            </Button>
          ) : (
            <Confirm words="Drain" title={`Drain ${n.name}?`} sure="Drain" done={`${n.name} gets no new calls.`} act={() => ask('post', '/v1/nodes/{name}/drain', { path }).then(anew)}>
              Within about a second it gets no new calls. Those that are up go on to their end. It can be resumed at any time.
            </Confirm>
          ))}
      </Stack>
    </Paper>
  );
}

function Load({ name, value, of }: { name: string; value: number; of: number }) {
  return (
    <div>
      <Group justify="space-between">
        <Text size="sm">{name}</Text>
        <Text size="sm">
          {value.toLocaleString()}
          {of > 0 ? ` of ${of.toLocaleString()}` : ''}
        </Text>
      </Group>
      {of > 0 && <Progress value={(value / of) * 100} size="sm" aria-label={name} />}
    </div>
  );
}

const full = 80; // percent: then it is told by its colour too

function Percent({ name, value = 0 }: { name: string; value?: number }) {
  return (
    <div>
      <Group justify="space-between">
        <Text size="sm">{name}</Text>
        <Text size="sm">{value} %</Text>
      </Group>
      <Progress value={value} size="sm" color={value >= full ? 'red' : undefined} aria-label={name} />
    </div>
  );
}
