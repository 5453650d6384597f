// What flows can be made of, as the API describes it: the schema of each element's settings, and its exits.
import { useQuery } from '@tanstack/react-query';
import { ask, type Schemas } from '../api/client';
import { isMembers, pointer, type Element, type JSONValue, type Members } from './document';

// Schema is the part of JSON Schema 2020-12 that settings need.
export interface Schema {
  type?: 'string' | 'integer' | 'boolean' | 'array' | 'object';
  description?: string;
  default?: JSONValue;
  enum?: (string | number)[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  pattern?: string;
  format?: string;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  'x-tandem-reference'?: string;
  'x-tandem-unit'?: string;
}

export interface ElementType {
  type: string;
  title: string;
  description: string;
  schema: Schema;
  exits: Schemas['Exit'][];
}

export type Types = Map<string, ElementType>;

// useTypes asks for all types of elements. They change with releases alone.
export function useTypes() {
  return useQuery({
    queryKey: ['elements'],
    staleTime: Infinity,
    queryFn: async ({ signal }): Promise<Types> => {
      const { items } = await ask('get', '/v1/elements', { signal });
      return new Map(items.map((t) => [t.type, { ...t, schema: t.schema as Schema, exits: t.exits ?? [] }]));
    },
  });
}

export interface Exit {
  name: string;
  description: string;
  ends: string; // what the call ends with when it leads nowhere
  required: boolean;
  choice: boolean;
  to: string | undefined;
  known: boolean; // the type has it, with these settings
}

// exitsOf lists the exits that an element has with its settings, and those that it is written with besides.
export function exitsOf(type: ElementType | undefined, e: Element): Exit[] {
  const to = new Map(e.exits);
  const all: Exit[] = [];
  for (const x of type?.exits ?? []) {
    const names = x.each ? [...new Set(namesAt(e.settings, x.each.split('/').slice(1)))] : [x.name ?? ''];
    for (const name of names) {
      if (all.some((a) => a.name === name)) continue;
      all.push({ name, description: x.description, ends: x.ends, required: x.required === true, choice: x.choice === true, to: to.get(name), known: true });
      to.delete(name);
    }
  }
  for (const [name, there] of to) all.push({ name, description: '', ends: '', required: false, choice: false, to: there, known: false });
  return all;
}

// namesAt gives the texts at a pointer in which * is each entry of a list.
function namesAt(value: JSONValue | undefined, steps: string[]): string[] {
  const [first, ...rest] = steps;
  if (first === undefined) return typeof value === 'string' && value !== '' ? [value] : [];
  if (first === '*') return Array.isArray(value) ? value.flatMap((v) => namesAt(v, rest)) : [];
  return isMembers(value) ? namesAt(value[first], rest) : [];
}

// drawn are the exits that stand on the canvas: not every key that nobody may choose, but the next one that is free.
export function drawn(exits: Exit[]): Exit[] {
  const last = exits.findLastIndex((x) => x.choice && x.to !== undefined);
  const unused = (x: Exit) => x.choice && x.to === undefined;
  const free = exits.slice(last + 1).find(unused) ?? exits.find(unused);
  return exits.filter((x) => !x.choice || x.to !== undefined || x === free);
}

// label makes words of a name.
export function label(name: string): string {
  const words = name.replace(/_/g, ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

// titleOf is the type of an element in plain words.
export function titleOf(types: Types, type: string): string {
  return types.get(type)?.title ?? (type || 'No type');
}

const shownSettings = 2;

// summary are the one or two settings that matter: what must be set, what names something, and then what was set.
export function summary(type: ElementType | undefined, e: Element, named: (kind: string, id: string) => string): string[] {
  const properties = type?.schema.properties ?? {};
  const required = type?.schema.required ?? [];
  const weight = (name: string) => (required.includes(name) ? 0 : referenceOf(properties[name]) ? 1 : 2);
  return Object.keys(e.settings)
    .filter((name) => Object.hasOwn(properties, name) && shown(e.settings[name], properties[name], named) !== '')
    .sort((a, b) => weight(a) - weight(b))
    .slice(0, shownSettings)
    .map((name) => `${label(name)}: ${shown(e.settings[name], properties[name], named)}`);
}

function referenceOf(s: Schema | undefined): string | undefined {
  return s?.['x-tandem-reference'] ?? s?.items?.['x-tandem-reference'];
}

function shown(value: JSONValue | undefined, s: Schema | undefined, named: (kind: string, id: string) => string): string {
  if (Array.isArray(value)) return value.every((v) => isMembers(v)) ? String(value.length || '') : value.map((v) => shown(v, s?.items, named)).join(', ');
  if (typeof value === 'string') return s?.['x-tandem-reference'] ? named(s['x-tandem-reference'], value) : s?.enum && !/^[A-Z_]+$/.test(value) ? label(value) : value;
  if (typeof value === 'number') return s?.['x-tandem-unit'] ? `${value} ${s['x-tandem-unit']}` : String(value);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return isMembers(value) ? '…' : '';
}

export type Faults = Schemas['FlowFault'][];

// below are the faults at a place and below it.
export function below(faults: Faults, ...steps: (string | number)[]): Faults {
  const at = pointer(...steps);
  return faults.filter((f) => f.path === at || f.path.startsWith(`${at}/`));
}

// said is what faults say in a line.
export function said(faults: Faults): string | undefined {
  return faults.length > 0 ? faults.map((f) => `${f.detail} ${f.mend}`).join(' ') : undefined;
}

// placeOf is the key of the element that a fault is at, if it is at one.
export function placeOf(f: Schemas['FlowFault']): string | undefined {
  const [, first, key] = f.path.split('/');
  return first === 'elements' && key !== undefined ? key.replace(/~1/g, '/').replace(/~0/g, '~') : undefined;
}

export type Settings = Members;
