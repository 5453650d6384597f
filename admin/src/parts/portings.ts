// What porting orders are called, and what can be done with each.
import type { Schemas } from '../api/client';
import type { Field, Values } from './form';

export type Porting = Schemas['PortingOrder'];
export type State = Porting['state'];

export const directionWords: Record<Porting['direction'], string> = { in: 'Coming here', out: 'Going away' };
export const directionOptions = [
  { value: 'in', label: 'Numbers come here' },
  { value: 'out', label: 'Numbers go away' },
];

export const stateWords: Record<State, string> = { draft: 'Draft', submitted: 'Submitted', accepted: 'Accepted', rejected: 'Rejected', scheduled: 'Scheduled', ported: 'Ported', cancelled: 'Cancelled' };
export const portingColours: Record<State, string> = { draft: 'gray', submitted: 'blue', accepted: 'blue', rejected: 'red', scheduled: 'yellow', ported: 'teal', cancelled: 'gray' };

// nextWords say what has to happen now.
export const nextWords: Record<State, string> = {
  draft: 'Add the papers that the other carrier wants, then submit it.',
  submitted: 'It waits for the other carrier’s answer.',
  accepted: 'The other carrier has accepted. A day is to be agreed on.',
  rejected: 'The other carrier has rejected it. Change what was wrong, and submit it again.',
  scheduled: 'On its day the numbers change hands.',
  ported: 'It is done.',
  cancelled: 'It was cancelled. Write another one, if it is still wanted.',
};

export type Step = 'submit' | 'accept' | 'reject' | 'schedule' | 'ported' | 'cancel';

interface Way {
  step: Step;
  words: string;
  from: State[];
  decider: boolean; // only who deals with the other carrier may
  effect: string;
}

// ways is what can be done with an order, as the API allows it.
const ways: Way[] = [
  { step: 'submit', words: 'Submit it', from: ['draft', 'rejected'], decider: false, effect: 'It is changed no more, and numbers that are to come are kept for the tenant.' },
  { step: 'accept', words: 'Accepted', from: ['submitted'], decider: true, effect: 'The other carrier has said yes.' },
  { step: 'schedule', words: 'Set the day', from: ['accepted', 'scheduled'], decider: true, effect: 'On that day, or later, it is said that the numbers are ported.' },
  { step: 'ported', words: 'Ported', from: ['scheduled'], decider: true, effect: 'Numbers that come are live at the tenant at once, and those that go are live no more.' },
  { step: 'reject', words: 'Rejected', from: ['submitted', 'accepted', 'scheduled'], decider: true, effect: 'The tenant reads why, can change it and submit it again.' },
  { step: 'cancel', words: 'Cancel it', from: ['draft', 'submitted', 'accepted', 'rejected'], decider: false, effect: 'Nothing of it takes effect, and numbers that were kept are kept no more.' },
  { step: 'cancel', words: 'Cancel it', from: ['scheduled'], decider: true, effect: 'Nothing of it takes effect, and numbers that were kept are kept no more.' },
];

export function waysOf(state: State, may: (scope: string) => boolean): Way[] {
  return ways.filter((w) => w.from.includes(state) && may(w.decider ? 'porting:decide' : 'porting:write'));
}

// open says whether an order's text and papers can be changed.
export function isOpen(state: State): boolean {
  return state === 'draft' || state === 'rejected';
}

export const portingFields: Field[] = [
  { name: 'numbers', label: 'Numbers', kind: 'long', required: true, placeholder: '+493012345678', description: 'One a line, with their country’s code.' },
  { name: 'carrier', label: 'Other carrier', required: true, description: 'From which, or to which, the numbers go.' },
  { name: 'subscriber', label: 'Subscriber', required: true, description: 'As the other carrier knows him.' },
  { name: 'account', label: 'Customer number there' },
  { name: 'address', label: 'Address', kind: 'long' },
  { name: 'wanted_on', label: 'Wanted on', kind: 'date' },
  { name: 'trunk', label: 'Trunk', description: 'By which the numbers’ calls will come. Empty: any.' },
  { name: 'note', label: 'Note', kind: 'long' },
];

export function portingValues(p: Porting): Values {
  return { numbers: p.numbers.join('\n'), carrier: p.carrier, subscriber: p.subscriber, account: p.account, address: p.address, wanted_on: p.wanted_on, trunk: p.trunk, note: p.note };
}

export function portingBody(v: Values): Schemas['PortingText'] {
  const rest = Object.fromEntries(['account', 'address', 'wanted_on', 'trunk', 'note'].map((n) => [n, String(v[n] ?? '').trim()]).filter(([, text]) => text !== ''));
  return { carrier: String(v.carrier ?? '').trim(), subscriber: String(v.subscriber ?? '').trim(), numbers: String(v.numbers ?? '').split(/[\s,;]+/).filter(Boolean), ...rest };
}
