// The hours of a week, or of a day: bars to look at, and fields to change them with, which are all reached by the keyboard.
import { ActionIcon, Button, Group, Menu, Text, TextInput } from '@mantine/core';
import { IconCopy, IconPlus, IconX } from '@tabler/icons-react';
import { dayName, ends, minutes, minutesOfDay, order, wrongWith, type Span, type Week } from './hours';
import styles from './week.module.css';

const usual: Span = { from: '09:00', until: '17:00' };
const workdays = [1, 2, 3, 4, 5];
const scale = ['00', '03', '06', '09', '12', '15', '18', '21', '24'];

// Spans are the stretches of one day. named says of which, for screen readers.
export function Spans({ spans, onChange, named, fixed }: { spans: Span[]; onChange: (spans: Span[]) => void; named: string; fixed: boolean }) {
  const set = (i: number, change: Partial<Span>) => onChange(spans.map((s, n) => (n === i ? { ...s, ...change } : s)));
  const wrong = wrongWith(spans);
  const last = spans.at(-1);
  // What is added comes after what is there: an afternoon after a morning.
  const next = last ? { from: last.until, until: minutes(last.until) < minutes('17:00') && minutes(last.until) > minutes(last.from) ? '17:00' : '23:59' } : usual;
  return (
    <div>
      <div className={styles.spans}>
        {spans.length === 0 && (
          <Text size="sm" c="dimmed">
            closed
          </Text>
        )}
        {spans.map((s, i) => (
          <fieldset key={i} className={styles.span} aria-label={`${named}, hours ${i + 1}`}>
            <TextInput type="time" size="xs" className={styles.time} aria-label={`${named}, open from`} value={s.from} disabled={fixed} onChange={(e) => set(i, { from: e.currentTarget.value })} />
            <Text size="sm">to</Text>
            <TextInput type="time" size="xs" className={styles.time} aria-label={`${named}, open until`} value={s.until} disabled={fixed} onChange={(e) => set(i, { until: e.currentTarget.value })} />
            {ends(s) > minutesOfDay && (
              <Text size="xs" c="dimmed">
                of the next day
              </Text>
            )}
            {!fixed && (
              <ActionIcon variant="subtle" color="gray" size="sm" aria-label={`Remove ${named}, ${s.from} to ${s.until}`} onClick={() => onChange(spans.filter((_, n) => n !== i))}>
                <IconX size={14} />
              </ActionIcon>
            )}
          </fieldset>
        ))}
        {!fixed && (
          <Button size="compact-xs" variant="default" leftSection={<IconPlus size={12} aria-hidden />} aria-label={`Add hours: ${named}`} onClick={() => onChange([...spans, next])}>
            Add hours
          </Button>
        )}
      </div>
      {wrong && (
        <Text size="xs" c="red" role="alert" mt={4}>
          {wrong}
        </Text>
      )}
    </div>
  );
}

// Bar draws the hours of a day; what came over midnight from the day before is drawn too.
function Bar({ spans, before }: { spans: Span[]; before: Span[] }) {
  const drawn = [...spans.map((s) => [minutes(s.from), Math.min(ends(s), minutesOfDay)] as const), ...before.filter((s) => ends(s) > minutesOfDay).map((s) => [0, ends(s) - minutesOfDay] as const)];
  return (
    <div className={styles.bar} aria-hidden>
      {drawn.map(([from, until], i) => (
        <span key={i} className={styles.open} style={{ left: `${(from / minutesOfDay) * 100}%`, width: `${((until - from) / minutesOfDay) * 100}%` }} />
      ))}
    </div>
  );
}

export function WeekGrid({ week, onChange, fixed }: { week: Week; onChange: (week: Week) => void; fixed: boolean }) {
  const set = (d: number, spans: Span[]) => onChange(week.map((had, i) => (i === d ? spans : had)));
  const copy = (from: number, to: readonly number[]) => onChange(week.map((had, i) => (to.includes(i) ? [...(week[from] ?? [])] : had)));
  return (
    <div>
      <div className={styles.week} role="group" aria-label="Weekly hours">
        {order.map((d) => (
          <div key={d} className={styles.day} role="group" aria-label={dayName(d)}>
            <div className={styles.name}>{dayName(d)}</div>
            <div className={styles.hours}>
              <Bar spans={week[d] ?? []} before={week[(d + 6) % 7] ?? []} />
              <Group justify="space-between" wrap="nowrap" align="flex-start" gap="xs">
                <Spans spans={week[d] ?? []} onChange={(s) => set(d, s)} named={dayName(d)} fixed={fixed} />
                {!fixed && (
                  <Menu position="bottom-end">
                    <Menu.Target>
                      <ActionIcon variant="subtle" color="gray" size="sm" aria-label={`Copy the hours of ${dayName(d)}`}>
                        <IconCopy size={14} />
                      </ActionIcon>
                    </Menu.Target>
                    <Menu.Dropdown>
                      <Menu.Item onClick={() => copy(d, workdays)}>To Monday to Friday</Menu.Item>
                      <Menu.Item onClick={() => copy(d, order)}>To all days</Menu.Item>
                      <Menu.Item onClick={() => copy(d, [(d + 1) % 7])}>To {dayName((d + 1) % 7)}</Menu.Item>
                    </Menu.Dropdown>
                  </Menu>
                )}
              </Group>
            </div>
          </div>
        ))}
      </div>
      <div className={styles.scale} aria-hidden>
        {scale.map((h) => (
          <span key={h}>{h}</span>
        ))}
      </div>
    </div>
  );
}
