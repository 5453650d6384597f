// The one document that the canvas, the list and the JSON view edit. Each edit gives a new document and keeps whatever it does not know.
export type JSONValue = null | boolean | number | string | JSONValue[] | { [name: string]: JSONValue };
export type Members = { [name: string]: JSONValue };

// Doc is a flow as it is written: perhaps not what a flow should be.
export type Doc = Members;

// Element is one of its elements, as far as it can be read.
export interface Element {
  key: string;
  type: string;
  settings: Members;
  exits: [exit: string, to: string][];
}

export function isMembers(value: JSONValue | undefined): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: JSONValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

const members = (value: JSONValue | undefined): Members => (isMembers(value) ? value : {});

export const startOf = (doc: Doc) => text(doc.start);
export const nameOf = (doc: Doc) => text(doc.name);

// elementsOf lists the elements in the order in which they are written.
export function elementsOf(doc: Doc): Element[] {
  return Object.entries(members(doc.elements)).map(([key, value]) => {
    const e = members(value);
    const exits = Object.entries(members(e.exits)).filter((x): x is [string, string] => typeof x[1] === 'string' && x[1] !== '');
    return { key, type: text(e.type), settings: members(e.settings), exits };
  });
}

function withElements(doc: Doc, change: (elements: Members) => Members): Doc {
  return { ...doc, elements: change(members(doc.elements)) };
}

function withElement(doc: Doc, key: string, change: (element: Members) => Members): Doc {
  return withElements(doc, (all) => ({ ...all, [key]: change(members(all[key])) }));
}

// freeKey is a key for an element that nothing has yet.
export function freeKey(doc: Doc, type: string): string {
  const all = members(doc.elements);
  for (let n = 1; ; n++) {
    const key = n === 1 ? type : `${type}_${n}`;
    if (!Object.hasOwn(all, key)) return key;
  }
}

export interface From {
  key: string;
  exit: string;
}

// add puts an element of a type into the flow, and lets an exit lead to it.
export function add(doc: Doc, type: string, key: string, from: From | undefined): Doc {
  const added = withElements(doc, (all) => ({ ...all, [key]: { type } }));
  if (elementsOf(doc).length === 0) return { ...added, start: key };
  return from ? connect(added, from, key) : added;
}

// connect lets an exit lead to an element; to nothing, and the call ends there.
export function connect(doc: Doc, from: From, to: string | undefined): Doc {
  return withElement(doc, from.key, (e) => {
    return { ...e, exits: put(members(e.exits), [from.exit], to) ?? {} };
  });
}

// remove takes an element out, and with it what leads to it.
export function remove(doc: Doc, key: string): Doc {
  return withElements(doc, (all) => {
    const left = Object.entries(all).filter(([k]) => k !== key);
    return Object.fromEntries(
      left.map(([k, value]) => {
        if (!isMembers(value) || !isMembers(value.exits)) return [k, value];
        const exits = Object.fromEntries(Object.entries(value.exits).filter(([, to]) => to !== key));
        return [k, Object.keys(exits).length < Object.keys(value.exits).length ? { ...value, exits } : value];
      }),
    );
  });
}

// rename gives an element another key, wherever it is named.
export function rename(doc: Doc, was: string, key: string): Doc {
  const renamed = withElements(doc, (all) => {
    return Object.fromEntries(
      Object.entries(all).map(([k, value]) => {
        const e = isMembers(value) && isMembers(value.exits) ? { ...value, exits: Object.fromEntries(Object.entries(value.exits).map(([x, to]) => [x, to === was ? key : to])) } : value;
        return [k === was ? key : k, e];
      }),
    );
  });
  return doc.start === was ? { ...renamed, start: key } : renamed;
}

// set changes one setting of an element, by the path within its settings; undefined takes it out.
export function set(doc: Doc, key: string, path: (string | number)[], value: JSONValue | undefined): Doc {
  return withElement(doc, key, (e) => ({ ...e, settings: members(put(members(e.settings), path, value)) }));
}

function put(of: JSONValue | undefined, path: (string | number)[], value: JSONValue | undefined): JSONValue | undefined {
  const [first, ...rest] = path;
  if (first === undefined) return value;
  if (typeof first === 'number') {
    const list = Array.isArray(of) ? [...of] : [];
    const next = put(list[first], rest, value);
    if (next === undefined) list.splice(first, 1);
    else list[first] = next;
    return list;
  }
  const all = members(of);
  const next = put(Object.hasOwn(all, first) ? all[first] : undefined, rest, value);
  if (next !== undefined) return { ...all, [first]: next }; // a member of its own, whatever its name
  return Object.fromEntries(Object.entries(all).filter(([name]) => name !== first));
}

// at gives the value at a path.
export function at(of: JSONValue | undefined, path: (string | number)[]): JSONValue | undefined {
  return path.reduce<JSONValue | undefined>((v, step) => (Array.isArray(v) && typeof step === 'number' ? v[step] : isMembers(v) && typeof step === 'string' ? v[step] : undefined), of);
}

// pointer is a JSON pointer (RFC 6901).
export function pointer(...steps: (string | number)[]): string {
  return steps.map((s) => `/${String(s).replace(/~/g, '~0').replace(/\//g, '~1')}`).join('');
}
