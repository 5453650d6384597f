import { Anchor } from '@mantine/core';
import { Link } from 'react-router';
import { ask } from '../api/client';
import { Drafts } from '../parts/drafts';
import { useTheTenant } from '../shell/tenant';

const workweek = { days: [1, 2, 3, 4, 5], from: '09:00', until: '17:00' };

export default function Schedules() {
  const tenant = useTheTenant();
  return (
    <Drafts
      tenant={tenant}
      of="schedules"
      title="Opening hours"
      about={<>Flows ask them by the element “hours”. They are drafts until they are published, under <Anchor component={Link} size="sm" underline="always" to={`/t/${encodeURIComponent(tenant)}/flows`}>Flows</Anchor>.</>}
      add="Add opening hours"
      example={{ id: 'office', name: 'Office' }}
      empty={{ title: 'No opening hours yet', words: 'They say when something is open, with holidays. A flow then leads callers one way when it is open, and another when it is closed.' }}
      gone="A flow that asks for it cannot be published any more. What is live goes on."
      read={(cursor, signal) => ask('get', '/v1/tenants/{tenant}/schedules', { path: { tenant }, query: { limit: 50, cursor }, signal })}
      make={(id, name) => ask('put', '/v1/tenants/{tenant}/schedules/{id}', { path: { tenant, id }, body: { id, name, weekly: [workweek] } })}
      remove={(id) => ask('delete', '/v1/tenants/{tenant}/schedules/{id}', { path: { tenant, id } })}
    />
  );
}
