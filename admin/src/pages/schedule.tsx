// Opening hours: a week, the days that differ from it, and today by hand.
import { ActionIcon, Alert, Anchor, Badge, Button, Group, Paper, Stack, Tabs, Text, TextInput, Title } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useParams } from 'react-router';
import { ask, askTagged } from '../api/client';
import { openAt, sorted, wallAt, weeklyOf, weekOf, wrongWith, type Day, type ScheduleOf, type Week } from '../parts/hours';
import { JSONText, read, written } from '../parts/json';
import { Page } from '../parts/page';
import { Answer } from '../parts/states';
import { useTell } from '../parts/told';
import { Spans, WeekGrid } from '../parts/week';
import { sentence } from '../parts/words';
import { useMay } from '../session';
import { useTheTenant } from '../shell/tenant';

export default function Schedule() {
  const tenant = useTheTenant();
  const { schedule = '' } = useParams();
  const may = useMay();
  const row = useQuery({ queryKey: ['schedule', tenant, schedule], queryFn: ({ signal }) => askTagged('get', '/v1/tenants/{tenant}/schedules/{id}', { path: { tenant, id: schedule }, signal }) });
  const zone = useQuery({ queryKey: ['tenant', tenant], queryFn: ({ signal }) => ask('get', '/v1/tenants/{tenant}', { path: { tenant }, signal }), enabled: may('tenants:read') });
  return <Answer of={row}>{({ value, etag }) => <Editor key={etag} tenant={tenant} schedule={value} etag={etag} zone={value.time_zone || zone.data?.time_zone} />}</Answer>;
}

interface Draft {
  name: string;
  zone: string;
  week: Week;
  dates: Day[];
}

function draftOf(s: ScheduleOf): Draft {
  return { name: s.name, zone: s.time_zone ?? '', week: weekOf(s), dates: s.dates ?? [] };
}

function scheduleOf(id: string, d: Draft): ScheduleOf {
  return { id, name: d.name.trim(), ...(d.zone.trim() ? { time_zone: d.zone.trim() } : {}), weekly: weeklyOf(d.week), dates: [...d.dates].sort((a, b) => a.date.localeCompare(b.date)) };
}

function Editor({ tenant, schedule, etag, zone }: { tenant: string; schedule: ScheduleOf; etag: string | undefined; zone: string | undefined }) {
  const may = useMay();
  const tell = useTell();
  const client = useQueryClient();
  const [was] = useState(() => written(scheduleOf(schedule.id, draftOf(schedule))));
  const [draft, setDraft] = useState(() => draftOf(schedule));
  const [text, setText] = useState<string>(); // while it is written as JSON
  const fixed = !may('flows:write');
  const now = text === undefined ? scheduleOf(schedule.id, draft) : read<ScheduleOf>(text).value;
  const wrong = text === undefined && (draft.week.some((d) => wrongWith(d)) || draft.dates.some((d) => wrongWith(d.hours ?? []) || !d.date || !d.name.trim()));
  const save = useMutation({
    mutationFn: (s: ScheduleOf) => ask('put', '/v1/tenants/{tenant}/schedules/{id}', { path: { tenant, id: schedule.id }, body: s, match: etag }),
    onSuccess: async () => {
      tell.done('Saved as a draft. It holds once it is published.');
      await client.invalidateQueries();
    },
  });
  const toForm = () => {
    const value = text === undefined ? undefined : read<ScheduleOf>(text).value;
    if (value) setDraft(draftOf(value));
    setText(undefined);
  };
  const base = `/t/${encodeURIComponent(tenant)}`;
  return (
    <Page
      title={schedule.name}
      about={<>Draft of opening hours. They hold for new calls once they are published, under <Anchor component={Link} size="sm" underline="always" to={`${base}/flows`}>Flows</Anchor>.</>}
      back={{ to: `${base}/schedules`, words: 'Opening hours' }}
      actions={
        !fixed && (
          <Button onClick={() => now && save.mutate(now)} loading={save.isPending} disabled={!now || Boolean(wrong) || written(now) === was}>
            Save the draft
          </Button>
        )
      }
    >
      {save.error && <Alert color="red" role="alert">{sentence(save.error)}</Alert>}
      <Tabs value={text === undefined ? 'week' : 'json'} onChange={(v) => (v === 'json' ? setText(written(scheduleOf(schedule.id, draft))) : toForm())} keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="week" disabled={text !== undefined && read(text).value === undefined}>Week and days</Tabs.Tab>
          <Tabs.Tab value="json">JSON</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="week" pt="md">
          <Stack gap="md">
            <Now draft={draft} zone={draft.zone || zone} set={setDraft} fixed={fixed} />
            <WeekGrid week={draft.week} onChange={(week) => setDraft({ ...draft, week })} fixed={fixed} />
            <Dates dates={draft.dates} onChange={(dates) => setDraft({ ...draft, dates })} fixed={fixed} />
            <Group gap="md">
              <TextInput label="Name" required disabled={fixed} value={draft.name} onChange={(e) => setDraft({ ...draft, name: e.currentTarget.value })} w={240} autoComplete="off" />
              <TextInput label="Time zone" disabled={fixed} placeholder={zone ? `the tenant’s: ${zone}` : 'the tenant’s'} value={draft.zone} onChange={(e) => setDraft({ ...draft, zone: e.currentTarget.value })} w={260} autoComplete="off" />
            </Group>
          </Stack>
        </Tabs.Panel>
        <Tabs.Panel value="json" pt="md">
          <Text size="sm" c="dimmed" mb="xs">
            Days are numbered from Sunday, which is 0.
          </Text>
          <JSONText label="Opening hours, as JSON" text={text ?? ''} onChange={setText} fixed={fixed} />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}

const closedToday = 'Closed today';
const openToday = 'Open today';

// Now says whether it is open by this draft, and changes today alone, by hand.
function Now({ draft, zone, set, fixed }: { draft: Draft; zone: string | undefined; set: (draft: Draft) => void; fixed: boolean }) {
  const wall = wallAt(new Date(), zone);
  const now = openAt(draft.week, draft.dates, wall);
  const without = draft.dates.filter((d) => d.date !== wall.date);
  const today = draft.dates.find((d) => d.date === wall.date);
  const by = (name: string, hours: Day['hours']) => set({ ...draft, dates: [...without, { date: wall.date, name, ...(hours?.length ? { hours } : {}) }] });
  return (
    <Paper withBorder p="md" component="section" aria-label="Now">
      <Group justify="space-between" gap="sm">
        <Group gap="xs" aria-live="polite">
          <Badge variant="light" color={now.open ? 'teal' : 'gray'} radius="sm" tt="none" data-testid="open-now">
            {now.open ? 'Open now' : 'Closed now'}
          </Badge>
          <Text size="sm">by this draft: {now.because}{zone ? ` (${zone})` : ''}</Text>
        </Group>
        {!fixed && (
          <Group gap="xs">
            <Button size="compact-sm" variant="default" disabled={today?.name === closedToday} onClick={() => by(closedToday, undefined)}>
              Close today
            </Button>
            <Button size="compact-sm" variant="default" disabled={today?.name === openToday} onClick={() => by(openToday, [{ from: '00:00', until: '00:00' }])}>
              Open all of today
            </Button>
            {today && (
              <Button size="compact-sm" variant="default" onClick={() => set({ ...draft, dates: without })}>
                Today as usual
              </Button>
            )}
          </Group>
        )}
      </Group>
    </Paper>
  );
}

// Dates are the days that have hours of their own.
function Dates({ dates, onChange, fixed }: { dates: Day[]; onChange: (dates: Day[]) => void; fixed: boolean }) {
  const [date, setDate] = useState('');
  const [name, setName] = useState('');
  const set = (i: number, change: Partial<Day>) => onChange(dates.map((d, n) => (n === i ? { ...d, ...change } : d)));
  const twice = dates.some((d) => d.date === date);
  return (
    <Paper withBorder p="md" component="section" aria-label="Holidays and other days">
      <Title order={2} size="h4">
        Holidays and other days
      </Title>
      <Text size="sm" c="dimmed" mb="sm">
        On these days the week does not count. Without hours it is closed all day.
      </Text>
      <Stack gap="sm">
        {dates.length === 0 && <Text size="sm">None.</Text>}
        {dates.map((d, i) => (
          <Group key={i} gap="sm" align="center" role="group" aria-label={`${d.name} ${d.date}`}>
            <TextInput type="date" size="xs" aria-label="Date" value={d.date} disabled={fixed} onChange={(e) => set(i, { date: e.currentTarget.value })} w={140} />
            <TextInput size="xs" aria-label={`Name of ${d.date}`} value={d.name} disabled={fixed} onChange={(e) => set(i, { name: e.currentTarget.value })} w={180} autoComplete="off" error={d.name.trim() ? undefined : 'A name is missing.'} />
            <Spans spans={d.hours ?? []} onChange={(hours) => set(i, { hours: sorted(hours) })} named={d.name || d.date} fixed={fixed} />
            {!fixed && (
              <ActionIcon variant="subtle" color="gray" aria-label={`Remove ${d.name} ${d.date}`} onClick={() => onChange(dates.filter((_, n) => n !== i))}>
                <IconX size={16} />
              </ActionIcon>
            )}
          </Group>
        ))}
        {!fixed && (
          <form
            onSubmit={(e) => {
              e.preventDefault();
              onChange([...dates, { date, name: name.trim() }]);
              setDate('');
              setName('');
            }}
          >
            <Group gap="sm" align="flex-end">
              <TextInput type="date" size="xs" label="Another day" value={date} onChange={(e) => setDate(e.currentTarget.value)} w={140} error={twice ? 'It is there already.' : undefined} />
              <TextInput size="xs" label="Its name" placeholder="New Year’s Day" value={name} onChange={(e) => setName(e.currentTarget.value)} w={180} autoComplete="off" />
              <Button type="submit" size="xs" variant="default" disabled={!date || !name.trim() || twice}>
                Add the day
              </Button>
            </Group>
          </form>
        )}
      </Stack>
    </Paper>
  );
}
