// A webhook and its log: what was sent, what came of it, and sending it again.
import { Badge, Button, Code, Group, Modal, Select, Stack, Text, Title } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate, useParams } from 'react-router';
import { ask } from '../api/client';
import { usePages } from '../api/lists';
import { Confirm } from '../parts/confirm';
import { FormButton, type Values } from '../parts/form';
import { Page } from '../parts/page';
import { List, Rows } from '../parts/rows';
import { Secret } from '../parts/secret';
import { Answer } from '../parts/states';
import { Time } from '../parts/time';
import { useTell } from '../parts/told';
import { useMay } from '../session';
import { useTheTenant } from '../shell/tenant';
import { Health, useEventTypes, webhookFields } from './webhooks';

type State = 'waiting' | 'delivered' | 'failed';
const colours: Record<State, string> = { waiting: 'blue', delivered: 'teal', failed: 'red' };
const look = 4000; // ms

export default function Webhook() {
  const tenant = useTheTenant();
  const { webhook = '' } = useParams();
  const may = useMay();
  const tell = useTell();
  const client = useQueryClient();
  const navigate = useNavigate();
  const types = useEventTypes();
  const [state, setState] = useState<State>();
  const [secret, setSecret] = useState<string>();
  const [open, setOpen] = useState<string>();
  const path = { tenant, webhook };
  const row = useQuery({ queryKey: ['webhook', tenant, webhook], queryFn: ({ signal }) => ask('get', '/v1/tenants/{tenant}/webhooks/{webhook}', { path, signal }), refetchInterval: look });
  const log = usePages(['deliveries', tenant, webhook, state], (cursor, signal) => ask('get', '/v1/tenants/{tenant}/webhooks/{webhook}/deliveries', { path, query: { limit: 30, cursor, state }, signal }), { every: look });
  const base = `/t/${encodeURIComponent(tenant)}/webhooks`;
  const writes = may('webhooks:write');
  const anew = () => Promise.all([row.refetch(), log.refetch()]);
  const again = (delivery: number) => ask('post', '/v1/tenants/{tenant}/webhooks/{webhook}/deliveries/{delivery}/again', { path: { ...path, delivery: String(delivery) as never } }).then(anew);
  return (
    <Answer of={row}>
      {(w) => (
        <Page
          title={w.name || w.id}
          about={<span className="mono">{w.url}</span>}
          back={{ to: base, words: 'Webhooks' }}
          actions={
            writes && (
              <>
                <Button onClick={() => void ask('post', '/v1/tenants/{tenant}/webhooks/{webhook}/test', { path }).then(anew).then(() => tell.done('A test is on its way.')).catch(tell.failed)}>Send a test</Button>
                <FormButton
                  words="Change"
                  title={w.name || w.id}
                  fields={[...webhookFields(types.data?.items.map((t) => t.type) ?? []), { name: 'disabled', label: 'Disabled', kind: 'check' }]}
                  values={{ ...w, disabled: Boolean(w.disabled_at) } as unknown as Values}
                  submit="Save"
                  act={async (v) => {
                    await ask('put', '/v1/tenants/{tenant}/webhooks/{webhook}', { path, body: { url: String(v.url), name: String(v.name ?? ''), types: (v.types as string[] | undefined) ?? [], disabled: v.disabled === true } as never });
                    tell.done('Saved.');
                    await anew();
                  }}
                />
                <Confirm words="New secret" size="sm" title="Give it another secret?" sure="New secret" act={async () => setSecret((await ask('post', '/v1/tenants/{tenant}/webhooks/{webhook}/secret', { path })).secret)}>
                  For 24 hours what is sent is signed with the old one too.
                </Confirm>
                <Confirm words="Remove" size="sm" title="Remove the webhook?" sure="Remove" done="Removed." act={() => ask('delete', '/v1/tenants/{tenant}/webhooks/{webhook}', { path }).then(() => client.invalidateQueries({ queryKey: ['webhooks', tenant] })).then(() => navigate(base))}>
                  It is told of nothing any more, and its log is gone.
                </Confirm>
              </>
            )
          }
        >
          {secret && <Secret title="The new secret" facts={{ Secret: secret }} close={() => setSecret(undefined)} />}
          <Group gap="sm">
            <Health w={w} />
            <Text size="sm" c="dimmed">
              {w.waiting.toLocaleString()} waiting, {w.failures.toLocaleString()} failed in a row
            </Text>
            {w.failing_since && (
              <Text size="sm">
                failing since <Time at={w.failing_since} />
              </Text>
            )}
          </Group>
          <Group justify="space-between" align="flex-end">
            <Title order={2} size="h4">
              Delivery log
            </Title>
            <Select aria-label="State" placeholder="Any state" clearable data={Object.keys(colours)} value={state ?? null} onChange={(v) => setState((v ?? undefined) as State | undefined)} w={160} />
          </Group>
          <List
            of={log}
            label="Delivery log"
            id={(d) => String(d.id)}
            empty={{ title: state ? 'None of this state' : 'Nothing was sent yet', words: 'Send a test, or make a call.' }}
            columns={[
              { name: 'When', show: (d) => <Time at={d.created_at} />, width: 130 },
              { name: 'Event', show: (d) => d.type },
              { name: 'State', show: (d) => <Badge variant="light" color={colours[d.state]} radius="sm" tt="none">{d.state}</Badge> },
              { name: 'Answer', show: (d) => (d.status ? `HTTP ${d.status}` : d.problem) },
              { name: 'Attempts', show: (d) => String(d.attempts) },
              { name: 'Next', show: (d) => <Time at={d.next_at} /> },
              {
                name: '',
                end: true,
                show: (d) => (
                  <Group gap={6} justify="flex-end" wrap="nowrap">
                    <Button size="compact-sm" variant="subtle" onClick={() => setOpen(String(d.id))} aria-label={`Attempts of ${d.type}`}>
                      Look
                    </Button>
                    {writes && (
                      <Button size="compact-sm" variant="default" onClick={() => void again(d.id).then(() => tell.done('It is sent again.')).catch(tell.failed)} aria-label={`Send ${d.type} again`}>
                        Send again
                      </Button>
                    )}
                  </Group>
                ),
              },
            ]}
          />
          <Modal opened={open !== undefined} onClose={() => setOpen(undefined)} size="lg" title="Attempts" closeButtonProps={{ 'aria-label': 'Close' }}>
            {open && <Attempts tenant={tenant} webhook={webhook} delivery={open} />}
          </Modal>
        </Page>
      )}
    </Answer>
  );
}

function Attempts({ tenant, webhook, delivery }: { tenant: string; webhook: string; delivery: string }) {
  const one = useQuery({ queryKey: ['delivery', tenant, webhook, delivery], queryFn: ({ signal }) => ask('get', '/v1/tenants/{tenant}/webhooks/{webhook}/deliveries/{delivery}', { path: { tenant, webhook, delivery: delivery as never }, signal }) });
  return (
    <Answer of={one} rows={3}>
      {(d) => (
        <Stack>
          <Text size="sm">
            {d.type}, event <span className="mono">{d.event}</span>
          </Text>
          {d.tried.length === 0 ? (
            <Text size="sm">It was not tried yet.</Text>
          ) : (
            <Rows
              rows={d.tried}
              id={(a) => String(a.n)}
              label="Attempts"
              columns={[
                { name: 'When', show: (a) => <Time at={a.at} /> },
                { name: 'Answer', show: (a) => (a.status ? `HTTP ${a.status}` : a.problem) },
                { name: 'Took', show: (a) => `${a.took_ms} ms` },
                { name: 'It said', show: (a) => a.answer && <Code block>{a.answer}</Code> },
              ]}
            />
          )}
        </Stack>
      )}
    </Answer>
  );
}
