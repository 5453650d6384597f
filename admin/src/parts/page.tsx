import { Anchor, Group, Stack, Text, Title } from '@mantine/core';
import { useEffect, type ReactNode } from 'react';
import { Link } from 'react-router';
import { useBrand } from '../shell/brand';

// Page is the frame of each page: its title, what it is about, and what can be done with it.
export function Page({ title, about, actions, back, children }: { title: string; about?: ReactNode; actions?: ReactNode; back?: { to: string; words: string }; children: ReactNode }) {
  const { name } = useBrand();
  useEffect(() => {
    document.title = `${title} · ${name}`;
  }, [title, name]);
  return (
    <Stack gap="md">
      <Group justify="space-between" align="flex-end" gap="sm">
        <div style={{ minWidth: 0, flex: '1 1 260px' }}>
          {back && (
            <Anchor component={Link} to={back.to} size="sm">
              ‹ {back.words}
            </Anchor>
          )}
          <Title order={1} size="h2">
            {title}
          </Title>
          {about && (
            <Text c="dimmed" size="sm" mt={2} component="div">
              {about}
            </Text>
          )}
        </div>
        {actions && <Group gap="xs">{actions}</Group>}
      </Group>
      {children}
    </Stack>
  );
}
