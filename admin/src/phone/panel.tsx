// What the phone shows and lets do.
import { ActionIcon, Alert, Anchor, Box, Button, CloseButton, Group, Loader, SimpleGrid, Stack, Text, TextInput } from '@mantine/core';
import {
  IconArrowForwardUp, IconDialpad, IconMicrophone, IconMicrophoneOff, IconPhone, IconPhoneCheck, IconPhoneOff, IconPlayerPause, IconPlayerPlay, IconPower,
} from '@tabler/icons-react';
import { useEffect, useState, type ReactNode } from 'react';
import { Link } from 'react-router';
import { Since } from '../parts/time';
import { useMay } from '../session';
import { controlsOf, switchOff, usePhone, type Talk } from './line';
import { Owners } from './owners';

const keys = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'];
const longest = 64; // letters of a number

export default function Panel({ close }: { close: () => void }) {
  const { line, talk, trouble, owner, ended } = usePhone();
  const may = useMay();
  return (
    <Stack gap="sm">
      <Group justify="space-between" wrap="nowrap">
        <Box style={{ minWidth: 0 }}>
          <Text fw={650} truncate>
            {owner ? owner.name : 'Phone'}
          </Text>
          <Text size="xs" c="dimmed" role="status">
            {line === 'off' && 'switched off'}
            {line === 'starting' && 'being switched on …'}
            {line === 'ready' && `extension ${owner?.extension}`}
            {line === 'lost' && 'not connected'}
          </Text>
        </Box>
        <Group gap={4} wrap="nowrap">
          {line !== 'off' && (
            <ActionIcon variant="subtle" color="gray" size="lg" aria-label="Switch the phone off" onClick={() => switchOff()}>
              <IconPower size={19} />
            </ActionIcon>
          )}
          <CloseButton size="lg" aria-label="Hide the phone" onClick={close} />
        </Group>
      </Group>
      {line === 'lost' && (
        <Alert color="orange" variant="light" role="alert" title="The connection is lost">
          {talk?.stage === 'talking' ? 'You may still hear each other. ' : 'Nobody can ring you meanwhile. '}It is being made again.
        </Alert>
      )}
      {trouble && (
        <Alert color="red" variant="light" role="alert">
          {trouble}
        </Alert>
      )}
      {line === 'off' && <Owners />}
      {line === 'starting' && <Loader size="sm" mx="auto" />}
      {talk && <Talking talk={talk} />}
      {!talk && ended && (
        <Text size="sm" role="status">
          {ended.words}{' '}
          {may('calls:read') && (
            <Anchor component={Link} to={`/search?${new URLSearchParams({ q: ended.callID })}`} size="sm" underline="always">
              How it went
            </Anchor>
          )}
        </Text>
      )}
      {!talk && (line === 'ready' || line === 'lost') && <Dial words="Call" icon={<IconPhone size={18} />} disabled={line !== 'ready'} go={(n) => controlsOf()?.call(n)} pad />}
    </Stack>
  );
}

function Talking({ talk }: { talk: Talk }) {
  const [more, setMore] = useState<'keys' | 'transfer'>();
  const [pressed, setPressed] = useState('');
  useEffect(() => {
    if (talk.stage !== 'talking') setMore(undefined);
  }, [talk.stage]);
  const control = controlsOf();
  if (!control) return null;
  const rings = talk.incoming && talk.stage === 'ringing';
  const toggle = (what: 'keys' | 'transfer') => setMore(more === what ? undefined : what);
  return (
    <Stack gap="sm">
      <Box ta="center" data-testid="talk">
        <Text size="sm" c="dimmed">
          {talk.passing ? 'Being transferred' : talk.stage === 'talking' ? (talk.held ? 'On hold' : talk.heldByThem ? 'They hold you' : 'Talking') : rings ? 'Calls you' : talk.stage === 'ringing' ? 'It rings there' : 'Calling'}
        </Text>
        <Text size="lg" fw={650}>
          {talk.name || talk.number}
        </Text>
        {talk.name && talk.name !== talk.number && (
          <Text size="sm" c="dimmed" className="mono">
            {talk.number}
          </Text>
        )}
        {talk.since && (
          <Text size="sm">
            <Since at={talk.since} />
          </Text>
        )}
      </Box>
      {talk.stage === 'talking' && (
        <SimpleGrid cols={4} spacing="xs">
          <Tool words={talk.muted ? 'Speak' : 'Mute'} on={talk.muted} press={() => control.mute(!talk.muted)} icon={talk.muted ? <IconMicrophoneOff size={20} /> : <IconMicrophone size={20} />} />
          <Tool words={talk.held ? 'Resume' : 'Hold'} on={talk.held} press={() => control.hold(!talk.held)} icon={talk.held ? <IconPlayerPlay size={20} /> : <IconPlayerPause size={20} />} />
          <Tool words="Keys" on={more === 'keys'} press={() => toggle('keys')} icon={<IconDialpad size={20} />} />
          <Tool words="Transfer" on={more === 'transfer'} press={() => toggle('transfer')} icon={<IconArrowForwardUp size={20} />} />
        </SimpleGrid>
      )}
      {more === 'keys' && (
        <>
          <Text ta="center" className="mono" aria-live="polite" mih={22}>
            {pressed.slice(-20)}
          </Text>
          <Pad press={(k) => (control.key(k), setPressed(pressed + k))} />
        </>
      )}
      {more === 'transfer' && <Dial words="Transfer" icon={<IconArrowForwardUp size={18} />} disabled={talk.passing} go={control.transfer} />}
      <Group grow>
        {rings && (
          <Button color="teal.9" leftSection={<IconPhoneCheck size={18} />} onClick={control.answer}>
            Answer
          </Button>
        )}
        <Button color="red.9" leftSection={<IconPhoneOff size={18} />} onClick={control.hangUp}>
          {rings ? 'Reject' : 'Hang up'}
        </Button>
      </Group>
    </Stack>
  );
}

function Tool({ words, icon, on, press }: { words: string; icon: ReactNode; on?: boolean; press: () => void }) {
  return (
    <Stack gap={2} align="center">
      <ActionIcon variant={on ? 'filled' : 'default'} size={44} radius="xl" aria-label={words} aria-pressed={Boolean(on)} onClick={press}>
        {icon}
      </ActionIcon>
      <Text size="xs" aria-hidden>
        {words}
      </Text>
    </Stack>
  );
}

// Dial asks for a number.
function Dial({ words, icon, disabled, go, pad }: { words: string; icon: ReactNode; disabled?: boolean; go: (number: string) => void; pad?: boolean }) {
  const [number, setNumber] = useState('');
  const [wrong, setWrong] = useState(false);
  return (
    <form
      onSubmit={(e) => {
        e.preventDefault();
        void import('./sip').then(({ dialled }) => {
          setWrong(!dialled(number));
          if (dialled(number)) go(number);
        });
      }}
    >
      <Stack gap="xs">
        <TextInput
          label={words === 'Call' ? 'Number or extension' : 'Transfer to'}
          value={number}
          onChange={(e) => setNumber(e.currentTarget.value)}
          error={wrong && 'That is no number.'}
          maxLength={longest}
          inputMode="tel"
          autoComplete="off"
          required
          withAsterisk={false}
        />
        {pad && <Pad press={(k) => setNumber((n) => (n + k).slice(0, longest))} />}
        <Button type="submit" color="teal.9" leftSection={icon} disabled={disabled} fullWidth>
          {words}
        </Button>
      </Stack>
    </form>
  );
}

function Pad({ press }: { press: (key: string) => void }) {
  return (
    <SimpleGrid cols={3} spacing={6} role="group" aria-label="Keypad">
      {keys.map((k) => (
        <Button key={k} variant="default" size="compact-lg" onClick={() => press(k)} aria-label={k === '*' ? 'Star' : k === '#' ? 'Hash' : k}>
          {k}
        </Button>
      ))}
    </SimpleGrid>
  );
}
