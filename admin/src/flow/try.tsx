// A call that nobody makes: what would happen to it, step by step. Its way lights up on the canvas.
import { Alert, Button, Checkbox, Group, Paper, SimpleGrid, Stack, TagsInput, Text, TextInput, Title } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { ask, type Schemas } from '../api/client';
import { Fault } from '../parts/fault';
import { Steps } from '../parts/steps';
import { sentence } from '../parts/words';

interface Props {
  tenant: string;
  flow: string;
  unsaved: boolean;
  save: (() => Promise<unknown>) | undefined; // undefined: it cannot be saved as it is, or by him
  told: (answer: Schemas['Explanation'] | undefined) => void;
}

export function Try({ tenant, flow, unsaved, save, told }: Props) {
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const [digits, setDigits] = useState<string[]>([]);
  const [nobody, setNobody] = useState(false);
  const [when, setWhen] = useState('');
  const attempt = useMutation({
    mutationFn: async (draft: boolean) => {
      told(undefined);
      if (draft && unsaved && save) await save();
      return ask('post', '/v1/tenants/{tenant}/dry-run', { path: { tenant }, body: { from: from.trim(), to: to.trim(), digits, nobody_answers: nobody, draft, ...(when ? { at: new Date(when).toISOString() } : {}) } as never });
    },
    onSuccess: told,
  });
  const elsewhere = attempt.data && !attempt.data.lines.some((l) => l.flow === flow);
  return (
    <Paper withBorder p="md" component="section" aria-label="Try a call">
      <form
        onSubmit={(e) => {
          e.preventDefault();
          attempt.mutate(true);
        }}
      >
        <Stack gap="sm">
          <Title order={2} size="h4">
            Try a call
          </Title>
          <SimpleGrid cols={{ base: 1, xs: 2 }}>
            <TextInput label="From" required placeholder="+4930123456 or ada@domain" description="A number outside, or a device" value={from} onChange={(e) => setFrom(e.currentTarget.value)} />
            <TextInput label="To" required placeholder="+4930901820" description="What is dialled" value={to} onChange={(e) => setTo(e.currentTarget.value)} />
          </SimpleGrid>
          <TagsInput label="Keys at each prompt" placeholder="1" value={digits} onChange={setDigits} acceptValueOnBlur />
          <TextInput label="When" type="datetime-local" description="Now, unless you say otherwise; by your own clock." value={when} onChange={(e) => setWhen(e.currentTarget.value)} />
          <Checkbox label="as if nobody answered" checked={nobody} onChange={(e) => setNobody(e.currentTarget.checked)} />
          {unsaved && !save && <Text size="sm" c="dimmed">What is not saved is not tried.</Text>}
          <Group gap="xs">
            <Button type="submit" loading={attempt.isPending && attempt.variables === true}>
              {unsaved && save ? 'Save, and try with the drafts' : 'Try with the drafts'}
            </Button>
            <Button variant="default" loading={attempt.isPending && attempt.variables === false} onClick={() => from && to && attempt.mutate(false)}>
              As it is live
            </Button>
          </Group>
          <div aria-live="polite">
            {attempt.error && (
              <Alert color="red" role="alert">
                {sentence(attempt.error)}
              </Alert>
            )}
            {attempt.data && (
              <Stack gap="xs">
                <Group gap="xs">
                  <Text fw={600} data-testid="tried">
                    {attempt.data.verdict}
                  </Text>
                  {attempt.data.fault !== 'none' && <Fault fault={attempt.data.fault} />}
                </Group>
                {elsewhere && <Text size="sm">It does not come to this flow.</Text>}
                <Steps lines={attempt.data.lines} />
              </Stack>
            )}
          </div>
        </Stack>
      </form>
    </Paper>
  );
}
