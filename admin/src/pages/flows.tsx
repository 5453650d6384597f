// What calls run through: the drafts, what of them is not published yet, and the versions that were.
import { Anchor, Badge, Group, Stack, Tabs } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useSearchParams } from 'react-router';
import { ask } from '../api/client';
import { useEvents } from '../api/events';
import { usePages } from '../api/lists';
import { Confirm } from '../parts/confirm';
import { FormButton } from '../parts/form';
import { Page } from '../parts/page';
import { Publishing } from '../parts/publishing';
import { List } from '../parts/rows';
import { Time } from '../parts/time';
import { useTell } from '../parts/told';
import { useMay } from '../session';
import { useTheTenant } from '../shell/tenant';

const shows = ['flows', 'routes', 'schedules', 'versions'] as const;
const words: Record<string, string> = { flows: 'Flows', routes: 'What is dialled', schedules: 'Opening hours', versions: 'Versions' };

export default function Flows() {
  const tenant = useTheTenant();
  const client = useQueryClient();
  const [params, setParams] = useSearchParams();
  const show = params.get('show') ?? 'flows';
  useEvents(tenant, (e) => {
    if (e.type === 'configuration.published') {
      void client.invalidateQueries({ queryKey: ['diff', tenant] });
      void client.invalidateQueries({ queryKey: ['versions', tenant] });
    }
  });
  return (
    <Page title="Flows" about={`What ${tenant}’s calls run through. Changes are drafts until they are published.`}>
      <Publishing tenant={tenant} />
      <Tabs value={show} onChange={(v) => setParams(v && v !== 'flows' ? { show: v } : {})} keepMounted={false}>
        <Tabs.List>
          {shows.map((s) => (
            <Tabs.Tab key={s} value={s}>
              {words[s]}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="flows" pt="md">
          <Drafts tenant={tenant} />
        </Tabs.Panel>
        <Tabs.Panel value="routes" pt="md">
          <Routes tenant={tenant} />
        </Tabs.Panel>
        <Tabs.Panel value="schedules" pt="md">
          <Schedules tenant={tenant} />
        </Tabs.Panel>
        <Tabs.Panel value="versions" pt="md">
          <Versions tenant={tenant} />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}

function Drafts({ tenant }: { tenant: string }) {
  const may = useMay();
  const client = useQueryClient();
  const base = `/t/${encodeURIComponent(tenant)}/flows`;
  const key = ['flows', tenant];
  const flows = usePages(key, (cursor, signal) => ask('get', '/v1/tenants/{tenant}/flows', { path: { tenant }, query: { limit: 100, cursor }, signal }));
  const add = may('flows:write') && (
    <FormButton
      words="Add a flow"
      title="A new flow"
      fields={[
        { name: 'id', label: 'Id', required: true, placeholder: 'main', description: 'It stays.' },
        { name: 'name', label: 'Name', required: true, placeholder: 'Main number' },
      ]}
      submit="Add"
      act={async (v) => {
        const id = String(v.id);
        await ask('put', '/v1/tenants/{tenant}/flows/{id}', { path: { tenant, id }, body: { id, name: String(v.name), start: 'bye', elements: { bye: { type: 'hangup', settings: { cause: 'NORMAL_CLEARING' } } } } as never });
        await client.invalidateQueries({ queryKey: key });
      }}
    />
  );
  return (
    <Stack>
      {add && <Group justify="flex-end">{add}</Group>}
      <List
        of={flows}
        label="Flows"
        id={(f) => f.id}
        empty={{ title: 'No flows yet', words: 'A flow says what happens to a call: hours, menus, who is rung, voicemail. Extensions ring without one.' }}
        columns={[
          { name: 'Name', show: (f) => <Anchor component={Link} size="sm" fw={550} to={`${base}/${encodeURIComponent(f.id)}`}>{f.name}</Anchor> },
          { name: 'Id', show: (f) => <span className="mono">{f.id}</span> },
          {
            name: '',
            end: true,
            show: (f) =>
              may('flows:write') && (
                <Confirm words="Remove" label={`Remove ${f.name}`} title={`Remove the draft of ${f.name}?`} sure="Remove" done="Removed. What is live stays until it is published." act={() => ask('delete', '/v1/tenants/{tenant}/flows/{id}', { path: { tenant, id: f.id } }).then(() => client.invalidateQueries())}>
                  What is live stays until the drafts are published.
                </Confirm>
              ),
          },
        ]}
      />
    </Stack>
  );
}

function Routes({ tenant }: { tenant: string }) {
  const may = useMay();
  const tell = useTell();
  const client = useQueryClient();
  const key = ['routes', tenant];
  const routes = useQuery({ queryKey: key, queryFn: async ({ signal }) => (await ask('get', '/v1/tenants/{tenant}/routes', { path: { tenant }, signal })).items });
  const flows = useQuery({ queryKey: ['flows', tenant, 'all'], queryFn: ({ signal }) => ask('get', '/v1/tenants/{tenant}/flows', { path: { tenant }, query: { limit: 200 }, signal }) });
  const anew = () => client.invalidateQueries();
  return (
    <Stack>
      {may('flows:write') && (
        <Group justify="flex-end">
          <FormButton
            words="Lead a number to a flow"
            title="What is dialled, and which flow it starts"
            fields={[
              { name: 'dialled', label: 'Number or extension', required: true, placeholder: '+4930901820' },
              { name: 'flow_id', label: 'Flow', kind: 'select', required: true, options: (flows.data?.items ?? []).map((f) => ({ value: f.id, label: f.name })) },
              { name: 'prefix', label: 'And all that begins with it', kind: 'check' },
            ]}
            submit="Save the draft"
            act={async (v) => {
              await ask('put', '/v1/tenants/{tenant}/routes/{dialled}', { path: { tenant, dialled: String(v.dialled) }, body: { flow_id: String(v.flow_id), ...(v.prefix ? { prefix: true } : {}) } });
              tell.done('Saved as a draft.');
              await anew();
            }}
          />
        </Group>
      )}
      <List
        of={routes}
        label="Routes"
        id={(r) => r.dialled}
        empty={{ title: 'Nothing leads to a flow yet', words: 'Extensions of users ring their devices without a route.' }}
        columns={[
          { name: 'Dialled', show: (r) => <b>{r.dialled}{r.prefix ? '…' : ''}</b> },
          { name: 'Flow', show: (r) => <Anchor component={Link} size="sm" to={`/t/${encodeURIComponent(tenant)}/flows/${encodeURIComponent(r.flow_id)}`}>{r.flow_id}</Anchor> },
          {
            name: '',
            end: true,
            show: (r) =>
              may('flows:write') && (
                <Confirm words="Remove" label={`Remove ${r.dialled}`} title={`Let ${r.dialled} lead nowhere?`} sure="Remove" done="Saved as a draft." act={() => ask('delete', '/v1/tenants/{tenant}/routes/{dialled}', { path: { tenant, dialled: r.dialled } }).then(anew)}>
                  It holds once it is published.
                </Confirm>
              ),
          },
        ]}
      />
    </Stack>
  );
}

function Schedules({ tenant }: { tenant: string }) {
  const schedules = usePages(['schedules', tenant], (cursor, signal) => ask('get', '/v1/tenants/{tenant}/schedules', { path: { tenant }, query: { limit: 100, cursor }, signal }));
  return (
    <List
      of={schedules}
      label="Opening hours"
      id={(s) => s.id}
      empty={{ title: 'No opening hours yet', words: 'A flow’s element “hours” asks for them.' }}
      columns={[{ name: 'Name', show: (s) => <Anchor component={Link} size="sm" fw={550} to={`/t/${encodeURIComponent(tenant)}/schedules/${encodeURIComponent(s.id)}`}>{s.name}</Anchor> }, { name: 'Id', show: (s) => <span className="mono">{s.id}</span> }]}
    />
  );
}

function Versions({ tenant }: { tenant: string }) {
  const may = useMay();
  const client = useQueryClient();
  const versions = useQuery({ queryKey: ['versions', tenant], queryFn: async ({ signal }) => (await ask('get', '/v1/tenants/{tenant}/versions', { path: { tenant }, query: { limit: 50 }, signal })).versions });
  return (
    <List
      of={versions}
      label="Versions"
      id={(v) => String(v.version)}
      empty={{ title: 'Nothing was published yet' }}
      columns={[
        { name: 'Version', show: (v) => <Anchor component={Link} size="sm" fw={550} to={`/t/${encodeURIComponent(tenant)}/versions/${v.version ?? 0}`}>{v.version}</Anchor>, width: 90 },
        { name: 'State', show: (v) => (v.live ? <Badge variant="light" color="teal" radius="sm" tt="none">live</Badge> : v.share ? <Badge variant="light" color="blue" radius="sm" tt="none">on trial, {v.share} %</Badge> : '') },
        { name: 'When', show: (v) => <Time at={v.published_at} /> },
        { name: 'By', show: (v) => v.published_by ?? '' },
        { name: 'Comment', show: (v) => v.comment ?? '' },
        {
          name: '',
          end: true,
          show: (v) =>
            may('publish:write') &&
            !v.live && (
              <Confirm words="Go back to it" label={`Go back to version ${v.version ?? ''}`} title={`Publish version ${v.version ?? ''} again?`} sure="Go back" done="It is live for new calls."
                act={() => ask('post', '/v1/tenants/{tenant}/versions/{version}/rollback', { path: { tenant, version: String(v.version) }, body: {} as never }).then(() => client.invalidateQueries())}
              >
                It becomes a new version, live for new calls within a second. Calls that are up go on under theirs. The drafts stay as they are, unless they are what is live now.
              </Confirm>
            ),
        },
      ]}
    />
  );
}
