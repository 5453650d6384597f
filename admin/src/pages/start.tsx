// The first page of a platform on which nobody has called yet.
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { ask } from '../api/client';
import { FirstSteps } from '../parts/firststeps';
import { Page } from '../parts/page';
import { Answer } from '../parts/states';
import { useMay } from '../session';

const look = 5000; // ms: what is done elsewhere shows up here

export default function Start() {
  const may = useMay();
  const has = useQuery({
    queryKey: ['start'],
    queryFn: async ({ signal }) => {
      const [tenants, nodes] = await Promise.all([ask('get', '/v1/tenants', { query: { limit: 1, sort: 'name' }, signal }), may('platform:read') ? ask('get', '/v1/nodes', { signal }) : undefined]);
      return { tenant: tenants.items[0], node: nodes?.nodes.some((n) => n.state === 'up') };
    },
    refetchInterval: look,
  });
  return (
    <Page
      title="Welcome"
      about="Nobody has called yet. It takes a few minutes to the first call."
      actions={
        <Button component={Link} to="/calls" variant="default">
          To the calls
        </Button>
      }
    >
      <Answer of={has} rows={4}>
        {({ tenant, node }) => {
          const base = tenant ? `/t/${encodeURIComponent(tenant.id)}` : '/tenants';
          return (
            <FirstSteps
              title="To the first call"
              steps={[
                ...(node === undefined ? [] : [{ done: node, words: 'A media node is up', to: '/nodes', more: 'It plays, records and joins calls. Add one by the command “tandem node add”.' }]),
                { done: tenant !== undefined, words: 'Make a tenant', to: '/tenants', more: 'A tenant is a customer: it has users, phones and numbers of its own.' },
                { done: false, words: tenant ? `Set up ${tenant.name}` : 'Set the tenant up', to: base, more: 'Its page leads on: a user, a device, what is to happen, and the first call.' },
              ]}
            />
          );
        }}
      </Answer>
    </Page>
  );
}
