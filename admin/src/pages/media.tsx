// A tenant's sounds: prompts, greetings and music.
import { Anchor, Group, Modal, Select, Text, TextInput, Button, Stack, Alert } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { address, ask, type Schemas } from '../api/client';
import { usePages } from '../api/lists';
import { Typed, useFilters } from '../parts/filters';
import { languageWords } from '../parts/languages';
import { Page } from '../parts/page';
import { List } from '../parts/rows';
import { Player, SoundField, type Brought } from '../parts/sound';
import { useTell } from '../parts/told';
import { sentence, span } from '../parts/words';
import { useMay } from '../session';
import { useTheTenant } from '../shell/tenant';

export type Kind = Schemas['MediaRow']['kind'];

export const kindWords: Record<Kind, string> = { prompt: 'Prompt', greeting: 'Greeting', music: 'Music' };
export const kindOptions = Object.entries(kindWords).map(([value, label]) => ({ value, label }));
const thousand = 1000; // ms in a second

export default function Media() {
  const tenant = useTheTenant();
  const may = useMay();
  const [filter, set] = useFilters();
  const kind = (filter('kind') || undefined) as Kind | undefined;
  const query = { kind, name: filter('name') || undefined, language: filter('language') || undefined };
  const all = usePages(['media', tenant, query], (cursor, signal) => ask('get', '/v1/tenants/{tenant}/media', { path: { tenant }, query: { ...query, limit: 50, cursor }, signal }));
  const add = may('media:write') && <Add tenant={tenant} />;
  const base = `/t/${encodeURIComponent(tenant)}`;
  return (
    <Page title="Sounds" about="Prompts, greetings and music on hold. Flows play them by their names." actions={add}>
      <Group gap="sm" align="flex-end">
        <Select label="Kind" placeholder="Any" clearable data={kindOptions} value={kind ?? null} onChange={(v) => set('kind', v ?? '')} w={150} />
        <Typed label="Name" value={filter('name')} onSet={(v) => set('name', v)} placeholder="welcome" />
        <Typed label="Language" value={filter('language')} onSet={(v) => set('language', v)} placeholder="de" width={110} />
      </Group>
      <List
        of={all}
        label="Sounds"
        id={(m) => m.id}
        empty={
          Object.values(query).some(Boolean)
            ? { title: 'No such sound', words: 'Change or clear what the list is narrowed to.' }
            : { title: 'No sounds yet', words: 'Bring a file: a welcome, a menu’s words, music for held callers. Then a flow plays it by its name.', action: add }
        }
        columns={[
          {
            name: 'Name',
            show: (m) => (
              <div>
                <Anchor component={Link} size="sm" fw={550} to={`${base}/media/${encodeURIComponent(m.id)}`}>
                  {m.name}
                </Anchor>
                {m.box && (
                  <Text size="xs" c="dimmed">
                    of the voicemail of{' '}
                    <Anchor component={Link} size="xs" underline="always" to={`${base}/voicemail/${encodeURIComponent(m.box)}`}>
                      {m.box}
                    </Anchor>
                  </Text>
                )}
              </div>
            ),
          },
          { name: 'Kind', show: (m) => kindWords[m.kind], width: 110 },
          { name: 'Language', show: (m) => languageWords(m.language), width: 130 },
          { name: 'Lasts', show: (m) => span(m.length_ms / thousand), width: 90 },
          { name: 'Sound', show: (m) => <Player key={m.sha256} src={address('/v1/tenants/{tenant}/media/{media}/sound', { path: { tenant, media: m.id } })} label={m.name} file={`${m.name}.wav`} /> },
        ]}
      />
    </Page>
  );
}

// nameOf is a file's name as a flow would write it.
function nameOf(file: string): string {
  return file
    .replace(/\.[^.]*$/, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}

function Add({ tenant }: { tenant: string }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button onClick={() => setOpen(true)}>Bring a sound</Button>
      {open && (
        <Modal opened onClose={() => setOpen(false)} title="A new sound" size="lg" closeButtonProps={{ 'aria-label': 'Close' }}>
          <AddForm tenant={tenant} close={() => setOpen(false)} />
        </Modal>
      )}
    </>
  );
}

function AddForm({ tenant, close }: { tenant: string; close: () => void }) {
  const tell = useTell();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [sound, setSound] = useState<Brought>();
  const [name, setName] = useState('');
  const [language, setLanguage] = useState('');
  const [kind, setKind] = useState<Kind>('prompt');
  const add = useMutation({
    mutationFn: (s: Brought) => ask('post', '/v1/tenants/{tenant}/media', { path: { tenant }, query: { name: name.trim(), language: language.trim() || undefined, kind }, raw: { type: 'audio/wav', text: s.wav } }),
    onSuccess: async (m) => {
      tell.done(`A flow can play “${m.name}” now.`);
      await client.invalidateQueries({ queryKey: ['media', tenant] });
      close();
      await navigate(`/t/${encodeURIComponent(tenant)}/media/${encodeURIComponent(m.id)}`);
    },
  });
  return (
    <form
      onSubmit={(e) => {
        e.preventDefault();
        if (sound) add.mutate(sound);
      }}
    >
      <Stack gap="sm">
        <SoundField
          value={sound}
          onChange={(s) => {
            setSound(s);
            if (!name) setName(nameOf(s.name));
          }}
        />
        <TextInput label="Name" required description="By which flows play it. In each language there can be one of this name." value={name} onChange={(e) => setName(e.currentTarget.value)} placeholder="welcome" autoComplete="off" />
        <TextInput label="Language" description="Empty: for callers of any language." value={language} onChange={(e) => setLanguage(e.currentTarget.value)} placeholder="en, de-AT" autoComplete="off" />
        <Select label="Kind" data={kindOptions} value={kind} allowDeselect={false} onChange={(v) => v && setKind(v as Kind)} />
        {add.error && (
          <Alert color="red" role="alert" variant="light">
            {sentence(add.error)}
          </Alert>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            Leave it
          </Button>
          <Button type="submit" disabled={!sound || !name.trim()} loading={add.isPending}>
            Bring it
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
