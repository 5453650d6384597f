import { Alert, Button, Code, Paper, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { ask } from '../api/client';
import { Page } from '../parts/page';
import { useTell } from '../parts/told';
import { sentence } from '../parts/words';
import { useSelf } from '../session';

export default function Own() {
  const self = useSelf();
  return (
    <Page title="Your account" about={`${self.role?.replace('_', ' ') ?? self.actor}${self.tenant ? ` at ${self.tenant}` : ''}`}>
      {self.acting_as ? (
        <Alert color="orange">Be yourself again to change your password or second factor.</Alert>
      ) : (
        <Stack maw={480}>
          <Password />
          <SecondFactor />
        </Stack>
      )}
    </Page>
  );
}

function Password() {
  const tell = useTell();
  const [current, setCurrent] = useState('');
  const [fresh, setFresh] = useState('');
  const change = useMutation({
    mutationFn: () => ask('put', '/v1/self/password', { body: { current, new: fresh } }),
    onSuccess: () => {
      tell.done('Your password is changed.');
      setCurrent('');
      setFresh('');
    },
  });
  return (
    <Paper withBorder p="md">
      <form
        onSubmit={(e) => {
          e.preventDefault();
          change.mutate();
        }}
      >
        <Stack>
          <Title order={2} size="h4">
            Password
          </Title>
          <PasswordInput label="Current password" autoComplete="current-password" required value={current} onChange={(e) => setCurrent(e.currentTarget.value)} />
          <PasswordInput label="New password" description="10 letters at least." autoComplete="new-password" minLength={10} required value={fresh} onChange={(e) => setFresh(e.currentTarget.value)} />
          {change.error && <Alert color="red">{sentence(change.error)}</Alert>}
          <Button type="submit" loading={change.isPending}>
            Change it
          </Button>
        </Stack>
      </form>
    </Paper>
  );
}

function SecondFactor() {
  const tell = useTell();
  const [code, setCode] = useState('');
  const begin = useMutation({ mutationFn: () => ask('post', '/v1/self/totp'), onError: tell.failed });
  const confirm = useMutation({
    mutationFn: () => ask('post', '/v1/self/totp/confirm', { body: { code } }),
    onSuccess: () => {
      tell.done('The second factor is on.');
      begin.reset();
      setCode('');
    },
  });
  const remove = useMutation({ mutationFn: () => ask('post', '/v1/self/totp/remove', { body: { code } }), onSuccess: () => (tell.done('The second factor is off.'), setCode('')) });
  const refused = confirm.error ?? remove.error;
  return (
    <Paper withBorder p="md">
      <Stack>
        <Title order={2} size="h4">
          Second factor
        </Title>
        <Text size="sm" c="dimmed">
          With it, signing in asks for a code of an authenticator (TOTP) besides the password.
        </Text>
        {begin.data && (
          <Stack gap={4}>
            <Text size="sm">Enter this secret in your authenticator, or open the address on the device that has it. It is not shown again.</Text>
            <Code block>{begin.data.secret}</Code>
            <Code block style={{ whiteSpace: 'pre-wrap' }}>
              {begin.data.uri}
            </Code>
          </Stack>
        )}
        <TextInput label="Code that it shows" inputMode="numeric" maxLength={6} value={code} onChange={(e) => setCode(e.currentTarget.value)} />
        {refused && <Alert color="red">{sentence(refused)}</Alert>}
        {begin.data ? (
          <Button onClick={() => confirm.mutate()} loading={confirm.isPending} disabled={code.length !== 6}>
            Turn it on
          </Button>
        ) : (
          <Button variant="default" onClick={() => begin.mutate()} loading={begin.isPending}>
            Set up a second factor
          </Button>
        )}
        <Button variant="subtle" color="red" onClick={() => remove.mutate()} loading={remove.isPending} disabled={code.length !== 6 || Boolean(begin.data)}>
          Turn it off
        </Button>
      </Stack>
    </Paper>
  );
}
