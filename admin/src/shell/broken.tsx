import { Button, Center, Stack, Text, Title } from '@mantine/core';
import { useRouteError } from 'react-router';

// Broken is shown when a page fails while it is drawn, or its part of the program is not there any more, as after a new release.
export function Broken() {
  const error = useRouteError();
  const gone = error instanceof TypeError && /import|module/i.test(error.message);
  return (
    <Center mih="60vh" p="md">
      <Stack align="center" ta="center" maw={460}>
        <Title order={1} size="h2">
          {gone ? 'There is a newer release' : 'This page has failed'}
        </Title>
        <Text c="dimmed">{gone ? 'Load the page again to get it. What you have saved is saved.' : 'That is our fault, and nothing was changed by it. Load the page again.'}</Text>
        {!gone && error instanceof Error && (
          <Text size="xs" c="dimmed" className="mono">
            {error.message}
          </Text>
        )}
        <Button onClick={() => window.location.reload()}>Load again</Button>
      </Stack>
    </Center>
  );
}
