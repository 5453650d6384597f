import { Anchor, Badge, Button, FileInput, Group, Modal, Select, Stack, Switch, Text, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useNavigate, useParams, useSearchParams } from 'react-router';
import { ask, type Schemas } from '../api/client';
import { usePages } from '../api/lists';
import { FormButton } from '../parts/form';
import { Page } from '../parts/page';
import { List } from '../parts/rows';
import { Time } from '../parts/time';
import { useTell } from '../parts/told';
import { sentence } from '../parts/words';
import { useMay } from '../session';

type State = Exclude<Schemas['NumberBody']['state'], ''>;
const states: Record<State, { words: string; colour: string }> = {
  available: { words: 'available', colour: 'teal' }, reserved: { words: 'reserved', colour: 'blue' }, assigned: { words: 'assigned', colour: 'blue' }, in_use: { words: 'in use', colour: 'grape' },
  ageing: { words: 'resting', colour: 'gray' }, porting_in: { words: 'porting in', colour: 'orange' }, porting_out: { words: 'porting out', colour: 'orange' }, blocked: { words: 'blocked', colour: 'red' },
};

export default function Numbers() {
  const { tenant } = useParams();
  const may = useMay();
  const tell = useTell();
  const client = useQueryClient();
  const [params, setParams] = useSearchParams();
  const state = (params.get('state') ?? undefined) as State | undefined;
  const prefix = params.get('prefix') ?? undefined;
  const filters = { state, prefix };
  const set = (name: string, value: string | null) => setParams((p) => (value ? p.set(name, value) : p.delete(name), p), { replace: true });
  const numbers = usePages(['numbers', tenant, filters], (cursor, signal) =>
    tenant ? ask('get', '/v1/tenants/{tenant}/numbers', { path: { tenant }, query: { limit: 50, cursor, ...filters }, signal }) : ask('get', '/v1/numbers', { query: { limit: 50, cursor, ...filters }, signal }),
  );
  return (
    <Page
      title="Numbers"
      about={tenant ? `at ${tenant}, and in its stock` : 'of all stocks'}
      actions={
        may('numbers:add') && (
          <>
            <Import tenant={tenant} />
            <FormButton
              words="Add numbers"
              title="Bring numbers into the stock"
              fields={[
                { name: 'numbers', label: 'Numbers', kind: 'tags', required: true, placeholder: '+4930901820', description: 'With the country’s code. All are taken, or none.' },
                ...(tenant ? [{ name: 'here', label: `Give them to ${tenant} at once`, kind: 'check' as const }] : [{ name: 'tenant', label: 'Give them to the tenant', placeholder: 'stay in the stock unless given' }]),
                { name: 'note', label: 'Note' },
              ]}
              submit="Add"
              act={async (v) => {
                const to = tenant ? (v.here ? tenant : undefined) : (v.tenant as string | undefined);
                const items = ((v.numbers as string[] | undefined) ?? []).map((number) => ({ number, ...(to ? { tenant: to } : {}), ...(v.note ? { note: String(v.note) } : {}) }));
                await (tenant && !v.here ? ask('post', '/v1/tenants/{tenant}/numbers', { path: { tenant }, body: { numbers: items } }) : ask('post', '/v1/numbers', { body: { numbers: items } }));
                tell.done('They are there.');
                await client.invalidateQueries({ queryKey: ['numbers'] });
              }}
            />
          </>
        )
      }
    >
      <Group gap="sm" align="flex-end">
        <Select label="State" placeholder="Any" clearable data={Object.entries(states).map(([value, s]) => ({ value, label: s.words }))} value={state ?? null} onChange={(v) => set('state', v)} w={180} />
        <form
          onSubmit={(e) => {
            e.preventDefault();
            set('prefix', String(new FormData(e.currentTarget).get('prefix') ?? '').trim());
          }}
        >
          <TextInput label="Begins with" name="prefix" placeholder="+4930" defaultValue={prefix} w={180} />
        </form>
      </Group>
      <List
        of={numbers}
        label="Numbers"
        id={(n) => n.number}
        empty={state || prefix ? { title: 'No such number' } : { title: 'No numbers yet', words: 'Numbers are brought into a stock one by one or as a sheet (CSV), and given to tenants.' }}
        columns={[
          {
            name: 'Number',
            show: (n) => (
              <Anchor component={Link} to={`${tenant ? `/t/${encodeURIComponent(tenant)}` : ''}/numbers/${encodeURIComponent(n.number)}`} size="sm" fw={550}>
                {n.number}
              </Anchor>
            ),
          },
          { name: 'State', show: (n) => <Badge variant="light" color={states[n.state || 'available'].colour} radius="sm" tt="none">{states[n.state || 'available'].words}</Badge> },
          { name: 'At', show: (n) => n.tenant && <Anchor component={Link} to={`/t/${encodeURIComponent(n.tenant)}`} size="sm">{n.tenant}</Anchor> },
          { name: 'Since', show: (n) => <Time at={n.since} /> },
          { name: 'Until', show: (n) => <Time at={n.until} /> },
          { name: 'Note', show: (n) => n.note ?? '' },
        ]}
      />
    </Page>
  );
}

// Import brings a sheet of numbers, and leads to the page that shows how far it is.
function Import({ tenant }: { tenant: string | undefined }) {
  const [open, setOpen] = useState(false);
  const [file, setFile] = useState<File | null>(null);
  const [country, setCountry] = useState('');
  const [dry, setDry] = useState(false);
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState('');
  const navigate = useNavigate();
  const send = async () => {
    if (!file) return;
    setBusy(true);
    setRefused('');
    try {
      const raw = { type: 'text/csv', text: await file.text() };
      const query = { dry_run: dry, country: country || undefined } as never;
      const order = tenant ? await ask('post', '/v1/tenants/{tenant}/number-imports', { path: { tenant }, query, raw }) : await ask('post', '/v1/number-imports', { query, raw });
      await navigate(`${tenant ? `/t/${encodeURIComponent(tenant)}` : ''}/orders/${encodeURIComponent(order.id)}`);
    } catch (e) {
      setRefused(sentence(e));
    }
    setBusy(false);
  };
  return (
    <>
      <Button variant="default" onClick={() => setOpen(true)}>
        Import a sheet
      </Button>
      <Modal opened={open} onClose={() => setOpen(false)} title="Import numbers from a sheet (CSV)" closeButtonProps={{ 'aria-label': 'Close' }}>
        <form
          onSubmit={(e) => {
            e.preventDefault();
            void send();
          }}
        >
          <Stack gap="sm">
            <Text size="sm">One number a line, with a head: number, and if you like tenant, country, kind, trunk, note. It takes effect as a whole, or not at all.</Text>
            <FileInput label="Sheet" placeholder="numbers.csv" accept=".csv,text/csv,text/plain" required value={file} onChange={setFile} error={refused || undefined} clearable clearButtonProps={{ 'aria-label': 'Take another' }} />
            <TextInput label="Country" description="Of numbers that are written without its code." placeholder="DE" maxLength={2} value={country} onChange={(e) => setCountry(e.currentTarget.value.toUpperCase())} />
            <Switch label="Only look whether it is right" checked={dry} onChange={(e) => setDry(e.currentTarget.checked)} />
            <Button type="submit" loading={busy} disabled={!file}>
              {dry ? 'Check it' : 'Import it'}
            </Button>
          </Stack>
        </form>
      </Modal>
    </>
  );
}
