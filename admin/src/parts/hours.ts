// Opening hours as people write them: by day, where the API keeps them by stretch; and what they say about a moment.
import type { Schemas } from '../api/client';

export type ScheduleOf = Schemas['Schedule'];
export type Span = Schemas['Span'];
export type Day = Schemas['Date'];

// order is that of a week, which begins on Monday; the API counts from Sunday, which is 0.
export const order = [1, 2, 3, 4, 5, 6, 0] as const;
const aSunday = Date.UTC(2023, 0, 1);
const day = 24 * 60 * 60 * 1000; // ms
const names = new Intl.DateTimeFormat(undefined, { weekday: 'long', timeZone: 'UTC' });
export const minutesOfDay = 24 * 60;

export function dayName(weekday: number): string {
  return names.format(new Date(aSunday + weekday * day));
}

// Week is the stretches of each weekday, counted from Sunday.
export type Week = Span[][];

export function weekOf(s: ScheduleOf): Week {
  const week: Week = Array.from({ length: 7 }, () => []);
  for (const h of s.weekly ?? []) for (const d of h.days ?? []) week[d]?.push({ from: clock(h.from), until: clock(h.until) });
  return week.map(sorted);
}

// clock writes the end of a day as a time that fields for times know: until is the same time of the next day when it is not after from.
function clock(text: string): string {
  return text === '24:00' ? '00:00' : text;
}

export function sorted(spans: Span[]): Span[] {
  return [...spans].sort((a, b) => a.from.localeCompare(b.from));
}

// weeklyOf gathers days that have the same stretch.
export function weeklyOf(week: Week): NonNullable<ScheduleOf['weekly']> {
  const found = new Map<string, { days: number[]; from: string; until: string }>();
  for (const d of order) {
    for (const s of week[d] ?? []) {
      const key = `${s.from} ${s.until}`;
      const had = found.get(key);
      if (had) had.days.push(d);
      else found.set(key, { days: [d], from: s.from, until: s.until });
    }
  }
  return [...found.values()];
}

export function minutes(text: string): number {
  const [h = 0, m = 0] = text.split(':').map(Number);
  return h * 60 + m;
}

// ends is when a stretch ends, in minutes after the midnight before it began.
export function ends(s: Span): number {
  const until = minutes(s.until);
  return until <= minutes(s.from) ? until + minutesOfDay : until;
}

// wrongWith says what keeps stretches of one day from being saved, or ''.
export function wrongWith(spans: Span[]): string {
  if (spans.some((s) => !/^\d\d:\d\d$/.test(s.from) || !/^\d\d:\d\d$/.test(s.until))) return 'A time is missing.';
  const all = sorted(spans);
  for (let i = 1; i < all.length; i++) {
    const before = all[i - 1];
    const now = all[i];
    if (before && now && minutes(now.from) < ends(before)) return `${now.from} is within ${before.from} to ${before.until}.`;
  }
  return '';
}

// Wall is what a clock on the wall shows: the date, the weekday and the minutes after midnight.
export interface Wall {
  date: string;
  weekday: number;
  minute: number;
}

// wallAt gives it in a time zone; a zone that the browser does not know is its own.
export function wallAt(moment: Date, zone: string | undefined): Wall {
  const parts = (timeZone: string | undefined) => new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).formatToParts(moment);
  let all: Intl.DateTimeFormatPart[];
  try {
    all = parts(zone);
  } catch {
    all = parts(undefined);
  }
  const of = (type: string) => all.find((p) => p.type === type)?.value ?? '00';
  const date = `${of('year')}-${of('month')}-${of('day')}`;
  return { date, weekday: new Date(`${date}T12:00:00Z`).getUTCDay(), minute: Number(of('hour')) * 60 + Number(of('minute')) };
}

function dateBefore(date: string): string {
  return new Date(Date.parse(`${date}T12:00:00Z`) - day).toISOString().slice(0, 10);
}

interface Judged {
  open: boolean;
  because: string;
}

function judge(week: Week, dates: Day[], date: string, weekday: number, minute: number): Judged {
  const special = dates.find((d) => d.date === date);
  const spans = special ? (special.hours ?? []) : (week[weekday] ?? []);
  const within = spans.find((s) => minutes(s.from) <= minute && minute < ends(s));
  const name = special ? special.name || special.date : dayName(weekday);
  if (within) return { open: true, because: `${name}, ${within.from} to ${within.until}` };
  return { open: false, because: special ? name : `${name} has no hours at this time` };
}

// openAt says whether hours are open, as the engine does: dates replace the week on their day, and a stretch past midnight belongs to the
// day on which it begins.
export function openAt(week: Week, dates: Day[], at: Wall): Judged {
  const today = judge(week, dates, at.date, at.weekday, at.minute);
  if (today.open) return today;
  const night = judge(week, dates, dateBefore(at.date), (at.weekday + 6) % 7, at.minute + minutesOfDay);
  return night.open ? night : today;
}
