import { Alert, Badge, Group, Paper, Progress, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useParams } from 'react-router';
import { ask } from '../api/client';
import { usePages } from '../api/lists';
import { Confirm } from '../parts/confirm';
import { Page } from '../parts/page';
import { List } from '../parts/rows';
import { Answer } from '../parts/states';
import { Time } from '../parts/time';
import { useMay } from '../session';
import { orderColours } from './orders';

const look = 700; // ms between looks at an order that is not over

export default function Order() {
  const { tenant, order = '' } = useParams();
  const may = useMay();
  const row = useQuery({
    queryKey: ['order', tenant, order],
    queryFn: ({ signal }) => (tenant ? ask('get', '/v1/tenants/{tenant}/orders/{order}', { path: { tenant, order }, signal }) : ask('get', '/v1/orders/{order}', { path: { order }, signal })),
    refetchInterval: (q) => (q.state.data && !['queued', 'running'].includes(q.state.data.state) ? false : look),
  });
  const open = row.data ? ['queued', 'running'].includes(row.data.state) : false;
  const errors = usePages(['order', tenant, order, 'errors', row.data?.errors], (cursor, signal) =>
    tenant ? ask('get', '/v1/tenants/{tenant}/orders/{order}/errors', { path: { tenant, order }, query: { cursor }, signal }) : ask('get', '/v1/orders/{order}/errors', { path: { order }, query: { cursor }, signal }),
  );
  const base = tenant ? `/t/${encodeURIComponent(tenant)}` : '';
  return (
    <Page
      title="Order"
      back={{ to: `${base}/orders`, words: 'Orders' }}
      actions={
        open &&
        may('orders:write') && (
          <Confirm words="Cancel it" size="sm" title="Cancel the order?" sure="Cancel it" act={() => (tenant ? ask('post', '/v1/tenants/{tenant}/orders/{order}/cancel', { path: { tenant, order } }) : ask('post', '/v1/orders/{order}/cancel', { path: { order } })).then(() => row.refetch())}>
            Nothing of it takes effect.
          </Confirm>
        )
      }
    >
      <Answer of={row} rows={3}>
        {(o) => (
          <Paper withBorder p="md">
            <Stack gap="sm">
              <Group justify="space-between">
                <Text fw={600}>
                  {o.kind.replaceAll('_', ' ')}
                  {o.dry_run ? ' (only looked at)' : ''}
                </Text>
                <Badge variant="light" color={orderColours[o.state]} radius="sm" tt="none" data-testid="order-state">
                  {o.state}
                </Badge>
              </Group>
              <Progress value={o.total > 0 ? (o.done / o.total) * 100 : o.state === 'done' ? 100 : 0} animated={open} aria-label="How far it is" />
              <Text size="sm" c="dimmed" aria-live="polite">
                {o.done.toLocaleString()} of {o.total.toLocaleString()}, by {o.created_by}, <Time at={o.created_at} />
              </Text>
              {o.state === 'failed' && (
                <Alert color="red" variant="light" title="Nothing of it took effect">
                  Mend what is listed below, and send the sheet again.
                </Alert>
              )}
              {o.state === 'done' && (
                <Alert color="teal" variant="light">
                  {o.dry_run ? 'The sheet is right. Nothing was changed.' : 'All of it took effect.'}
                </Alert>
              )}
            </Stack>
          </Paper>
        )}
      </Answer>
      {(row.data?.errors ?? 0) > 0 && (
        <>
          <Title order={2} size="h4">
            What is wrong
          </Title>
          <List of={errors} label="Errors" id={(e) => String(e.n)} empty={{ title: 'Nothing' }} columns={[{ name: 'Line', show: (e) => String(e.line), width: 80 }, { name: 'Field', show: (e) => e.field ?? '' }, { name: 'What', show: (e) => e.detail }]} />
        </>
      )}
    </Page>
  );
}
