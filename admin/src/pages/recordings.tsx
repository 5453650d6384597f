// The recordings of a tenant's calls.
import { Anchor, Button, Group } from '@mantine/core';
import { Link } from 'react-router';
import { ask } from '../api/client';
import { usePages } from '../api/lists';
import { callPath } from '../parts/calls';
import { Typed, useFilters } from '../parts/filters';
import { Page } from '../parts/page';
import { recordingLength, RecordingSound, RemoveRecording } from '../parts/recordings';
import { List } from '../parts/rows';
import { Time } from '../parts/time';
import { useTheTenant } from '../shell/tenant';

const day = 24 * 60 * 60 * 1000; // ms

// momentOf is when a day begins here, or when the one after it does.
function momentOf(date: string, after = 0): string | undefined {
  const at = new Date(`${date}T00:00:00`);
  return date && !Number.isNaN(at.getTime()) ? new Date(at.getTime() + after).toISOString() : undefined;
}

export default function RecordingsOfTenant() {
  const tenant = useTheTenant();
  const [filter, set] = useFilters();
  const query = { from: filter('from') || undefined, call: filter('call') || undefined, since: momentOf(filter('since')), until: momentOf(filter('until'), day) };
  const all = usePages(['recordings', tenant, query], (cursor, signal) => ask('get', '/v1/tenants/{tenant}/recordings', { path: { tenant }, query: { ...query, limit: 50, cursor }, signal }));
  const filtered = Object.values(query).some(Boolean);
  return (
    <Page title="Recordings" about={`of ${tenant}’s calls, the newest first`} actions={<Button variant="default" onClick={() => void all.refetch()}>Look again</Button>}>
      <Group gap="sm" align="flex-end">
        <Typed label="From exactly" value={filter('from')} onSet={(v) => set('from', v)} placeholder="+4930901820" />
        <Typed label="First day" type="date" value={filter('since')} onSet={(v) => set('since', v)} width={150} />
        <Typed label="Last day" type="date" value={filter('until')} onSet={(v) => set('until', v)} width={150} />
        <Typed label="Of the call" value={filter('call')} onSet={(v) => set('call', v)} placeholder="its id" />
      </Group>
      <List
        of={all}
        label="Recordings"
        id={(r) => r.id}
        empty={
          filtered
            ? { title: 'No such recording', words: 'Change or clear what the list is narrowed to.' }
            : { title: 'No recordings yet', words: 'A call is recorded where its flow has the element “record”. Tell people that they are: most countries ask for it.', action: <Button component={Link} to={`/t/${encodeURIComponent(tenant)}/flows`} variant="default">Flows</Button> }
        }
        columns={[
          { name: 'When', show: (r) => <Time at={r.at} />, width: 130 },
          {
            name: 'From',
            show: (r) => (
              <Anchor component={Link} size="sm" fw={550} to={callPath(r.call)}>
                <bdi>{r.from || 'hidden'}</bdi> {r.from_name && <bdi>{r.from_name}</bdi>}
              </Anchor>
            ),
          },
          { name: 'Lasted', show: (r) => recordingLength(r), width: 90 },
          { name: 'Sound', show: (r) => <RecordingSound tenant={tenant} of={r} /> },
          { name: '', end: true, show: (r) => <RemoveRecording tenant={tenant} of={r} /> },
        ]}
      />
    </Page>
  );
}
