// A call that is started here: the phones of a user ring first, and whoever answers calls the other (click to call).
import { Alert, Anchor, Button, Group, Loader, Modal, Stack, Text, TextInput } from '@mantine/core';
import { IconPhoneOutgoing } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { ask, Problem, type AnswerOf } from '../api/client';
import { useMay } from '../session';
import { callPath } from './calls';
import { UserSelect, type Chosen } from './userselect';
import { sentence } from './words';

type View = AnswerOf<'/v1/calls/{call}', 'get'>;

const look = 1000; // ms between looks at how far it is
const patience = 20; // looks at a call that nobody knows yet

export function CallButton({ tenant, to, words, small }: { tenant: string; to: string; words: string; small?: boolean }) {
  const may = useMay();
  const [open, setOpen] = useState(false);
  if (!may('calls:originate') || !may('users:read')) return null;
  return (
    <>
      <Button variant="default" size={small ? 'compact-sm' : 'sm'} leftSection={<IconPhoneOutgoing size={16} aria-hidden />} onClick={() => setOpen(true)} aria-label={to ? `${words}: ${to}` : undefined}>
        {words}
      </Button>
      {open && (
        <Modal opened onClose={() => setOpen(false)} title="Start a call" closeButtonProps={{ 'aria-label': 'Close' }}>
          <Starter tenant={tenant} to={to} close={() => setOpen(false)} />
        </Modal>
      )}
    </>
  );
}

// Whose phones rang first the last time: most call from their own.
function remembered(tenant: string): Chosen | undefined {
  try {
    const kept = JSON.parse(localStorage.getItem(`tandem-caller ${tenant}`) ?? '') as Chosen;
    return typeof kept.id === 'string' && typeof kept.name === 'string' ? kept : undefined;
  } catch {
    return undefined;
  }
}

function Starter({ tenant, to: proposed, close }: { tenant: string; to: string; close: () => void }) {
  const [user, setUser] = useState<Chosen | undefined>(() => remembered(tenant));
  const [to, setTo] = useState(proposed);
  const start = useMutation({
    mutationFn: (from: Chosen) => ask('post', '/v1/tenants/{tenant}/calls', { path: { tenant }, body: { user: from.id, to: to.trim() } }),
    onSuccess: () => user && localStorage.setItem(`tandem-caller ${tenant}`, JSON.stringify(user)),
  });
  if (start.data && user) return <Progress call={start.data.call} user={user} to={to.trim()} again={() => start.reset()} close={close} />;
  return (
    <form
      onSubmit={(e) => {
        e.preventDefault();
        if (user) start.mutate(user);
      }}
    >
      <Stack gap="sm">
        <UserSelect tenant={tenant} label="Whose phones ring first" description="Whoever answers there calls the other." value={user} onChange={setUser} />
        <TextInput label="Who is called then" description="A number or an extension, as dialled at his phone." required value={to} onChange={(e) => setTo(e.currentTarget.value)} inputMode="tel" autoComplete="off" />
        {start.error && (
          <Alert color="red" role="alert" variant="light">
            {sentence(start.error)}
          </Alert>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            Leave it
          </Button>
          <Button type="submit" loading={start.isPending} disabled={!user || !to.trim()}>
            Call
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

// wordsOf says how far a call is.
function wordsOf(v: View | undefined, user: Chosen, to: string): string {
  const answered = v?.legs?.filter((l) => l.answered_at).length ?? 0;
  if (answered === 0) return `The phones of ${user.name} ring.`;
  return answered === 1 ? `${user.name} has answered. ${to} is called.` : 'They are talking.';
}

function Progress({ call, user, to, again, close }: { call: string; user: Chosen; to: string; again: () => void; close: () => void }) {
  const view = useQuery({
    queryKey: ['call', call],
    queryFn: ({ signal }) => ask('get', '/v1/calls/{call}', { path: { call }, signal }),
    // An order is known before its call is.
    retry: (n, e) => n < patience && e instanceof Problem && e.status === 404,
    retryDelay: look,
    refetchInterval: (q) => (q.state.data?.state === 'ended' ? false : look),
  });
  const over = view.data?.state === 'ended';
  const story = useQuery({ queryKey: ['call', call, 'explanation'], queryFn: ({ signal }) => ask('get', '/v1/calls/{call}/explanation', { path: { call }, signal }), enabled: over, refetchInterval: (q) => (q.state.data?.legs.length ? false : look) });
  const now = over ? (story.data?.verdict ?? 'It is over.') : wordsOf(view.data, user, to);
  return (
    <Stack gap="md">
      <Group gap="sm" wrap="nowrap" aria-live="polite">
        {!over && <Loader size="xs" type="dots" />}
        <Text fw={600} data-testid="call-progress">
          {now}
        </Text>
      </Group>
      {view.error && !view.data && (
        <Alert color="red" role="alert" variant="light">
          {sentence(view.error)}
        </Alert>
      )}
      <Anchor component={Link} size="sm" to={callPath(call)} onClick={close}>
        The call’s page: what happens, step by step
      </Anchor>
      <Group justify="flex-end">
        {over && (
          <Button variant="default" onClick={again}>
            Call again
          </Button>
        )}
        <Button onClick={close}>Close</Button>
      </Group>
    </Stack>
  );
}
