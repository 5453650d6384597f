// What is shown of each element, on the canvas and in the list.
import { elementsOf, startOf, type Doc, type Element } from './document';
import { below, drawn, exitsOf, label, summary, titleOf, type Exit, type Faults, type Types } from './elements';
import type { Visit, Way } from './path';

export interface Drawing {
  key: string;
  of: Element;
  title: string;
  start: boolean;
  summary: string[];
  all: Exit[]; // every exit that it has
  exits: Exit[]; // those that are drawn
  errors: number;
  warnings: number;
  visit: Visit | undefined;
  taken: Set<string> | undefined;
  spoken: string; // what else it is, for those who do not see it
}

// draw lists the elements, the start first, then as they are written.
export function draw(doc: Doc, types: Types, faults: Faults, way: Way | undefined, named: (kind: string, id: string) => string): Drawing[] {
  const start = startOf(doc);
  const elements = elementsOf(doc);
  const sorted = [...elements.filter((e) => e.key === start), ...elements.filter((e) => e.key !== start)];
  return sorted.map((of) => {
    const type = types.get(of.type);
    const all = exitsOf(type, of);
    const here = below(faults, 'elements', of.key);
    const d: Drawing = {
      key: of.key,
      of,
      title: titleOf(types, of.type),
      start: of.key === start,
      summary: summary(type, of, named),
      all,
      exits: drawn(all),
      errors: here.filter((f) => !f.warning).length,
      warnings: here.filter((f) => f.warning).length,
      visit: way?.visits.get(of.key),
      taken: way?.exits.get(of.key),
      spoken: '',
    };
    return { ...d, spoken: spoken(d) };
  });
}

// spoken is what else there is to say of an element to those who do not see it.
function spoken(d: Drawing): string {
  const leads = d.all.filter((x) => x.to !== undefined).map((x) => `${label(x.name)} leads to ${x.to}`);
  const open = d.all.filter((x) => x.to === undefined && !x.choice).map((x) => label(x.name));
  return [
    d.start ? 'The flow starts here.' : '',
    ...d.summary.map((s) => `${s}.`),
    leads.length > 0 ? `${leads.join(', ')}.` : '',
    open.length > 0 ? `${open.join(', ')}: the call ends.` : '',
    d.errors > 0 ? `${d.errors} faults.` : '',
    d.visit ? `The call that was tried comes here as number ${d.visit.turns.join(' and ')}. ${[...d.visit.failed, ...d.visit.rejected].join(' ')}` : '',
  ]
    .filter((s) => s !== '')
    .join(' ');
}
