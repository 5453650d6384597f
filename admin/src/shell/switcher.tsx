// Whose things are shown.
import { Select } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useLocation, useNavigate } from 'react-router';
import { ask } from '../api/client';

const pause = 200; // ms of no typing before it is searched

export function TenantSwitcher({ chosen }: { chosen: string | undefined }) {
  const [typed, setTyped] = useState('');
  const [text] = useDebouncedValue(typed, pause);
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const all = useQuery({ queryKey: ['tenants', 'switcher'], queryFn: ({ signal }) => ask('get', '/v1/tenants', { query: { limit: 100, sort: 'name' }, signal }), staleTime: 60_000 });
  const many = Boolean(all.data?.next);
  const found = useQuery({
    queryKey: ['search', 'tenants', text],
    queryFn: ({ signal }) => ask('get', '/v1/search', { query: { q: text, kinds: ['tenant'] }, signal }),
    enabled: many && text.length > 1,
    placeholderData: keepPreviousData,
  });
  const items = new Map<string, string>();
  for (const t of all.data?.items ?? []) items.set(t.id, t.name);
  if (many && text.length > 1) for (const t of found.data?.tenants ?? []) items.set(t.id, t.name);
  if (chosen && !items.has(chosen)) items.set(chosen, chosen);
  if (items.size < 2 && chosen) return null;
  return (
    <Select
      label="Tenant"
      placeholder="Choose a tenant"
      searchable
      size="sm"
      my="xs"
      px={4}
      data={[...items].map(([value, label]) => ({ value, label }))}
      value={chosen ?? null}
      searchValue={typed}
      onSearchChange={setTyped}
      nothingFoundMessage="No tenant of this name"
      maxDropdownHeight={320}
      comboboxProps={{ withinPortal: true }}
      onChange={(to) => {
        if (!to) return;
        const below = /^\/t\/[^/]+\/([a-z]+)/.exec(pathname)?.[1];
        void navigate(`/t/${encodeURIComponent(to)}${below ? `/${below}` : ''}`);
      }}
    />
  );
}
