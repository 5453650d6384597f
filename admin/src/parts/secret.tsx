import { ActionIcon, Alert, CopyButton, Group, Stack, Text } from '@mantine/core';
import { IconCheck, IconCopy, IconKey } from '@tabler/icons-react';

// Secret shows what is shown once.
export function Secret({ title, facts, close }: { title: string; facts: Record<string, string>; close: () => void }) {
  return (
    <Alert color="teal" variant="light" icon={<IconKey aria-hidden />} title={title} withCloseButton closeButtonLabel="Close" onClose={close} role="status">
      <Stack gap={4}>
        {Object.entries(facts).map(([name, value]) => (
          <Group key={name} gap="xs">
            <Text size="sm" w={110}>
              {name}
            </Text>
            <Text size="sm" className="mono" fw={600}>
              {value}
            </Text>
            <CopyButton value={value}>
              {({ copied, copy }) => (
                <ActionIcon variant="subtle" size="sm" onClick={copy} aria-label={copied ? 'Copied' : `Copy ${name}`}>
                  {copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
                </ActionIcon>
              )}
            </CopyButton>
          </Group>
        ))}
        <Text size="sm">It is not shown again.</Text>
      </Stack>
    </Alert>
  );
}
