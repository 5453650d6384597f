import { Anchor, List as Bullets, Paper, SimpleGrid, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from 'react-router';
import { ask } from '../api/client';
import { Page } from '../parts/page';
import { Answer } from '../parts/states';
import { Time } from '../parts/time';
import { useTheTenant } from '../shell/tenant';

export default function Version() {
  const tenant = useTheTenant();
  const { version = '' } = useParams();
  const before = Number(version) - 1;
  return (
    <Page title={`Version ${version}`} about={`of ${tenant}’s configuration`} back={{ to: `/t/${encodeURIComponent(tenant)}/flows?show=versions`, words: 'Versions' }}>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        {before > 0 && <Diff title="What it changed" tenant={tenant} from={String(before)} to={version} />}
        <Diff title="What has changed since" tenant={tenant} from={version} to="live" />
      </SimpleGrid>
    </Page>
  );
}

function Diff({ title, tenant, from, to }: { title: string; tenant: string; from: string; to: string }) {
  const diff = useQuery({ queryKey: ['diff', tenant, from, to], queryFn: ({ signal }) => ask('get', '/v1/tenants/{tenant}/versions/{version}/diff', { path: { tenant, version: from }, query: { to }, signal }) });
  return (
    <Paper withBorder p="md" component="section" aria-label={title}>
      <Title order={2} size="h4" mb="xs">
        {title}
      </Title>
      <Answer of={diff} rows={3}>
        {(d) => (
          <>
            <Text size="sm" c="dimmed" mb="xs">
              {to === 'live' ? <>Live is version <Anchor component={Link} size="sm" to={`/t/${encodeURIComponent(tenant)}/versions/${d.to.version ?? 0}`}>{d.to.version}</Anchor></> : <>Published <Time at={d.to.published_at} /> by {d.to.published_by} {d.to.comment && `: ${d.to.comment}`}</>}
            </Text>
            {d.changes.length === 0 ? (
              <Text size="sm">Nothing.</Text>
            ) : (
              <Bullets size="sm" spacing={4}>
                {d.changes.map((c) => (
                  <Bullets.Item key={c.path + c.words}>{c.words}</Bullets.Item>
                ))}
              </Bullets>
            )}
          </>
        )}
      </Answer>
    </Paper>
  );
}
