// The decisions of a call, one below the other: what was taken, rejected and failed, and why.
import { Badge, Text } from '@mantine/core';
import { IconAlertCircle, IconCircleFilled, IconFlag, IconX } from '@tabler/icons-react';
import type { Schemas } from '../api/client';
import { Empty } from './states';
import { wholeTime } from './words';
import classes from './steps.module.css';

type Line = Schemas['Line'];

const looks = {
  rejected: { icon: IconX, colour: 'gray.6', words: 'rejected' },
  failed: { icon: IconAlertCircle, colour: 'red.6', words: 'failed' },
  outcome: { icon: IconFlag, colour: 'blue.6', words: 'how it ended' },
} as const;

// after says how long after the first line one came.
function after(first: string, at: string): string {
  const s = (new Date(at).getTime() - new Date(first).getTime()) / 1000;
  if (s < 60) return `+${s.toFixed(s < 10 ? 2 : 1)} s`;
  return `+${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, '0')}`;
}

export function Steps({ lines }: { lines: Line[] }) {
  const first = lines[0]?.at;
  if (!first) return <Empty title="No steps are kept">The journal has nothing of this call: it never reached a worker, or its entries were lost with one.</Empty>;
  return (
    <ol className={classes.steps} aria-label="Steps">
      {lines.map((l, i) => {
        const look = l.kind ? looks[l.kind as keyof typeof looks] : undefined;
        const Icon = look?.icon ?? IconCircleFilled;
        const where = l.source === 'routing' ? 'routing' : (l.element ?? 'the call');
        const before = i > 0 ? lines[i - 1] : undefined;
        const same = before && before.source === l.source && before.element === l.element;
        const time = after(first, l.at);
        return (
          <li key={i} className={classes.step} data-kind={l.kind}>
            <span className={classes.time} title={wholeTime(l.at)}>
              {before && after(first, before.at) === time ? '' : time}
            </span>
            <Text span c={look?.colour ?? 'dimmed'} className={classes.mark} aria-hidden>
              <Icon size={look ? 16 : 7} />
            </Text>
            <span className={classes.where}>
              {!same && (
                <Badge variant="default" size="sm" radius="sm" tt="none" fw={500} maw="100%">
                  {where}
                </Badge>
              )}
            </span>
            <Text span size="sm" className={classes.words} c={l.kind === 'rejected' ? 'dimmed' : undefined} fw={l.kind === 'failed' ? 600 : undefined}>
              {look && <span style={{ position: 'absolute', clipPath: 'inset(50%)' }}>({look.words}) </span>}
              {l.words}
            </Text>
          </li>
        );
      })}
    </ol>
  );
}
