// What leads a newcomer to his first call: what is done is struck through as it happens, and each step says what to do.
import { Anchor, Badge, Group, Paper, Stack, Text, ThemeIcon, Title } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Link } from 'react-router';

export interface Step {
  done: boolean;
  words: string;
  to: string;
  more: ReactNode; // how it is done
}

const size = 26; // px

export function FirstSteps({ title, steps }: { title: string; steps: Step[] }) {
  const next = steps.findIndex((s) => !s.done);
  return (
    <Paper withBorder p="md" component="section" aria-label="First steps">
      <Title order={2} size="h4" mb="sm">
        {title}
      </Title>
      <Stack component="ol" gap="sm" m={0} p={0} style={{ listStyle: 'none' }}>
        {steps.map((s, i) => (
          <Group component="li" key={s.words} gap="sm" wrap="nowrap" align="flex-start" aria-current={i === next ? 'step' : undefined}>
            <ThemeIcon radius="xl" size={size} variant={i === next ? 'filled' : 'light'} color={s.done ? 'teal' : i === next ? undefined : 'gray'} aria-hidden>
              {s.done ? <IconCheck size={15} /> : i + 1}
            </ThemeIcon>
            <div>
              <Anchor component={Link} to={s.to} size="sm" fw={i === next ? 650 : 500} td={s.done ? 'line-through' : undefined}>
                {s.words}
              </Anchor>{' '}
              {s.done && (
                <Badge size="xs" variant="light" color="teal" tt="none">
                  done
                </Badge>
              )}
              {i === next && (
                <Text size="sm" c="dimmed">
                  {s.more}
                </Text>
              )}
            </div>
          </Group>
        ))}
      </Stack>
    </Paper>
  );
}
