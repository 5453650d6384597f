// A voicemail box: its messages, who can open it, and what callers hear first.
import { Alert, Anchor, Badge, Button, Group, Paper, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useParams } from 'react-router';
import { address, ask, type Schemas } from '../api/client';
import { usePages } from '../api/lists';
import { callPath } from '../parts/calls';
import { Confirm } from '../parts/confirm';
import { FormButton } from '../parts/form';
import { languageField, languageWords } from '../parts/languages';
import { Page } from '../parts/page';
import { List, Rows } from '../parts/rows';
import { Player, SoundField, type Brought } from '../parts/sound';
import { Answer } from '../parts/states';
import { Time } from '../parts/time';
import { useTell } from '../parts/told';
import { span } from '../parts/words';
import { useMay } from '../session';
import { useTheTenant } from '../shell/tenant';

type Whole = Schemas['WholeBox'];
type Message = Schemas['MessageView'];

export default function Box() {
  const tenant = useTheTenant();
  const { box = '' } = useParams();
  const may = useMay();
  const base = `/t/${encodeURIComponent(tenant)}`;
  const row = useQuery({ queryKey: ['box', tenant, box], queryFn: ({ signal }) => ask('get', '/v1/tenants/{tenant}/voicemail/{box}', { path: { tenant, box }, signal }) });
  return (
    <Answer of={row}>
      {(b) => (
        <Page
          title={`Voicemail of ${b.name}`}
          about={
            <>
              extension {b.extension}
              {may('users:read') && (
                <>
                  {' '}
                  · <Anchor component={Link} size="sm" underline="always" to={`${base}/users/${encodeURIComponent(b.box)}`}>the user</Anchor>
                </>
              )}
            </>
          }
          back={{ to: `${base}/voicemail`, words: 'Voicemail' }}
        >
          <Messages tenant={tenant} of={b} />
          <SimpleGrid cols={{ base: 1, md: 2 }}>
            <PIN tenant={tenant} of={b} />
            <Greetings tenant={tenant} of={b} />
          </SimpleGrid>
        </Page>
      )}
    </Answer>
  );
}

// useAnew reads all anew that counts messages.
function useAnew(tenant: string) {
  const client = useQueryClient();
  return () => Promise.all(['box', 'boxes', 'messages'].map((key) => client.invalidateQueries({ queryKey: [key, tenant] })));
}

function Messages({ tenant, of: b }: { tenant: string; of: Whole }) {
  const may = useMay();
  const anew = useAnew(tenant);
  const [fresh, setFresh] = useState(false);
  const messages = usePages(['messages', tenant, b.box, fresh], async (cursor, signal) => {
    const page = await ask('get', '/v1/tenants/{tenant}/voicemail/{box}/messages', { path: { tenant, box: b.box }, query: { limit: 50, cursor, ...(fresh ? { new: '1' } : {}) }, signal });
    return { items: page.messages, next: page.next };
  });
  return (
    <>
      <Group justify="space-between" gap="sm">
        <Title order={2} size="h4">
          {`${b.new.toLocaleString()} new, ${b.heard.toLocaleString()} heard`}
        </Title>
        <Group gap="xs">
          <Button size="compact-sm" variant="default" aria-pressed={fresh} onClick={() => setFresh(!fresh)}>
            {fresh ? 'Show all' : 'Show the new alone'}
          </Button>
          <Button size="compact-sm" variant="default" onClick={() => void anew()}>
            Look again
          </Button>
        </Group>
      </Group>
      <List
        of={messages}
        label="Messages"
        id={(m) => m.id}
        empty={{ title: fresh ? 'No new messages' : 'No messages', words: 'What callers leave here shows up with who called, and can be heard here or by telephone.' }}
        columns={[
          {
            name: 'When',
            show: (m) => (
              <Anchor component={Link} size="sm" to={callPath(m.call)} title="The call">
                <Time at={m.at} />
              </Anchor>
            ),
            width: 130,
          },
          { name: 'From', show: (m) => <div><bdi style={{ fontWeight: m.heard_at ? 400 : 650 }}>{m.from || 'hidden'}</bdi>{m.from_name && <Text size="xs" c="dimmed"><bdi>{m.from_name}</bdi></Text>}</div> },
          { name: 'State', show: (m) => (m.heard_at ? <Text size="sm" c="dimmed">heard <Time at={m.heard_at} /></Text> : <Badge variant="light" radius="sm" tt="none">new</Badge>), width: 140 },
          { name: 'Lasts', show: (m) => span(m.seconds), width: 80 },
          { name: 'Sound', show: (m) => (m.filed ? <Player src={address('/v1/tenants/{tenant}/voicemail/{box}/messages/{message}/sound', { path: { tenant, box: b.box, message: m.id } })} label={`Message from ${m.from || 'an unknown caller'}, ${m.at}`} file={`${m.id}.wav`} /> : <Badge variant="light" color="blue" radius="sm" tt="none">being filed</Badge>) },
          { name: '', end: true, show: (m) => may('voicemail:write') && <Acts tenant={tenant} box={b.box} of={m} anew={anew} /> },
        ]}
      />
      <Text size="sm" c="dimmed">
        To hear a message here does not mark it as heard: its owner still finds it new.
      </Text>
    </>
  );
}

function Acts({ tenant, box, of: m, anew }: { tenant: string; box: string; of: Message; anew: () => Promise<unknown> }) {
  const tell = useTell();
  const path = { tenant, box, message: m.id };
  const mark = useMutation({
    mutationFn: async () => {
      await (m.heard_at ? ask('post', '/v1/tenants/{tenant}/voicemail/{box}/messages/{message}/unheard', { path }) : ask('post', '/v1/tenants/{tenant}/voicemail/{box}/messages/{message}/heard', { path }));
      await anew();
    },
    onError: tell.failed,
  });
  return (
    <Group gap={6} justify="flex-end">
      <Button size="compact-sm" variant="default" loading={mark.isPending} onClick={() => mark.mutate()} aria-label={`${m.heard_at ? 'Mark as new' : 'Mark as heard'}: message from ${m.from || 'an unknown caller'}`}>
        {m.heard_at ? 'Mark as new' : 'Mark as heard'}
      </Button>
      <Confirm words="Delete" label={`Delete the message from ${m.from || 'an unknown caller'}`} title="Delete this message?" sure="Delete" done="Deleted." act={() => ask('delete', '/v1/tenants/{tenant}/voicemail/{box}/messages/{message}', { path }).then(anew)}>
        The message from <bdi>{m.from || 'an unknown caller'}</bdi> of {span(m.seconds)} cannot be heard any more, here or by telephone.
      </Confirm>
    </Group>
  );
}

function PIN({ tenant, of: b }: { tenant: string; of: Whole }) {
  const may = useMay();
  const tell = useTell();
  const anew = useAnew(tenant);
  const path = { tenant, box: b.box };
  return (
    <Paper withBorder p="md" component="section" aria-label="PIN">
      <Title order={2} size="h4" mb="xs">
        By telephone
      </Title>
      <Stack gap="sm" align="flex-start">
        <Text size="sm">{b.pin ? 'Whoever knows its PIN can open the box from any telephone.' : 'It has no PIN: nobody can open it by telephone. It takes messages all the same.'}</Text>
        {b.locked_until && (
          <Alert color="orange" variant="light" title="Locked by wrong PINs">
            Until <Time at={b.locked_until} />. Another PIN opens it at once.
          </Alert>
        )}
        {may('voicemail:write') && (
          <Group gap="xs">
            <FormButton
              small
              words={b.pin ? 'Give it another PIN' : 'Give it a PIN'}
              title={`PIN of ${b.name}’s voicemail`}
              fields={[{ name: 'pin', label: 'PIN', kind: 'password', required: true, description: '4 to 10 digits. It is not shown again.' }]}
              submit="Set the PIN"
              act={async (v) => {
                await ask('post', '/v1/tenants/{tenant}/voicemail/{box}/pin', { path, body: { pin: String(v.pin ?? '') } });
                tell.done('The PIN is set.');
                await anew();
              }}
            />
            {b.pin && (
              <Confirm words="Take it away" title="Take the PIN away?" sure="Take it away" done="Nobody can open it by telephone." act={() => ask('delete', '/v1/tenants/{tenant}/voicemail/{box}/pin', { path }).then(anew)}>
                Nobody can open the box by telephone any more. Its messages stay, and it takes others.
              </Confirm>
            )}
          </Group>
        )}
      </Stack>
    </Paper>
  );
}

const thousand = 1000; // ms in a second

function Greetings({ tenant, of: b }: { tenant: string; of: Whole }) {
  const may = useMay();
  const tell = useTell();
  const anew = useAnew(tenant);
  const path = { tenant, box: b.box };
  const set = async (language: string, wav: Blob) => {
    await ask('put', '/v1/tenants/{tenant}/voicemail/{box}/greeting', { path, query: { language: language || undefined }, raw: { type: 'audio/wav', text: wav } });
    tell.done('Callers hear it from now on.');
    await anew();
  };
  return (
    <Paper withBorder component="section" aria-label="Greetings">
      <Group justify="space-between" p="md" pb="xs">
        <Title order={2} size="h4">
          Greetings
        </Title>
        {may('voicemail:write') && <AddGreeting set={set} />}
      </Group>
      {b.greetings.length === 0 ? (
        <Text size="sm" px="md" pb="md">
          It has none of its own: callers hear the usual one.
        </Text>
      ) : (
        <Rows
          rows={b.greetings}
          id={(g) => g.language ?? ''}
          label="Greetings"
          columns={[
            { name: 'Language', show: (g) => languageWords(g.language), width: 120 },
            { name: 'Sound', show: (g) => <Player src={address('/v1/tenants/{tenant}/voicemail/{box}/greeting', { path, query: { language: g.language } })} key={g.sha256} label={`Greeting, ${languageWords(g.language)}`} file={`greeting-${b.box}.wav`} /> },
            { name: 'Lasts', show: (g) => span(g.length_ms / thousand), width: 80 },
            {
              name: '',
              end: true,
              show: (g) =>
                may('voicemail:write') && (
                  <Confirm words="Remove" label={`Remove the greeting, ${languageWords(g.language)}`} title="Remove this greeting?" sure="Remove" done="Removed." act={() => ask('delete', '/v1/tenants/{tenant}/voicemail/{box}/greeting', { path, query: { language: g.language } }).then(anew)}>
                    Callers hear another of its greetings, or the usual one.
                  </Confirm>
                ),
            },
          ]}
        />
      )}
    </Paper>
  );
}

function AddGreeting({ set }: { set: (language: string, wav: Blob) => Promise<void> }) {
  const [sound, setSound] = useState<Brought>();
  return (
    <FormButton
      small
      words="Bring a greeting"
      title="A greeting"
      fields={[languageField]}
      submit="Bring it"
      act={async (v) => {
        if (!sound) throw new Error('Choose a file first.');
        await set(String(v.language ?? ''), sound.wav);
        setSound(undefined);
      }}
    >
      <SoundField value={sound} onChange={setSound} />
    </FormButton>
  );
}
