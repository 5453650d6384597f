// The voicemail boxes of a tenant's users.
import { Anchor, Badge, Button, Checkbox, Group, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { ask } from '../api/client';
import { Page } from '../parts/page';
import { List } from '../parts/rows';
import { useTheTenant } from '../shell/tenant';

const step = 100; // boxes that are shown at once

export default function Voicemail() {
  const tenant = useTheTenant();
  const [text, setText] = useState('');
  const [fresh, setFresh] = useState(false);
  const [shown, setShown] = useState(step);
  const all = useQuery({ queryKey: ['boxes', tenant], queryFn: async ({ signal }) => (await ask('get', '/v1/tenants/{tenant}/voicemail', { path: { tenant }, signal })).boxes });
  const wanted = text.trim().toLocaleLowerCase();
  const found = all.data?.filter((b) => (!fresh || b.new > 0) && (!wanted || b.name.toLocaleLowerCase().includes(wanted) || b.extension.startsWith(wanted)));
  const base = `/t/${encodeURIComponent(tenant)}`;
  return (
    <Page title="Voicemail" about="Each user has a box." actions={<Button variant="default" onClick={() => void all.refetch()}>Look again</Button>}>
      <Group gap="lg" align="flex-end">
        <TextInput label="Name or extension" value={text} onChange={(e) => setText(e.currentTarget.value)} w={220} autoComplete="off" />
        <Checkbox label="With new messages alone" checked={fresh} onChange={(e) => setFresh(e.currentTarget.checked)} mb={8} />
      </Group>
      <List
        of={{ ...all, data: found?.slice(0, shown), more: found && found.length > shown ? () => setShown(shown + step) : undefined }}
        label="Voicemail boxes"
        id={(b) => b.box}
        empty={
          all.data?.length
            ? { title: 'No such box', words: 'Change or clear what the list is narrowed to.' }
            : { title: 'No boxes yet', words: 'A user who is added has a box. Callers reach it by the element “voicemail” of a flow.', action: <Button component={Link} to={`${base}/users`} variant="default">Users</Button> }
        }
        columns={[
          { name: 'Extension', show: (b) => b.extension, width: 110 },
          { name: 'Name', show: (b) => <Anchor component={Link} size="sm" fw={550} to={`${base}/voicemail/${encodeURIComponent(b.box)}`}>{b.name}</Anchor> },
          { name: 'New', show: (b) => (b.new > 0 ? <Badge variant="light" radius="sm" tt="none">{b.new.toLocaleString()}</Badge> : '0'), width: 110 },
          { name: 'Heard', show: (b) => b.heard.toLocaleString(), width: 110 },
        ]}
      />
    </Page>
  );
}
