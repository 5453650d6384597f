// A user of a tenant's, found by name or extension.
import { Select } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { ask } from '../api/client';

const pause = 200; // ms of no typing before it is searched
const some = 100; // users that are offered without a search

export interface Chosen {
  id: string;
  name: string;
}

export function UserSelect({ tenant, label, description, value, onChange }: { tenant: string; label: string; description?: string; value: Chosen | undefined; onChange: (user: Chosen | undefined) => void }) {
  const [typed, setTyped] = useState('');
  const [text] = useDebouncedValue(typed.trim(), pause);
  const all = useQuery({ queryKey: ['users', tenant, 'select'], queryFn: ({ signal }) => ask('get', '/v1/tenants/{tenant}/users', { path: { tenant }, query: { limit: some, sort: 'extension' }, signal }), staleTime: 60_000 });
  const searches = Boolean(all.data?.next) && text.length > 1;
  const found = useQuery({ queryKey: ['search', text, tenant, 'users'], queryFn: ({ signal }) => ask('get', '/v1/tenants/{tenant}/search', { path: { tenant }, query: { q: text, kinds: ['user'] }, signal }), enabled: searches, placeholderData: keepPreviousData });
  const users = new Map((all.data?.items ?? []).map((u) => [u.id, `${u.name} (${u.extension})`]));
  if (searches) for (const u of found.data?.users ?? []) users.set(u.id, `${u.name} (${u.extension})`);
  if (value && !users.has(value.id)) users.set(value.id, value.name);
  return (
    <Select
      label={label}
      description={description}
      required
      searchable
      data={[...users].map(([id, words]) => ({ value: id, label: words }))}
      value={value?.id ?? null}
      searchValue={typed}
      onSearchChange={setTyped}
      nothingFoundMessage={all.isPending ? 'Loading' : 'No user of this name'}
      error={all.error ? 'The users could not be loaded.' : undefined}
      onChange={(id) => onChange(id ? { id, name: users.get(id) ?? id } : undefined)}
    />
  );
}
