// A list: its entries, one a line.
import { Alert, Anchor, Button, Group, Paper, SimpleGrid, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useParams } from 'react-router';
import { ask, askTagged, type Schemas } from '../api/client';
import { Page } from '../parts/page';
import { Answer } from '../parts/states';
import { useTell } from '../parts/told';
import { count, sentence } from '../parts/words';
import { useMay } from '../session';
import { useTheTenant } from '../shell/tenant';

type ListOf = Schemas['List'];

export default function OneList() {
  const tenant = useTheTenant();
  const { list = '' } = useParams();
  const row = useQuery({ queryKey: ['lists', tenant, 'one', list], queryFn: ({ signal }) => askTagged('get', '/v1/tenants/{tenant}/lists/{id}', { path: { tenant, id: list }, signal }) });
  return <Answer of={row}>{({ value, etag }) => <Editor key={etag} tenant={tenant} list={value} etag={etag} />}</Answer>;
}

// entriesOf reads what was typed or pasted: one a line, each once.
function entriesOf(text: string): string[] {
  return [...new Set(text.split('\n').map((e) => e.trim()).filter(Boolean))];
}

// holds says whether a value is in a list, as flows do: an entry that ends in * stands for all that begin so.
function holds(entries: string[], value: string): boolean {
  return entries.some((e) => (e.endsWith('*') ? value.startsWith(e.slice(0, -1)) : e === value));
}

function Editor({ tenant, list, etag }: { tenant: string; list: ListOf; etag: string | undefined }) {
  const may = useMay();
  const tell = useTell();
  const client = useQueryClient();
  const [name, setName] = useState(list.name);
  const [text, setText] = useState((list.entries ?? []).join('\n'));
  const [asked, setAsked] = useState('');
  const fixed = !may('flows:write');
  const entries = entriesOf(text);
  const same = name.trim() === list.name && entries.join('\n') === (list.entries ?? []).join('\n');
  const lines = text.split('\n').filter((e) => e.trim()).length;
  const base = `/t/${encodeURIComponent(tenant)}`;
  const save = useMutation({
    mutationFn: () => ask('put', '/v1/tenants/{tenant}/lists/{id}', { path: { tenant, id: list.id }, body: { id: list.id, name: name.trim(), entries }, match: etag }),
    onSuccess: async () => {
      tell.done('Saved as a draft. It holds once it is published.');
      await client.invalidateQueries();
    },
  });
  return (
    <Page
      title={list.name}
      about={<>Draft of a list. It holds for new calls once it is published, under <Anchor component={Link} size="sm" underline="always" to={`${base}/flows`}>Flows</Anchor>.</>}
      back={{ to: `${base}/lists`, words: 'Lists' }}
      actions={
        !fixed && (
          <Button onClick={() => save.mutate()} loading={save.isPending} disabled={same || !name.trim()}>
            Save the draft
          </Button>
        )
      }
    >
      {save.error && <Alert color="red" role="alert">{sentence(save.error)}</Alert>}
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Paper withBorder p="md">
          <Stack gap="sm">
            <TextInput label="Name" required disabled={fixed} value={name} onChange={(e) => setName(e.currentTarget.value)} autoComplete="off" />
            <Textarea label="Entries, one a line" description="Numbers with their country’s code: +4930901820. One that ends in * stands for all that begin so: +4930*." disabled={fixed} value={text} onChange={(e) => setText(e.currentTarget.value)} autosize minRows={8} maxRows={28} spellCheck={false} classNames={{ input: 'mono' }} />
            <Text size="sm" c="dimmed" aria-live="polite">
              {count(entries.length, 'entry', 'entries')}{lines > entries.length ? `, ${count(lines - entries.length, 'was there twice', 'were there twice')}` : ''}
            </Text>
          </Stack>
        </Paper>
        <Paper withBorder p="md">
          <Stack gap="sm">
            <TextInput label="Is it in the list?" placeholder="+4930901820" value={asked} onChange={(e) => setAsked(e.currentTarget.value)} autoComplete="off" />
            <Group aria-live="polite">{asked.trim() && <Text size="sm">{holds(entries, asked.trim()) ? 'Yes: a flow that looks it up finds it.' : 'No.'}</Text>}</Group>
          </Stack>
        </Paper>
      </SimpleGrid>
    </Page>
  );
}
