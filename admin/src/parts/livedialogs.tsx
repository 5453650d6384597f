// What can be done with a live call: one dialog, whichever call of a list it is about.
import { Alert, Button, Group, Modal, Radio, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { ask, type AnswerOf } from '../api/client';
import { callPath, Parties } from './calls';
import { Form } from './form';
import { useTell } from './told';
import { UserSelect, type Chosen } from './userselect';
import { sentence } from './words';

type Call = AnswerOf<'/v1/calls', 'get'>['calls'][number];
type Mode = 'listen' | 'whisper' | 'barge';

export interface Doing {
  what: 'hangup' | 'transfer' | 'listen' | 'record';
  call: Call;
}

const titles = { hangup: 'End this call?', transfer: 'Transfer to', listen: 'Listen in', record: 'Record this call?' };

export default function LiveDialog({ doing: { what, call }, close, done }: { doing: Doing; close: () => void; done: () => void }) {
  const over = () => {
    done();
    close();
  };
  return (
    <Modal opened onClose={close} title={titles[what]} size={what === 'transfer' ? 'lg' : 'md'} closeButtonProps={{ 'aria-label': 'Close' }} centered={what === 'hangup'}>
      {what === 'hangup' && <HangUp call={call} close={close} over={over} />}
      {what === 'transfer' && <Transfer call={call} close={close} over={over} />}
      {what === 'listen' && <Listen call={call} close={close} />}
      {what === 'record' && <Record call={call} close={close} over={over} />}
    </Modal>
  );
}

interface One {
  call: Call;
  close: () => void;
  over: () => void;
}

function Buttons({ close, words, busy, act, colour }: { close: () => void; words: string; busy: boolean; act?: () => void; colour?: string }) {
  return (
    <Group justify="flex-end" mt="sm">
      <Button variant="default" onClick={close}>
        Leave it
      </Button>
      <Button type={act ? 'button' : 'submit'} color={colour} loading={busy} onClick={act} data-autofocus={act ? true : undefined}>
        {words}
      </Button>
    </Group>
  );
}

function Wrong({ error }: { error: unknown }) {
  if (!error) return null;
  return (
    <Alert color="red" role="alert" variant="light" mt="sm">
      {sentence(error)}
    </Alert>
  );
}

function HangUp({ call, close, over }: One) {
  const tell = useTell();
  const end = useMutation({
    mutationFn: () => ask('post', '/v1/calls/{call}/hangup', { path: { call: call.call }, body: { reason: 'by the admin' } }),
    onSuccess: (a) => {
      tell.done(a.detail);
      over();
    },
  });
  return (
    <>
      <Text size="sm" component="div">
        <Parties from={call.from} to={call.to} /> will be cut off at once. It is written down who did it.
      </Text>
      <Wrong error={end.error} />
      <Buttons close={close} words="Hang up" busy={end.isPending} act={() => end.mutate()} colour="red" />
    </>
  );
}

function Transfer({ call, close, over }: One) {
  const tell = useTell();
  return (
    <Form
      fields={[
        { name: 'to', label: 'Number or extension', required: true, placeholder: '102' },
        { name: 'leg', label: 'Who is transferred', kind: 'select', options: (call.legs ?? []).map((l) => ({ value: l.leg, label: `${l.role}${l.device || l.trunk ? `: ${l.device ?? l.trunk}` : ''}` })), description: 'Unless given: whom the flow drives.' },
      ]}
      submit="Transfer"
      cancel={close}
      act={async (v) => {
        const answer = await ask('post', '/v1/calls/{call}/transfer', { path: { call: call.call }, body: { to: String(v.to ?? ''), ...(v.leg ? { leg: String(v.leg) } : {}) } });
        tell.done(answer.detail);
        over();
      }}
    />
  );
}

const modes: { mode: Mode; words: string; about: string }[] = [
  { mode: 'listen', words: 'Listen', about: 'Nobody hears you.' },
  { mode: 'whisper', words: 'Whisper', about: 'One side hears you too: the phone of this tenant.' },
  { mode: 'barge', words: 'Barge in', about: 'Both sides hear you.' },
];

function Listen({ call, close }: { call: Call; close: () => void }) {
  const [user, setUser] = useState<Chosen>();
  const [mode, setMode] = useState<Mode>('listen');
  const listen = useMutation({ mutationFn: (by: Chosen) => ask('post', '/v1/calls/{call}/listen', { path: { call: call.call }, body: { user: by.id, mode } }) });
  if (listen.data && user) {
    return (
      <Stack gap="md">
        <Text fw={600} data-testid="listening">
          {listen.data.state === 'ended' ? 'It is over.' : `The phones of ${user.name} ring: whoever answers hears the call.`}
        </Text>
        <Link to={callPath(listen.data.call)} onClick={close}>
          That call’s page
        </Link>
        <Group justify="flex-end">
          <Button onClick={close}>Close</Button>
        </Group>
      </Stack>
    );
  }
  return (
    <form
      onSubmit={(e) => {
        e.preventDefault();
        if (user) listen.mutate(user);
      }}
    >
      <Stack gap="sm">
        <Text size="sm" component="div">
          <Parties from={call.from} to={call.to} /> is heard by whoever answers. It is written down who did it. The law of many countries wants those who talk to be told.
        </Text>
        <UserSelect tenant={call.tenant} label="Whose phones ring" description="Whoever answers there hears the call." value={user} onChange={setUser} />
        <Radio.Group label="Who hears you" value={mode} onChange={(v) => setMode(v as Mode)}>
          <Stack gap={6} mt={6}>
            {modes.map((m) => (
              <Radio key={m.mode} value={m.mode} label={m.words} description={m.about} />
            ))}
          </Stack>
        </Radio.Group>
        <Wrong error={listen.error} />
        <Buttons close={close} words="Ring" busy={listen.isPending} />
      </Stack>
    </form>
  );
}

function Record({ call, close, over }: One) {
  const tell = useTell();
  const path = { call: call.call };
  const record = useMutation({
    mutationFn: () => (call.recorded ? ask('delete', '/v1/calls/{call}/record', { path }) : ask('post', '/v1/calls/{call}/record', { path, body: {} })),
    onSuccess: (a) => {
      tell.done(a.detail);
      over();
    },
  });
  return (
    <>
      <Text size="sm" component="div">
        {call.recorded ? (
          <>The recording of <Parties from={call.from} to={call.to} /> ends, and what was recorded is kept on the call’s page.</>
        ) : (
          <>Both sides of <Parties from={call.from} to={call.to} /> are recorded from now on. It is written down who did it. The law of many countries wants those who talk to be told.</>
        )}
      </Text>
      <Wrong error={record.error} />
      <Buttons close={close} words={call.recorded ? 'End the recording' : 'Record'} busy={record.isPending} act={() => record.mutate()} />
    </>
  );
}
