// What an id in the settings may name: the tenant's users, devices, flows, opening hours, lists, sounds, trunks and numbers.
import { Autocomplete, MultiSelect, Select, type ComboboxItem } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { createContext, useCallback, useContext, useMemo, useState } from 'react';
import { ask } from '../api/client';

const most = 200; // that are read at once; what is beyond is found by typing
const pause = 250; // ms of no typing before it is looked for

interface Known {
  items: ComboboxItem[];
  more: boolean;
}

// The tenant whose flow is edited.
export const TenantOfFlow = createContext('');

type Row = { id: string; name?: string; extension?: string; username?: string };
const item = (r: Row): ComboboxItem => ({ value: r.id, label: r.name ? `${r.name}${r.extension ? ` (${r.extension})` : ''}` : r.id });
const known = (page: { items: Row[]; next?: string }): Known => ({ items: page.items.map(item), more: Boolean(page.next) });

async function list(kind: string, tenant: string, signal: AbortSignal): Promise<Known> {
  const asked = { path: { tenant }, query: { limit: most }, signal };
  switch (kind) {
    case 'user':
      return known(await ask('get', '/v1/tenants/{tenant}/users', asked));
    case 'device':
      return known(await ask('get', '/v1/tenants/{tenant}/devices', asked));
    case 'flow':
      return known(await ask('get', '/v1/tenants/{tenant}/flows', asked));
    case 'schedule':
      return known(await ask('get', '/v1/tenants/{tenant}/schedules', asked));
    case 'list':
      return known(await ask('get', '/v1/tenants/{tenant}/lists', asked));
    case 'trunk': {
      const { trunks } = await ask('get', '/v1/tenants/{tenant}/trunks', { path: { tenant }, signal });
      return known({ items: trunks.map((t) => ({ id: t.id, name: t.name })) });
    }
    case 'number': {
      const page = await ask('get', '/v1/tenants/{tenant}/numbers', asked);
      return known({ items: page.items.map((n) => ({ id: n.number })), next: page.next });
    }
    case 'prompt': {
      const page = await ask('get', '/v1/tenants/{tenant}/media', { ...asked, query: { limit: most, kind: 'prompt' } });
      return known({ items: [...new Set(page.items.map((m) => m.name))].map((id) => ({ id })), next: page.next });
    }
  }
  return { items: [], more: false };
}

function useKnown(kind: string, enabled = true) {
  const tenant = useContext(TenantOfFlow);
  return useQuery({ queryKey: ['pick', tenant, kind], queryFn: ({ signal }) => list(kind, tenant, signal), staleTime: 60_000, enabled, retry: false });
}

// useFound looks for users and devices beyond those that were read.
function useFound(kind: string, typed: string, more: boolean): ComboboxItem[] {
  const tenant = useContext(TenantOfFlow);
  const [q] = useDebouncedValue(typed.trim(), pause);
  const found = useQuery({
    queryKey: ['pick', tenant, kind, 'search', q],
    queryFn: ({ signal }) => ask('get', '/v1/tenants/{tenant}/search', { path: { tenant }, query: { q }, signal }),
    enabled: more && q.length > 1 && (kind === 'user' || kind === 'device'),
    retry: false,
  });
  const rows: Row[] = (kind === 'user' ? found.data?.users : found.data?.devices) ?? [];
  return rows.map(item);
}

// useNamed gives the name of what an id names, and the id if that is not known.
export function useNamed(kinds: Set<string>): (kind: string, id: string) => string {
  const users = useKnown('user', kinds.has('user')).data;
  const devices = useKnown('device', kinds.has('device')).data;
  const flows = useKnown('flow', kinds.has('flow')).data;
  const schedules = useKnown('schedule', kinds.has('schedule')).data;
  return useMemo(() => {
    const names = new Map(Object.entries({ user: users, device: devices, flow: flows, schedule: schedules }).flatMap(([kind, k]) => (k?.items ?? []).map((i) => [`${kind} ${i.value}`, i.label] as const)));
    return (kind: string, id: string) => names.get(`${kind} ${id}`) ?? id;
  }, [users, devices, flows, schedules]);
}

interface Common {
  kind: string;
  label: string;
  description?: string;
  required?: boolean;
  error?: string;
  disabled: boolean;
  placeholder?: string;
}

function useItems(kind: string, chosen: string[]) {
  const all = useKnown(kind);
  const [typed, type] = useState('');
  const found = useFound(kind, typed, all.data?.more === true);
  const items = useMemo(() => {
    const items = new Map([...(all.data?.items ?? []), ...found].map((i) => [i.value, i]));
    for (const id of chosen) if (!items.has(id)) items.set(id, { value: id, label: id });
    return [...items.values()];
  }, [all.data, found, chosen.join(' ')]); // eslint-disable-line
  return { items, typed, type: useCallback((t: string) => type(t), []) };
}

const nothing = (kind: string) => `There is no such ${kind}`;

// PickOne chooses one of them.
export function PickOne({ kind, value, onChange, ...common }: Common & { value: string; onChange: (id: string | undefined) => void }) {
  const { items, type } = useItems(kind, value ? [value] : []);
  return <Select {...common} data={items} value={value || null} onChange={(v) => onChange(v ?? undefined)} searchable clearable={!common.required} onSearchChange={type} nothingFoundMessage={nothing(kind)} limit={50} />;
}

// PickMany chooses several.
export function PickMany({ kind, value, onChange, ...common }: Common & { value: string[]; onChange: (ids: string[]) => void }) {
  const { items, typed, type } = useItems(kind, value);
  return <MultiSelect {...common} data={items} value={value} onChange={onChange} searchable searchValue={typed} onSearchChange={type} nothingFoundMessage={nothing(kind)} limit={50} hidePickedOptions clearable />;
}

// PickOrWrite suggests them, and takes what is written: a sound of the platform's, or the flow of a user.
export function PickOrWrite({ kind, value, onChange, ...common }: Common & { value: string; onChange: (id: string | undefined) => void }) {
  const { items } = useItems(kind, []);
  const names = new Map(items.map((i) => [i.value, i.label]));
  return (
    <Autocomplete
      {...common}
      data={items.map((i) => i.value)}
      value={value}
      onChange={(v) => onChange(v || undefined)}
      renderOption={({ option }) => (names.get(option.value) === option.value ? option.value : `${names.get(option.value) ?? ''} · ${option.value}`)}
      limit={50}
    />
  );
}
