import { Anchor, Badge } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { ask, type Schemas } from '../api/client';
import { usePages } from '../api/lists';
import { filled, FormButton, type Field } from '../parts/form';
import { Page } from '../parts/page';
import { List } from '../parts/rows';
import { Secret } from '../parts/secret';
import { useMay } from '../session';
import { useTheTenant } from '../shell/tenant';
import { useQuery } from '@tanstack/react-query';

export function useEventTypes() {
  return useQuery({ queryKey: ['event types'], queryFn: ({ signal }) => ask('get', '/v1/event-types', { signal }), staleTime: Infinity });
}

export function webhookFields(types: string[]): Field[] {
  return [
    { name: 'url', label: 'URL', required: true, placeholder: 'https://crm.example.com/hooks' },
    { name: 'name', label: 'Name', placeholder: 'CRM' },
    { name: 'types', label: 'Events', kind: 'many', options: types.map((t) => ({ value: t, label: t })), description: 'None: all.' },
  ];
}

export function Health({ w }: { w: Schemas['Webhook'] }) {
  if (w.disabled_at) return <Badge variant="light" color="red" radius="sm" tt="none">disabled{w.disabled_because ? ` (${w.disabled_because})` : ''}</Badge>;
  if (w.failing_since) return <Badge variant="light" color="orange" radius="sm" tt="none">failing</Badge>;
  return <Badge variant="light" color="teal" radius="sm" tt="none">well</Badge>;
}

export default function Webhooks() {
  const tenant = useTheTenant();
  const may = useMay();
  const client = useQueryClient();
  const types = useEventTypes();
  const [made, setMade] = useState<Schemas['NewWebhook']>();
  const webhooks = usePages(['webhooks', tenant], (cursor, signal) => ask('get', '/v1/tenants/{tenant}/webhooks', { path: { tenant }, query: { limit: 50, cursor }, signal }));
  const add = may('webhooks:write') && (
    <FormButton
      words="Add a webhook"
      title="A new webhook"
      fields={webhookFields(types.data?.items.map((t) => t.type) ?? [])}
      submit="Add"
      act={async (v) => {
        setMade(await ask('post', '/v1/tenants/{tenant}/webhooks', { path: { tenant }, body: filled(v) as never }));
        await client.invalidateQueries({ queryKey: ['webhooks', tenant] });
      }}
    />
  );
  return (
    <Page title="Webhooks" about={`to which ${tenant}’s events are sent`} actions={add}>
      {made && <Secret title="The webhook’s secret" facts={{ Secret: made.secret }} close={() => setMade(undefined)} />}
      <List
        of={webhooks}
        label="Webhooks"
        id={(w) => w.id}
        empty={{ title: 'No webhooks yet', words: 'A webhook is told by HTTP of calls, messages and registrations, signed, and again until it has it.', action: add }}
        columns={[
          { name: 'Name', show: (w) => <Anchor component={Link} size="sm" fw={550} to={`/t/${encodeURIComponent(tenant)}/webhooks/${encodeURIComponent(w.id)}`}>{w.name || w.id}</Anchor> },
          { name: 'URL', show: (w) => <span className="mono">{w.url}</span> },
          { name: 'Events', show: (w) => (w.types.length === 0 ? 'all' : w.types.join(', ')) },
          { name: 'State', show: (w) => <Health w={w} /> },
          { name: 'Waiting', show: (w) => w.waiting.toLocaleString() },
        ]}
      />
    </Page>
  );
}
