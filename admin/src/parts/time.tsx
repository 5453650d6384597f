import { useSyncExternalStore } from 'react';
import { lasted, when, wholeTime } from './words';

// Time shows a moment; its whole date is told to whoever points at it.
export function Time({ at }: { at: string | undefined }) {
  if (!at) return null;
  return (
    <time dateTime={at} title={wholeTime(at)} style={{ whiteSpace: 'nowrap' }}>
      {when(at)}
    </time>
  );
}

const tick = 1000; // ms

// clock tells all that count at once: one timer, however many rows a list has.
const clock = {
  now: Date.now(),
  heard: new Set<() => void>(),
  timer: undefined as ReturnType<typeof setInterval> | undefined,
  follow(tell: () => void) {
    clock.heard.add(tell);
    clock.timer ??= setInterval(() => {
      clock.now = Date.now();
      clock.heard.forEach((t) => t());
    }, tick);
    return () => {
      clock.heard.delete(tell);
      if (clock.heard.size > 0) return;
      clearInterval(clock.timer);
      clock.timer = undefined;
    };
  },
};

// Since shows how long something has lasted, and goes on counting.
export function Since({ at }: { at: string | undefined }) {
  const now = useSyncExternalStore(clock.follow, () => clock.now);
  return <span style={{ fontVariantNumeric: 'tabular-nums', whiteSpace: 'nowrap' }}>{lasted(at, Math.max(now, at ? Date.parse(at) : 0))}</span>;
}
