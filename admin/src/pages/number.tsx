import { Anchor, Group, Paper, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from 'react-router';
import { ask } from '../api/client';
import { usePages } from '../api/lists';
import { CallButton } from '../parts/callbutton';
import { Page } from '../parts/page';
import { List } from '../parts/rows';
import { Answer } from '../parts/states';
import { Time } from '../parts/time';
import { useMay } from '../session';

export default function OneNumber() {
  const { tenant, number = '' } = useParams();
  const may = useMay();
  const row = useQuery({ queryKey: ['number', tenant, number], queryFn: ({ signal }) => (tenant ? ask('get', '/v1/tenants/{tenant}/numbers/{number}', { path: { tenant, number }, signal }) : ask('get', '/v1/numbers/{number}', { path: { number }, signal })) });
  const routes = useQuery({ queryKey: ['routes', tenant], queryFn: ({ signal }) => ask('get', '/v1/tenants/{tenant}/routes', { path: { tenant: tenant ?? '' }, signal }), enabled: Boolean(tenant) && may('flows:read') });
  const history = usePages(['number', tenant, number, 'history'], (cursor, signal) =>
    tenant ? ask('get', '/v1/tenants/{tenant}/numbers/{number}/history', { path: { tenant, number }, query: { cursor }, signal }) : ask('get', '/v1/numbers/{number}/history', { path: { number }, query: { cursor }, signal }),
  );
  const base = tenant ? `/t/${encodeURIComponent(tenant)}` : '';
  const route = routes.data?.items.find((r) => r.dialled === number);
  return (
    <Page title={number} back={{ to: `${base}/numbers`, words: 'Numbers' }} actions={
        <>
          {may('calls:read') && <Anchor component={Link} to={`/search?${new URLSearchParams({ q: number, ...(tenant ? { tenant } : {}) })}`}>Its calls</Anchor>}
          {tenant && <CallButton tenant={tenant} to={number} words="Call it" />}
        </>
      }
    >
      <Answer of={row} rows={2}>
        {(n) => (
          <Paper withBorder p="md">
            <Group gap="xl">
              <Text size="sm">
                <b>{n.state.replace('_', ' ')}</b> since <Time at={n.since} />
                {n.until && <>, until <Time at={n.until} /></>}
              </Text>
              {n.tenant && <Text size="sm">at {n.tenant}</Text>}
              {route && (
                <Text size="sm">
                  leads to the flow{' '}
                  <Anchor component={Link} size="sm" to={`${base}/flows/${encodeURIComponent(route.flow_id)}`}>
                    {route.flow_id}
                  </Anchor>
                </Text>
              )}
              {routes.data && !route && <Text size="sm" c="red">leads to no flow: who calls it reaches nobody</Text>}
              {n.note && <Text size="sm">{n.note}</Text>}
            </Group>
          </Paper>
        )}
      </Answer>
      <Title order={2} size="h4">
        What has happened to it
      </Title>
      <List
        of={history}
        label="History"
        id={(s) => String(s.id)}
        empty={{ title: 'Nothing yet' }}
        columns={[
          { name: 'When', show: (s) => <Time at={s.at} />, width: 150 },
          { name: 'What', show: (s) => <b>{s.step.replaceAll('_', ' ')}</b> },
          { name: 'From', show: (s) => s.from?.replace('_', ' ') ?? '' },
          { name: 'To', show: (s) => s.to?.replace('_', ' ') ?? '' },
          { name: 'Tenant', show: (s) => s.tenant ?? '' },
          { name: 'By', show: (s) => s.by ?? '' },
        ]}
      />
    </Page>
  );
}
