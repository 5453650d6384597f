import { useEffect, useState } from 'react';
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

const tick = 1000;

// Since shows how long something has lasted, and goes on counting.
export function Since({ at }: { at: string | undefined }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), tick);
    return () => clearInterval(timer);
  }, []);
  return <span style={{ fontVariantNumeric: 'tabular-nums', whiteSpace: 'nowrap' }}>{lasted(at, now)}</span>;
}
