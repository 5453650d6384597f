// Porting orders: numbers that come from another carrier, or go to one.
import { Anchor, Badge, Group, Select } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from 'react-router';
import { ask, type Schemas } from '../api/client';
import { usePages } from '../api/lists';
import { useFilters } from '../parts/filters';
import { FormButton } from '../parts/form';
import { Page } from '../parts/page';
import { directionOptions, directionWords, portingBody, portingColours, portingFields, stateWords, type Porting } from '../parts/portings';
import { List } from '../parts/rows';
import { Time } from '../parts/time';
import { useTell } from '../parts/told';
import { count } from '../parts/words';
import { useMay } from '../session';

type Create = Schemas['Create-portingRequest'];

export default function Portings() {
  const { tenant } = useParams();
  const may = useMay();
  const [filter, set] = useFilters();
  const query = { state: (filter('state') || undefined) as Porting['state'] | undefined, direction: (filter('direction') || undefined) as Porting['direction'] | undefined };
  const all = usePages(['portings', tenant, query], (cursor, signal) =>
    tenant ? ask('get', '/v1/tenants/{tenant}/portings', { path: { tenant }, query: { ...query, limit: 50, cursor }, signal }) : ask('get', '/v1/portings', { query: { ...query, limit: 50, cursor }, signal }),
  );
  const add = tenant !== undefined && may('porting:write') && <Add tenant={tenant} />;
  return (
    <Page title="Porting orders" about={tenant ? 'numbers that come from another carrier, or go to one' : 'of all tenants: what waits for the other carriers'} actions={add}>
      <Group gap="sm">
        <Select label="State" placeholder="Any" clearable data={Object.entries(stateWords).map(([value, label]) => ({ value, label }))} value={filter('state') || null} onChange={(v) => set('state', v ?? '')} w={200} />
        <Select label="Direction" placeholder="Either" clearable data={directionOptions} value={filter('direction') || null} onChange={(v) => set('direction', v ?? '')} w={200} />
      </Group>
      <List
        of={all}
        label="Porting orders"
        id={(p) => p.id}
        empty={
          query.state || query.direction
            ? { title: 'No such porting order', words: 'Change or clear what the list is narrowed to.' }
            : { title: 'No porting orders', words: tenant ? 'Who has numbers at another carrier brings them along: write an order with the numbers and the papers, and submit it.' : 'Tenants write them, on their own pages. What they submit waits here.', action: add }
        }
        columns={[
          { name: 'Numbers', show: (p) => <Anchor component={Link} size="sm" fw={550} to={`/t/${encodeURIComponent(p.tenant)}/portings/${encodeURIComponent(p.id)}`}>{p.numbers.length > 1 ? `${p.numbers[0]} and ${count(p.numbers.length - 1, 'other', 'others')}` : p.numbers[0]}</Anchor> },
          { name: 'State', show: (p) => <Badge variant="light" color={portingColours[p.state]} radius="sm" tt="none">{stateWords[p.state]}</Badge> },
          { name: 'Direction', show: (p) => directionWords[p.direction] },
          { name: 'Other carrier', show: (p) => p.carrier },
          ...(tenant ? [] : [{ name: 'Tenant', show: (p: Porting) => p.tenant }]),
          { name: 'Day', show: (p) => p.scheduled_on ?? (p.wanted_on ? `wanted ${p.wanted_on}` : '') },
          { name: 'Changed', show: (p) => <Time at={p.changed_at} /> },
        ]}
      />
    </Page>
  );
}

function Add({ tenant }: { tenant: string }) {
  const tell = useTell();
  const client = useQueryClient();
  const navigate = useNavigate();
  return (
    <FormButton
      words="Write a porting order"
      title="A new porting order"
      fields={[{ name: 'direction', label: 'Which way', kind: 'select', required: true, options: directionOptions }, ...portingFields]}
      values={{ direction: 'in' }}
      submit="Save the draft"
      act={async (v) => {
        const made = await ask('post', '/v1/tenants/{tenant}/portings', { path: { tenant }, body: { ...portingBody(v), direction: v.direction as Create['direction'] } });
        tell.done('The draft is saved. Add the papers, then submit it.');
        await client.invalidateQueries({ queryKey: ['portings'] });
        await navigate(`/t/${encodeURIComponent(tenant)}/portings/${encodeURIComponent(made.id)}`);
      }}
    />
  );
}
