// A porting order: what it says, its papers, what has happened, and what can be done now.
import { Alert, Anchor, Badge, Button, FileButton, Group, Paper, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useParams } from 'react-router';
import { address, ask, askTagged, type Schemas } from '../api/client';
import { Confirm } from '../parts/confirm';
import { FormButton } from '../parts/form';
import { Page } from '../parts/page';
import { directionWords, isOpen, nextWords, portingBody, portingColours, portingFields, portingValues, stateWords, waysOf, type State, type Step } from '../parts/portings';
import { Rows } from '../parts/rows';
import { Answer } from '../parts/states';
import { Time } from '../parts/time';
import { useTell } from '../parts/told';
import { sentence } from '../parts/words';
import { useMay } from '../session';
import { useTheTenant } from '../shell/tenant';

type Whole = Schemas['WholePorting'];

export default function OnePorting() {
  const tenant = useTheTenant();
  const { porting = '' } = useParams();
  const row = useQuery({ queryKey: ['portings', tenant, 'one', porting], queryFn: ({ signal }) => askTagged('get', '/v1/tenants/{tenant}/portings/{porting}', { path: { tenant, porting }, signal }) });
  return <Answer of={row}>{({ value }) => <Order tenant={tenant} p={value} />}</Answer>;
}

function useAnew() {
  const client = useQueryClient();
  return () => Promise.all([client.invalidateQueries({ queryKey: ['portings'] }), client.invalidateQueries({ queryKey: ['numbers'] })]);
}

function Order({ tenant, p }: { tenant: string; p: Whole }) {
  const may = useMay();
  const tell = useTell();
  const anew = useAnew();
  const first = p.numbers[0] ?? '';
  return (
    <Page title={p.numbers.length > 1 ? `Porting of ${first} and ${p.numbers.length - 1} more` : `Porting of ${first}`} about={`${directionWords[p.direction]} · ${p.carrier}`} back={{ to: `/t/${encodeURIComponent(tenant)}/portings`, words: 'Porting orders' }}>
      <Paper withBorder p="md" component="section" aria-label="State">
        <Group justify="space-between" gap="sm">
          <Group gap="sm" style={{ flex: '1 1 260px' }}>
            <Badge variant="light" color={portingColours[p.state]} radius="sm" tt="none" data-testid="porting-state">
              {stateWords[p.state]}
            </Badge>
            <Text size="sm" style={{ flex: 1 }}>
              {nextWords[p.state]}
              {p.scheduled_on && p.state === 'scheduled' && ` It is ${p.scheduled_on}.`}
            </Text>
          </Group>
          <Ways tenant={tenant} p={p} />
        </Group>
      </Paper>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Paper withBorder p="md" component="section" aria-label="What it says">
          <Group justify="space-between" mb="sm">
            <Title order={2} size="h4">
              What it says
            </Title>
            {isOpen(p.state) && may('porting:write') && (
              <FormButton
                small
                words="Change"
                label="Change the order"
                title="The porting order"
                fields={portingFields}
                values={portingValues(p)}
                submit="Save"
                act={async (v) => {
                  await ask('put', '/v1/tenants/{tenant}/portings/{porting}', { path: { tenant, porting: p.id }, body: portingBody(v) });
                  tell.done('Saved.');
                  await anew();
                }}
              />
            )}
          </Group>
          <Facts of={p} />
        </Paper>
        <Papers tenant={tenant} p={p} />
      </SimpleGrid>
      <Title order={2} size="h4">
        What has happened
      </Title>
      <Paper withBorder style={{ overflowX: 'auto' }}>
        <Rows
          rows={p.history.map((h, i) => ({ ...h, n: i })).reverse()}
          id={(h) => String(h.n)}
          label="History"
          columns={[
            { name: 'When', show: (h) => <Time at={h.at} />, width: 150 },
            { name: 'What', show: (h) => <b>{stepWords[h.step] ?? h.step}</b> },
            { name: 'State', show: (h) => stateWords[h.to as State] ?? h.to },
            { name: 'Day', show: (h) => h.on ?? '' },
            { name: 'Words', show: (h) => h.comment ?? '' },
            { name: 'By', show: (h) => h.by },
          ]}
        />
      </Paper>
    </Page>
  );
}

const stepWords: Record<string, string> = { create: 'written', edit: 'changed', document: 'paper added', document_removed: 'paper removed', submit: 'submitted', accept: 'accepted', reject: 'rejected', schedule: 'day set', ported: 'ported', cancel: 'cancelled' };

function Facts({ of: p }: { of: Whole }) {
  const facts: [string, string | undefined][] = [['Subscriber', p.subscriber], ['Customer number there', p.account], ['Address', p.address], ['Wanted on', p.wanted_on], ['Day', p.scheduled_on], ['Trunk', p.trunk], ['Note', p.note]];
  return (
    <Stack gap={6}>
      {facts.map(
        ([name, value]) =>
          value && (
            <Group key={name} gap="sm" wrap="nowrap" align="flex-start">
              <Text size="sm" c="dimmed" w={140} style={{ flexShrink: 0 }}>
                {name}
              </Text>
              <Text size="sm" style={{ whiteSpace: 'pre-wrap' }}>
                {value}
              </Text>
            </Group>
          ),
      )}
      <Group gap="sm" wrap="nowrap" align="flex-start">
        <Text size="sm" c="dimmed" w={140} style={{ flexShrink: 0 }}>
          Numbers
        </Text>
        <Text size="sm" component="div" style={{ maxHeight: 240, overflowY: 'auto' }} tabIndex={p.numbers.length > 12 ? 0 : undefined}>
          {p.numbers.map((n) => (
            <div key={n}>{n}</div>
          ))}
        </Text>
      </Group>
    </Stack>
  );
}

// Ways are the steps that can be taken now, by who looks at it.
function Ways({ tenant, p }: { tenant: string; p: Whole }) {
  const may = useMay();
  const tell = useTell();
  const anew = useAnew();
  const path = { tenant, porting: p.id };
  const take = async (step: Step, comment: string, on: string) => {
    const said = comment ? { comment } : {};
    if (step === 'schedule') await ask('post', '/v1/tenants/{tenant}/portings/{porting}/schedule', { path, body: { on, ...said } });
    else await ask('post', `/v1/tenants/{tenant}/portings/{porting}/${step}`, { path, body: said });
    tell.done('It is written down.');
    await anew();
  };
  return (
    <Group gap="xs">
      {waysOf(p.state, may).map((w) => (
        <FormButton
          key={w.step}
          small={w.step === 'cancel' || w.step === 'reject'}
          words={w.words}
          title={w.words}
          fields={[
            ...(w.step === 'schedule' ? [{ name: 'on', label: 'Day', kind: 'date' as const, required: true }] : []),
            { name: 'comment', label: w.step === 'reject' ? 'Why' : 'A word about it', kind: 'long', required: w.step === 'reject', description: w.effect },
          ]}
          values={w.step === 'schedule' ? { on: p.scheduled_on ?? p.wanted_on } : undefined}
          submit={w.words}
          act={(v) => take(w.step, String(v.comment ?? '').trim(), String(v.on ?? ''))}
        />
      ))}
    </Group>
  );
}

const thousand = 1000; // bytes in a kilobyte

function Papers({ tenant, p }: { tenant: string; p: Whole }) {
  const may = useMay();
  const tell = useTell();
  const anew = useAnew();
  const path = { tenant, porting: p.id };
  const writes = isOpen(p.state) && may('porting:write');
  const add = useMutation({
    mutationFn: (file: File) => ask('post', '/v1/tenants/{tenant}/portings/{porting}/documents', { path, query: { name: file.name }, raw: { type: 'application/octet-stream', text: file } }),
    onSuccess: async () => {
      tell.done('The paper is there.');
      await anew();
    },
  });
  return (
    <Paper withBorder p="md" component="section" aria-label="Papers">
      <Group justify="space-between" mb="sm">
        <Title order={2} size="h4">
          Papers
        </Title>
        {writes && (
          <FileButton accept="application/pdf,image/jpeg,image/png,image/tiff" onChange={(f) => f && add.mutate(f)}>
            {(props) => (
              <Button {...props} size="compact-sm" variant="default" loading={add.isPending}>
                Add a paper
              </Button>
            )}
          </FileButton>
        )}
      </Group>
      {add.error && (
        <Alert color="red" role="alert" variant="light" mb="sm">
          {sentence(add.error)}
        </Alert>
      )}
      <Stack gap="xs">
        {p.documents.length === 0 && <Text size="sm">None. Most carriers want a letter of authority: PDF, JPEG, PNG or TIFF.</Text>}
        {p.documents.map((d) => (
          <Group key={d.id} justify="space-between" wrap="nowrap" gap="sm">
            <div>
              <Anchor size="sm" href={address('/v1/tenants/{tenant}/portings/{porting}/documents/{document}', { path: { ...path, document: d.id } })} download={d.name}>
                {d.name}
              </Anchor>
              <Text size="xs" c="dimmed">
                {Math.ceil(d.bytes / thousand).toLocaleString()} kB, by {d.created_by}, <Time at={d.created_at} />
              </Text>
            </div>
            {writes && (
              <Confirm words="Remove" label={`Remove ${d.name}`} title={`Remove ${d.name}?`} sure="Remove" done="Removed." act={() => ask('delete', '/v1/tenants/{tenant}/portings/{porting}/documents/{document}', { path: { ...path, document: d.id } }).then(anew)}>
                The order has it no more.
              </Confirm>
            )}
          </Group>
        ))}
      </Stack>
    </Paper>
  );
}
