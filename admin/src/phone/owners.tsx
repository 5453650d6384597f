// Whose phone it is to be.
import { Button, Select, Stack, Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconPower } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useMatch } from 'react-router';
import { ask } from '../api/client';
import { useMay, useSelf } from '../session';
import { lastTenant } from '../shell/tenant';
import { switchOn } from './line';

const pause = 200; // ms of no typing before it is searched

export function Owners() {
  const self = useSelf();
  const may = useMay();
  const home = self.acting_as ?? self.tenant;
  const at = useMatch('/t/:tenant/*')?.params.tenant;
  const tenant = home ?? at ?? lastTenant();
  const own = self.acting_as ? undefined : self.user;
  const [chosen, setChosen] = useState<string | null>(null);
  const choose = may('devices:write') && may('users:read');
  const user = chosen ?? own ?? null;
  if (!tenant) return <Text size="sm">Open a tenant: the phone is one of its users’.</Text>;
  return (
    <Stack gap="sm">
      <Text size="sm" c="dimmed">
        {choose ? 'It calls, and is rung, as the user that you choose.' : 'It calls, and is rung, as you.'} In another window where it is on it is switched off.
      </Text>
      {choose && <UserChoice tenant={tenant} chosen={user} choose={setChosen} />}
      <Button leftSection={<IconPower size={18} />} disabled={!user} onClick={() => user && void switchOn({ tenant, user })}>
        Switch on
      </Button>
    </Stack>
  );
}

function UserChoice({ tenant, chosen, choose }: { tenant: string; chosen: string | null; choose: (user: string | null) => void }) {
  const [typed, setTyped] = useState('');
  const [text] = useDebouncedValue(typed, pause);
  const some = useQuery({ queryKey: ['users', tenant, 'phone'], queryFn: ({ signal }) => ask('get', '/v1/tenants/{tenant}/users', { path: { tenant }, query: { limit: 100, sort: 'extension' }, signal }) });
  const found = useQuery({
    queryKey: ['search', 'users', tenant, text],
    queryFn: ({ signal }) => ask('get', '/v1/tenants/{tenant}/search', { path: { tenant }, query: { q: text, kinds: ['user'] }, signal }),
    enabled: Boolean(some.data?.next) && text.length > 1,
    placeholderData: keepPreviousData,
  });
  const users = new Map([...(some.data?.items ?? []), ...(found.data?.users ?? [])].map((u) => [u.id, `${u.extension} ${u.name}`]));
  return (
    <Select
      label={`User of ${tenant}`}
      placeholder="Name or extension"
      searchable
      data={[...users].map(([value, label]) => ({ value, label }))}
      value={chosen}
      onChange={choose}
      searchValue={typed}
      onSearchChange={setTyped}
      nothingFoundMessage={some.isPending ? 'Looking …' : 'No user of this name'}
      error={some.error ? 'The users cannot be read.' : undefined}
      maxDropdownHeight={260}
    />
  );
}
