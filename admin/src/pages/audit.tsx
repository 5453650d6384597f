// Who has changed what, and how it is taken back.
import { Badge, Button, Code, Modal, SimpleGrid, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useParams, useSearchParams } from 'react-router';
import { ask, type Schemas } from '../api/client';
import { usePages } from '../api/lists';
import { Confirm } from '../parts/confirm';
import { Page } from '../parts/page';
import { List } from '../parts/rows';
import { Time } from '../parts/time';
import { useMay } from '../session';

type Entry = Schemas['AuditEntry'];

export default function Audit() {
  const { tenant } = useParams();
  const [params, setParams] = useSearchParams();
  const since = params.get('since') ?? undefined;
  const may = useMay();
  const client = useQueryClient();
  const [shown, setShown] = useState<Entry>();
  const query = { limit: 50, since };
  const changes = usePages(['audit', tenant, since], (cursor, signal) =>
    tenant ? ask('get', '/v1/tenants/{tenant}/audit', { path: { tenant }, query: { ...query, cursor }, signal }) : ask('get', '/v1/audit', { query: { ...query, cursor }, signal }),
  );
  const undo = async (e: Entry) => {
    const change = String(e.id) as never;
    await (tenant ? ask('post', '/v1/tenants/{tenant}/audit/{change}/undo', { path: { tenant, change } }) : ask('post', '/v1/audit/{change}/undo', { path: { change } }));
    await client.invalidateQueries();
  };
  return (
    <Page
      title="Changes"
      about={tenant ? `of ${tenant}, the last first` : 'of the platform, the last first'}
      actions={
        since && (
          <Button variant="default" onClick={() => setParams({})}>
            Not only since <Time at={since} />
          </Button>
        )
      }
    >
      <List
        of={changes}
        label="Changes"
        id={(e) => String(e.id)}
        empty={{ title: 'Nothing was changed', words: 'Each change by the API, the command line or here is written down with who made it and from where.' }}
        columns={[
          { name: 'When', show: (e) => <Time at={e.at} />, width: 130 },
          {
            name: 'What',
            show: (e) => (
              <span>
                <Badge size="sm" variant="light" color={e.change === 'deleted' ? 'red' : e.change === 'created' ? 'teal' : 'blue'} radius="sm" tt="none">
                  {e.change}
                </Badge>{' '}
                {e.object.replaceAll('_', ' ')} <b>{e.object_id}</b>
                {e.undone_by ? <Text span c="dimmed" size="sm"> (undone)</Text> : null}
              </span>
            ),
          },
          {
            name: 'Who',
            show: (e) => (
              <span>
                {e.actor}
                <Text size="xs" c="dimmed">
                  {e.address}
                </Text>
              </span>
            ),
          },
          {
            name: '',
            end: true,
            show: (e) => (
              <>
                <Button size="compact-sm" variant="subtle" onClick={() => setShown(e)} aria-label={`Before and after of ${e.object} ${e.object_id}`}>
                  Look
                </Button>{' '}
                {may('audit:write') && e.newest && !e.undone_by && (
                  <Confirm words="Undo" label={`Undo: ${e.change} ${e.object} ${e.object_id}`} title="Take it back?" sure="Undo" done="It is as it was before." act={() => undo(e)}>
                    {e.object.replaceAll('_', ' ')} <b>{e.object_id}</b> becomes what it was before <Time at={e.at} />. Taking it back is a change too, and can be taken back.
                  </Confirm>
                )}
              </>
            ),
          },
        ]}
      />
      <Modal opened={Boolean(shown)} onClose={() => setShown(undefined)} size="xl" title={shown && `${shown.object.replaceAll('_', ' ')} ${shown.object_id}`} closeButtonProps={{ 'aria-label': 'Close' }}>
        {shown && (
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <Side title="Before" value={shown.before} other={shown.after} />
            <Side title="After" value={shown.after} other={shown.before} />
          </SimpleGrid>
        )}
      </Modal>
    </Page>
  );
}

// Side shows an object; what is not so on the other side stands out.
function Side({ title, value, other }: { title: string; value: unknown; other: unknown }) {
  const one = (value ?? {}) as Record<string, unknown>;
  const two = (other ?? {}) as Record<string, unknown>;
  return (
    <div>
      <Text fw={600} size="sm">
        {title}
      </Text>
      {value === undefined || value === null ? (
        <Text size="sm" c="dimmed">
          It was not there.
        </Text>
      ) : (
        Object.entries(one).map(([name, v]) => {
          const differs = JSON.stringify(v) !== JSON.stringify(two[name]);
          return (
            <div key={name}>
              <Text size="xs" c="dimmed">
                {name}
              </Text>
              <Code block={false} style={{ fontWeight: differs ? 700 : 400, display: 'inline-block', whiteSpace: 'pre-wrap' }} color={differs ? 'var(--mantine-color-yellow-light)' : undefined}>
                {typeof v === 'string' ? v || '—' : JSON.stringify(v)}
              </Code>
            </div>
          );
        })
      )}
    </div>
  );
}
