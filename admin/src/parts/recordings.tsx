// What was recorded of calls.
import { Badge, Group, Paper, Stack, Text, Title } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { address, ask, type Schemas } from '../api/client';
import { useMay } from '../session';
import { Confirm } from './confirm';
import { Failed } from './states';
import { Player } from './sound';
import { Time } from './time';
import { span } from './words';

export type Recording = Schemas['CallRecording'];

const thousand = 1000; // ms in a second

export function recordingLength(r: Recording): string {
  return r.length_ms === undefined ? '' : span(r.length_ms / thousand);
}

// Sound plays a recording, or says why there is nothing to play.
export function RecordingSound({ tenant, of: r }: { tenant: string; of: Recording }) {
  if (r.state === 'new') return <Badge variant="light" color="blue" radius="sm" tt="none">Being filed</Badge>;
  if (r.state === 'lost') return <Badge variant="light" color="red" radius="sm" tt="none" title="The media node has left no sound of it.">Lost</Badge>;
  return <Player src={address('/v1/tenants/{tenant}/recordings/{recording}/sound', { path: { tenant, recording: r.id } })} label={`Recording of ${r.from || 'an unknown caller'}, ${r.at}`} file={`${r.id}.wav`} />;
}

export function RemoveRecording({ tenant, of: r }: { tenant: string; of: Recording }) {
  const may = useMay();
  const client = useQueryClient();
  if (!may('recordings:write')) return null;
  return (
    <Confirm words="Delete" label={`Delete the recording of ${r.from || 'an unknown caller'}`} title="Delete this recording?" sure="Delete" done="Deleted. For a day it can be undone, under Changes."
      act={() => ask('delete', '/v1/tenants/{tenant}/recordings/{recording}', { path: { tenant, recording: r.id } }).then(() => client.invalidateQueries({ queryKey: ['recordings'] }))}
    >
      Nobody can hear it any more. Its sound goes a day later; until then the deletion can be undone, under Changes.
    </Confirm>
  );
}

// Recordings are all parts of a call's: one that was moved to another media node has several. Who may not hear them is not told that there are any.
export function Recordings({ tenant, call }: { tenant: string; call: string }) {
  const may = useMay();
  const all = useQuery({
    queryKey: ['recordings', tenant, 'of', call],
    queryFn: ({ signal }) => ask('get', '/v1/tenants/{tenant}/recordings', { path: { tenant }, query: { call, sort: 'at', limit: 100 }, signal }),
    enabled: may('recordings:read'),
  });
  const parts = all.data?.items ?? [];
  if (!all.error && parts.length === 0) return null;
  return (
    <Paper withBorder p="md" component="section" aria-label="Recordings">
      <Title order={2} size="h4" mb="sm">
        {parts.length > 1 ? 'Recordings' : 'Recording'}
      </Title>
      {all.error && <Failed error={all.error} again={() => void all.refetch()} />}
      <Stack gap="sm">
        {parts.map((r, i) => (
          <Group key={r.id} gap="sm" justify="space-between">
            <Group gap="sm">
              {parts.length > 1 && <Text size="sm" fw={600}>{`Part ${i + 1} of ${parts.length}`}</Text>}
              <RecordingSound tenant={tenant} of={r} />
              <Text size="sm" c="dimmed">
                <Time at={r.at} /> {recordingLength(r)}
              </Text>
            </Group>
            <RemoveRecording tenant={tenant} of={r} />
          </Group>
        ))}
      </Stack>
    </Paper>
  );
}
