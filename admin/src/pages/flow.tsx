// A flow: its elements and where each leads, as JSON for now; checked as it is typed, tried before it is published.
import { Alert, Anchor, Badge, Button, Checkbox, Group, List as Bullets, Paper, SimpleGrid, Stack, TagsInput, Text, TextInput, Title } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { Link, useParams } from 'react-router';
import { ask, askTagged, type Schemas } from '../api/client';
import { Fault } from '../parts/fault';
import { JSONText, read, written } from '../parts/json';
import { Page } from '../parts/page';
import { Answer } from '../parts/states';
import { Steps } from '../parts/steps';
import { useTell } from '../parts/told';
import { sentence } from '../parts/words';
import { useMay } from '../session';
import { useTheTenant } from '../shell/tenant';

type FlowOf = Schemas['Flow'];
const pause = 500; // ms of no typing before it is checked

export default function Flow() {
  const tenant = useTheTenant();
  const { flow = '' } = useParams();
  const row = useQuery({ queryKey: ['flow', tenant, flow], queryFn: ({ signal }) => askTagged('get', '/v1/tenants/{tenant}/flows/{id}', { path: { tenant, id: flow }, signal }) });
  return <Answer of={row}>{({ value, etag }) => <Editor key={etag} tenant={tenant} flow={value} etag={etag} />}</Answer>;
}

function Editor({ tenant, flow, etag }: { tenant: string; flow: FlowOf; etag: string | undefined }) {
  const may = useMay();
  const tell = useTell();
  const client = useQueryClient();
  const base = `/t/${encodeURIComponent(tenant)}`;
  const was = written(flow);
  const [text, setText] = useState(was);
  const [settled] = useDebouncedValue(text, pause);
  const { value } = read<FlowOf>(text);
  const path = { tenant, id: flow.id };
  const check = useMutation({ mutationFn: (body: FlowOf) => ask('post', '/v1/tenants/{tenant}/flows/{id}/check', { path, body }) });
  const { mutate, reset } = check;
  useEffect(() => {
    const typed = read<FlowOf>(settled).value;
    if (typed) mutate(typed);
    else reset();
  }, [settled, mutate, reset]);
  const save = useMutation({
    mutationFn: () => ask('put', '/v1/tenants/{tenant}/flows/{id}', { path, body: value as FlowOf, match: etag }),
    onSuccess: async () => {
      tell.done('Saved as a draft. Try it, and publish.');
      await client.invalidateQueries();
    },
  });
  const changed = text !== was;
  return (
    <Page
      title={flow.name}
      about={`draft of the flow ${flow.id}`}
      back={{ to: `${base}/flows`, words: 'Flows' }}
      actions={
        may('flows:write') && (
          <>
            {changed && (
              <Button variant="default" onClick={() => setText(was)}>
                Take back
              </Button>
            )}
            <Button onClick={() => save.mutate()} loading={save.isPending} disabled={!value || !changed}>
              Save the draft
            </Button>
          </>
        )
      }
    >
      {save.error && (
        <Alert color="red" role="alert">
          {sentence(save.error)}
        </Alert>
      )}
      {!changed && (
        <Text size="sm">
          <Anchor component={Link} size="sm" to={`${base}/flows`}>
            What is not published yet →
          </Anchor>
        </Text>
      )}
      <SimpleGrid cols={{ base: 1, lg: 2 }}>
        <Stack>
          <JSONText label="The flow, as JSON" text={text} onChange={setText} fixed={!may('flows:write')} />
          <Faults of={check.data?.faults ?? []} pending={check.isPending} known={check.data !== undefined} />
        </Stack>
        <Stack>
          <Outline flow={value ?? flow} />
          {may('calls:read') && <Try tenant={tenant} unsaved={changed} />}
        </Stack>
      </SimpleGrid>
    </Page>
  );
}

const fewWarnings = 3;

function Faults({ of: all, pending, known }: { of: Schemas['FlowFault'][]; pending: boolean; known: boolean }) {
  const [open, setOpen] = useState(false);
  const errors = all.filter((f) => !f.warning);
  const of = errors.length > 0 ? errors : open ? all : all.slice(0, fewWarnings);
  return (
    <div aria-live="polite">
      {of.length > 0 ? (
        <Alert color={of.every((f) => f.warning) ? 'yellow' : 'orange'} variant="light" title={of.every((f) => f.warning) ? 'It works, but look' : 'This is wrong with it'}>
          <Bullets size="sm">
            {of.map((f) => (
              <Bullets.Item key={f.path + f.code}>
                <span className="mono">{f.path}</span>: {f.detail} {f.mend}
              </Bullets.Item>
            ))}
          </Bullets>
          {errors.length === 0 && all.length > fewWarnings && (
            <Button mt="xs" size="compact-sm" variant="default" onClick={() => setOpen(!open)}>
              {open ? 'Fewer' : `${all.length - fewWarnings} more`}
            </Button>
          )}
        </Alert>
      ) : (
        known && !pending && <Text size="sm" c="dimmed">Nothing is wrong with it.</Text>
      )}
    </div>
  );
}

// Outline shows each element and where its exits lead.
function Outline({ flow }: { flow: FlowOf }) {
  const elements = Object.entries(flow.elements ?? {});
  return (
    <Paper withBorder p="md" component="section" aria-label="Elements">
      <Title order={2} size="h4" mb="xs">
        Elements
      </Title>
      <Stack gap={8}>
        {elements.map(([key, e]) => (
          <Group key={key} gap="xs" align="baseline">
            <Badge variant={key === flow.start ? 'filled' : 'default'} radius="sm" tt="none">
              {key}
            </Badge>
            <Text size="sm">{e?.type}</Text>
            <Text size="sm" c="dimmed">
              {Object.entries(e?.exits ?? {})
                .map(([exit, to]) => `${exit} → ${String(to)}`)
                .join(', ')}
            </Text>
          </Group>
        ))}
      </Stack>
    </Paper>
  );
}

// Try asks what would happen to a call under the drafts.
function Try({ tenant, unsaved }: { tenant: string; unsaved: boolean }) {
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const [digits, setDigits] = useState<string[]>([]);
  const [nobody, setNobody] = useState(false);
  const attempt = useMutation({ mutationFn: (draft: boolean) => ask('post', '/v1/tenants/{tenant}/dry-run', { path: { tenant }, body: { from: from.trim(), to: to.trim(), digits, nobody_answers: nobody, draft } as never }) });
  return (
    <Paper withBorder p="md" component="section" aria-label="Try a call">
      <form
        onSubmit={(e) => {
          e.preventDefault();
          attempt.mutate(true);
        }}
      >
        <Stack gap="sm">
          <Title order={2} size="h4">
            Try a call
          </Title>
          <SimpleGrid cols={{ base: 1, xs: 2 }}>
            <TextInput label="From" required placeholder="+4930123456 or ada@domain" description="A number outside, or a device" value={from} onChange={(e) => setFrom(e.currentTarget.value)} />
            <TextInput label="To" required placeholder="+4930901820" description="What is dialled" value={to} onChange={(e) => setTo(e.currentTarget.value)} />
          </SimpleGrid>
          <TagsInput label="Keys at each prompt" placeholder="1" value={digits} onChange={setDigits} />
          <Checkbox label="as if nobody answered" checked={nobody} onChange={(e) => setNobody(e.currentTarget.checked)} />
          {unsaved && <Text size="sm" c="dimmed">What is not saved is not tried.</Text>}
          <Group gap="xs">
            <Button type="submit" loading={attempt.isPending && attempt.variables === true}>
              Try with the drafts
            </Button>
            <Button variant="default" loading={attempt.isPending && attempt.variables === false} onClick={() => from && to && attempt.mutate(false)}>
              As it is live
            </Button>
          </Group>
          <div aria-live="polite">
            {attempt.error && (
              <Alert color="red" role="alert">
                {sentence(attempt.error)}
              </Alert>
            )}
            {attempt.data && (
              <Stack gap="xs">
                <Group gap="xs">
                  <Text fw={600} data-testid="tried">
                    {attempt.data.verdict}
                  </Text>
                  {attempt.data.fault !== 'none' && <Fault fault={attempt.data.fault} />}
                </Group>
                <Steps lines={attempt.data.lines} />
              </Stack>
            )}
          </div>
        </Stack>
      </form>
    </Paper>
  );
}
