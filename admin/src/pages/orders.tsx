import { Anchor, Badge } from '@mantine/core';
import { Link, useParams } from 'react-router';
import { ask } from '../api/client';
import { usePages } from '../api/lists';
import { Page } from '../parts/page';
import { List } from '../parts/rows';
import { Time } from '../parts/time';

export const orderColours: Record<string, string> = { queued: 'gray', running: 'blue', done: 'teal', failed: 'red', cancelled: 'orange' };

export default function Orders() {
  const { tenant } = useParams();
  const orders = usePages(['orders', tenant], (cursor, signal) => (tenant ? ask('get', '/v1/tenants/{tenant}/orders', { path: { tenant }, query: { limit: 50, cursor, sort: '-created_at' }, signal }) : ask('get', '/v1/orders', { query: { limit: 50, cursor, sort: '-created_at' }, signal })), { every: 5000 });
  return (
    <Page title="Orders" about="what is carried out in the background">
      <List
        of={orders}
        label="Orders"
        id={(o) => o.id}
        empty={{ title: 'No orders', words: 'Imports of numbers show up here, with how far they are.' }}
        columns={[
          { name: 'What', show: (o) => <Anchor component={Link} size="sm" fw={550} to={`${tenant ? `/t/${encodeURIComponent(tenant)}` : ''}/orders/${encodeURIComponent(o.id)}`}>{o.kind.replaceAll('_', ' ')}{o.dry_run ? ' (only looked at)' : ''}</Anchor> },
          { name: 'State', show: (o) => <Badge variant="light" color={orderColours[o.state]} radius="sm" tt="none">{o.state}</Badge> },
          { name: 'Done', show: (o) => `${o.done.toLocaleString()} of ${o.total.toLocaleString()}` },
          { name: 'Errors', show: (o) => o.errors.toLocaleString() },
          { name: 'By', show: (o) => o.created_by },
          { name: 'When', show: (o) => <Time at={o.created_at} /> },
        ]}
      />
    </Page>
  );
}
