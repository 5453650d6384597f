// What was done to the document, to be undone and done again. The document is its text: nothing that somebody wrote is lost.
import { useCallback, useMemo, useRef, useState } from 'react';
import { read, written } from '../parts/json';
import { isMembers, type Doc, type JSONValue } from './document';

const together = 1_500; // ms within which edits of the same thing are one
const most = 200; // edits that can be undone

interface Past {
  before: string[];
  now: string;
  after: string[];
  tag: string; // what the last edit was of
  at: number;
}

export interface Document {
  text: string;
  doc: Doc; // of the last text that could be read
  readable: boolean;
  write: (text: string, tag?: string) => void;
  edit: (change: (doc: Doc) => Doc, tag?: string) => void;
  undo: (() => void) | undefined;
  redo: (() => void) | undefined;
}

export function useDocument(was: string): Document {
  const [past, setPast] = useState<Past>({ before: [], now: was, after: [], tag: '', at: 0 });
  const last = useRef<Doc>({});
  const value = useMemo(() => read<JSONValue>(past.now).value, [past.now]);
  const readable = isMembers(value);
  if (readable) last.current = value;
  const doc = last.current;

  const write = useCallback((text: string, tag = '') => {
    setPast((p) => {
      if (text === p.now) return p;
      const now = Date.now();
      const same = tag !== '' && tag === p.tag && now - p.at < together;
      return { before: same ? p.before : [...p.before, p.now].slice(-most), now: text, after: [], tag, at: now };
    });
  }, []);
  const edit = useCallback((change: (doc: Doc) => Doc, tag?: string) => write(written(change(last.current)), tag), [write]);
  const undo = useCallback(() => {
    setPast((p) => (p.before.length === 0 ? p : { before: p.before.slice(0, -1), now: p.before.at(-1) ?? p.now, after: [p.now, ...p.after], tag: '', at: 0 }));
  }, []);
  const redo = useCallback(() => {
    setPast((p) => (p.after.length === 0 ? p : { before: [...p.before, p.now], now: p.after[0] ?? p.now, after: p.after.slice(1), tag: '', at: 0 }));
  }, []);
  return { text: past.now, doc, readable, write, edit, undo: past.before.length > 0 ? undo : undefined, redo: past.after.length > 0 ? redo : undefined };
}
