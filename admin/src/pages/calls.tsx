import { Button, Group, Select, TextInput } from '@mantine/core';
import { useSearchParams } from 'react-router';
import { ask } from '../api/client';
import { usePages } from '../api/lists';
import { callColumns } from '../parts/calls';
import { Page } from '../parts/page';
import { List } from '../parts/rows';
import { useTenant } from '../shell/tenant';
import { faultWords } from '../parts/words';

type FaultFilter = 'none' | 'caller' | 'callee' | 'tenant' | 'carrier' | 'platform';

export default function Calls() {
  const tenant = useTenant();
  const [params, setParams] = useSearchParams();
  const fault = (params.get('fault') ?? undefined) as FaultFilter | undefined;
  const from = params.get('from') ?? '';
  const to = params.get('to') ?? '';
  const set = (name: string, value: string) =>
    setParams(
      (p) => {
        if (value) p.set(name, value);
        else p.delete(name);
        return p;
      },
      { replace: true },
    );
  const filters = { fault, from: from || undefined, to: to || undefined };
  const calls = usePages(['calls', tenant, filters], (cursor, signal) =>
    tenant
      ? ask('get', '/v1/tenants/{tenant}/past-calls', { path: { tenant }, query: { limit: 50, cursor, ...filters }, signal })
      : ask('get', '/v1/past-calls', { query: { limit: 50, cursor, ...filters }, signal }),
  );
  const filtered = Boolean(fault || from || to);
  return (
    <Page
      title="Calls"
      about={tenant ? `of ${tenant}, the last first` : 'of all tenants, the last first'}
      actions={
        <Button variant="default" onClick={() => void calls.refetch()}>
          Look again
        </Button>
      }
    >
      <Group gap="sm" align="flex-end">
        <Select
          label="Whose fault"
          placeholder="Any"
          clearable
          data={Object.entries(faultWords).map(([value, label]) => ({ value, label }))}
          value={fault ?? null}
          onChange={(v) => set('fault', v ?? '')}
          w={180}
        />
        <Exact label="From exactly" value={from} onSet={(v) => set('from', v)} />
        <Exact label="To exactly" value={to} onSet={(v) => set('to', v)} />
      </Group>
      <List
        of={calls}
        label="Calls"
        columns={callColumns(!tenant)}
        id={(c) => c.call}
        empty={filtered ? { title: 'No such call', words: 'Change or clear what the list is narrowed to.' } : { title: 'No calls yet', words: 'As soon as somebody calls, the call is here, with the reason why it went as it did.' }}
      />
    </Page>
  );
}

function Exact({ label, value, onSet }: { label: string; value: string; onSet: (value: string) => void }) {
  return (
    <form
      onSubmit={(e) => {
        e.preventDefault();
        onSet(String(new FormData(e.currentTarget).get('value') ?? '').trim());
      }}
    >
      <TextInput key={value} label={label} name="value" defaultValue={value} onBlur={(e) => e.currentTarget.value.trim() !== value && onSet(e.currentTarget.value.trim())} w={180} placeholder="+4930901820" />
    </form>
  );
}
