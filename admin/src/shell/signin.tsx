import { Alert, Button, Center, Paper, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { useEffect, useState } from 'react';
import { Problem } from '../api/client';
import { sentence } from '../parts/words';
import { useSessionChanges } from '../session';
import { Mark, useBrand } from './brand';

export function SignIn() {
  const { signIn } = useSessionChanges();
  const brand = useBrand();
  useEffect(() => {
    document.title = brand.name;
  }, [brand.name]);
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [asksCode, setAsksCode] = useState(false);
  const [refused, setRefused] = useState('');
  const [busy, setBusy] = useState(false);
  const submit = async () => {
    setBusy(true);
    setRefused('');
    try {
      await signIn(email.trim(), password, code.trim());
    } catch (e) {
      const needed = e instanceof Problem && e.code === 'code_needed';
      if (needed) setAsksCode(true);
      if (!needed || asksCode) setRefused(sentence(e));
      setBusy(false);
    }
  };
  return (
    <Center component="main" mih="100vh" p="md">
      <Paper withBorder p="xl" w="100%" maw={400} shadow="sm">
        <form
          onSubmit={(e) => {
            e.preventDefault();
            void submit();
          }}
        >
          <Stack>
            <div>
              <Title order={1} size="h2">
                <Mark height={40} of={brand} />
              </Title>
              <Text c="dimmed" size="sm">
                {asksCode ? 'Now the code that your authenticator shows.' : 'Sign in to see why a call went as it did.'}
              </Text>
            </div>
            {!asksCode && (
              <>
                <TextInput label="E-mail" type="email" name="email" autoComplete="username" required value={email} onChange={(e) => setEmail(e.currentTarget.value)} data-autofocus />
                <PasswordInput label="Password" name="password" autoComplete="current-password" required value={password} onChange={(e) => setPassword(e.currentTarget.value)} />
              </>
            )}
            {asksCode && (
              <TextInput label="Code" name="code" inputMode="numeric" autoComplete="one-time-code" pattern="[0-9]{6}" maxLength={6} required autoFocus value={code} onChange={(e) => setCode(e.currentTarget.value)} />
            )}
            {refused && (
              <Alert color="red" role="alert" variant="light">
                {refused}
              </Alert>
            )}
            <Button type="submit" loading={busy} fullWidth>
              Sign in
            </Button>
            {asksCode && (
              <Button variant="subtle" onClick={() => (setAsksCode(false), setRefused(''), setCode(''))}>
                Back
              </Button>
            )}
          </Stack>
        </form>
      </Paper>
    </Center>
  );
}
