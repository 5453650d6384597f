// The way of a call that was tried through a flow: which elements it came to, by which exits, and what was rejected or failed there.
import type { Schemas } from '../api/client';

export interface Visit {
  turns: number[]; // as the how manieth element it was come to, from 1
  rejected: string[]; // in words
  failed: string[];
  reasons: string[]; // all that was said there
}

export interface Way {
  visits: Map<string, Visit>;
  exits: Map<string, Set<string>>; // by element: those taken, wherever they lead
}

// wayOf reads the lines of a dry run that are of a flow.
export function wayOf(lines: Schemas['Line'][], flow: string): Way {
  const way: Way = { visits: new Map(), exits: new Map() };
  let turn = 0;
  let last = '';
  for (const l of lines) {
    if (!l.element || l.flow !== flow) {
      if (l.source !== 'routing') last = '';
      continue;
    }
    const visit = way.visits.get(l.element) ?? { turns: [], rejected: [], failed: [], reasons: [] };
    way.visits.set(l.element, visit);
    if (l.element !== last) visit.turns.push(++turn);
    last = l.element;
    if (l.code === 'exit_taken') last = ''; // which may lead back to the element itself
    if (l.kind === 'rejected') visit.rejected.push(l.words);
    if (l.kind === 'failed') visit.failed.push(l.words);
    visit.reasons.push(l.words);
    if (l.exit) way.exits.set(l.element, (way.exits.get(l.element) ?? new Set()).add(l.exit));
  }
  return way;
}
