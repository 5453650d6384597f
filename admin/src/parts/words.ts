// Values as people read them.
import { Problem } from '../api/client';

// sentence says an error in words.
export function sentence(error: unknown): string {
  if (error instanceof Problem) {
    const more = [...error.errors.map((e) => `${e.location.replace(/^body\.?/, '')}: ${e.message}`), ...error.faults.map((f) => `${f.path}: ${f.detail} ${f.mend}`)];
    return more.length > 0 ? `${error.message} ${more.slice(0, 5).join('; ')}` : error.message;
  }
  return error instanceof Error ? error.message : 'Something went wrong.';
}

const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const dayAndYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const clockAndSeconds = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });

// when says a time: with its day unless it is today.
export function when(text: string | undefined, now = new Date()): string {
  if (!text) return '';
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return text;
  if (at.toDateString() === now.toDateString()) return clockAndSeconds.format(at);
  return `${(at.getFullYear() === now.getFullYear() ? day : dayAndYear).format(at)}, ${clock.format(at)}`;
}

export function wholeTime(text: string): string {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? text : whole.format(at);
}

// lasted says how long something took.
export function lasted(from: string | undefined, until: string | number | undefined): string {
  if (!from || until === undefined) return '';
  return span((new Date(until).getTime() - new Date(from).getTime()) / 1000);
}

// span says a length of time in seconds.
export function span(seconds: number): string {
  const s = Math.max(0, seconds);
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < 60) return `${Math.round(s)} s`;
  const minutes = Math.floor(s / 60);
  const two = (n: number) => String(Math.floor(n)).padStart(2, '0');
  if (minutes < 60) return `${minutes}:${two(s % 60)} min`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)} h`;
}

export function count(n: number, one: string, many: string): string {
  return `${n.toLocaleString()} ${n === 1 ? one : many}`;
}

// faults say whose doing a failure was.
export const faultWords: Record<string, string> = {
  none: 'Nobody’s fault',
  caller: 'The caller',
  callee: 'The called side',
  tenant: 'The configuration',
  carrier: 'The carrier',
  platform: 'The platform',
};
