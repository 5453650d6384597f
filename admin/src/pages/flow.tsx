// A flow: a canvas of its elements, a list of them, and its JSON, which edit one document; checked as it is changed, tried before it is published.
import { Alert, Button, Grid, Group, NativeSelect, Paper, Stack, Tabs, Text, TextInput } from '@mantine/core';
import { IconArrowBackUp, IconArrowForwardUp } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useParams } from 'react-router';
import { askTagged, type Schemas } from '../api/client';
import { Canvas } from '../flow/canvas';
import { useChecked } from '../flow/check';
import * as document from '../flow/document';
import { draw, type Drawing } from '../flow/drawing';
import { titleOf, useTypes, type Types } from '../flow/elements';
import { Faults } from '../flow/faults';
import { ElementForm, firstOpen, type Doing } from '../flow/form';
import { useDocument, type Document } from '../flow/history';
import { Outline } from '../flow/outline';
import { Palette } from '../flow/palette';
import { wayOf } from '../flow/path';
import { TenantOfFlow, useNamed } from '../flow/pick';
import { Try } from '../flow/try';
import { JSONText, read, written } from '../parts/json';
import { Page } from '../parts/page';
import { Publishing } from '../parts/publishing';
import { Answer } from '../parts/states';
import { useTell } from '../parts/told';
import { sentence } from '../parts/words';
import { useMay } from '../session';
import { useTheTenant } from '../shell/tenant';
import classes from '../flow/canvas.module.css';

type FlowOf = Schemas['Flow'];
type Asked = { value: FlowOf; etag: string | undefined };

export default function Flow() {
  const tenant = useTheTenant();
  const { flow = '' } = useParams();
  const types = useTypes();
  const row = useQuery({ queryKey: ['flow', tenant, flow], queryFn: ({ signal }) => askTagged('get', '/v1/tenants/{tenant}/flows/{id}', { path: { tenant, id: flow }, signal }) });
  return (
    <Answer of={types}>
      {(types) => (
        <Answer of={row}>
          {(asked) => (
            <TenantOfFlow value={tenant}>
              <Editor key={`${tenant}/${flow}`} tenant={tenant} asked={asked} types={types} />
            </TenantOfFlow>
          )}
        </Answer>
      )}
    </Answer>
  );
}

// useSaved keeps what was saved last: by him here, or by somebody else while he had changed nothing.
function useSaved(asked: Asked, d: Document) {
  const [saved, keep] = useState({ text: written(asked.value), etag: asked.etag });
  const unchanged = d.text === saved.text;
  const { write } = d;
  useEffect(() => {
    const now = written(asked.value);
    if (asked.etag === saved.etag || !unchanged) return;
    keep({ text: now, etag: asked.etag });
    write(now);
  }, [asked, saved.etag, unchanged, write]);
  return { saved, keep, changed: !unchanged };
}

function Editor({ tenant, asked, types }: { tenant: string; asked: Asked; types: Types }) {
  const may = useMay();
  const tell = useTell();
  const client = useQueryClient();
  const fixed = !may('flows:write');
  const [first] = useState(() => written(asked.value));
  const d = useDocument(first);
  const { saved, keep, changed } = useSaved(asked, d);
  const { faults, error, known } = useChecked(tenant, asked.value.id, d.text);
  const [view, setView] = useState('canvas');
  const [side, setSide] = useState('element');
  const [chosen, choose] = useState<string>();
  const [adding, setAdding] = useState<{ from: document.From | undefined }>();
  const [tried, setTried] = useState<{ text: string; answer: Schemas['Explanation'] }>();
  const [said, say] = useState('');
  const form = useRef<HTMLDivElement>(null);

  const save = useMutation({
    mutationFn: (text: string) => askTagged('put', '/v1/tenants/{tenant}/flows/{id}', { path: { tenant, id: asked.value.id }, body: read<FlowOf>(text).value as FlowOf, match: saved.etag }),
    onSuccess: async ({ etag, value }, text) => {
      keep({ text, etag }); // what was written meanwhile is not saved yet
      client.setQueryData(['flow', tenant, asked.value.id], { value, etag });
      await client.invalidateQueries({ predicate: (q) => q.queryKey[0] !== 'flow' && q.queryKey[0] !== 'elements' && q.queryKey[0] !== 'self' });
    },
  });
  const saving = async () => {
    await save.mutateAsync(d.text);
    tell.done('Saved as a draft. Try it, and publish.');
  };

  const kinds = useMemo(() => new Set(['user', 'device', 'flow', 'schedule'].filter((k) => d.text.includes(`"${k}`) || k === 'user')), [d.text]);
  const named = useNamed(kinds);
  const way = useMemo(() => (tried && tried.text === d.text ? wayOf(tried.answer.lines, asked.value.id) : undefined), [tried, d.text, asked.value.id]);
  const drawing = useMemo(() => draw(d.doc, types, faults, way, named), [d.doc, types, faults, way, named]);
  const here = drawing.find((o) => o.key === chosen);

  const open = useCallback((key: string) => {
    choose(key);
    setSide('element');
    setTimeout(() => form.current?.querySelector<HTMLElement>('input:not([disabled]), select:not([disabled]), textarea:not([disabled]), button')?.focus(), 0);
  }, []);
  const show = useCallback((key: string) => {
    choose(key);
    setSide('element');
  }, []);
  const doing: Doing = {
    fixed: fixed || !d.readable,
    set: (key, path, value) => d.edit((doc) => document.set(doc, key, path, value), `${key} ${path.join('/')}`),
    connect: (from, to) => {
      d.edit((doc) => document.connect(doc, from, to));
      say(to === undefined ? `${from.exit} of ${from.key} leads nowhere now.` : `${from.exit} of ${from.key} leads to ${to}.`);
    },
    addAfter: (from) => setAdding({ from: from && from.exit !== '' ? from : undefined }),
    rename: (was, key) => {
      d.edit((doc) => document.rename(doc, was, key));
      choose(key);
      say(`${was} is called ${key}.`);
    },
    remove: (key) => {
      const neighbour = drawing.find((o) => o.all.some((x) => x.to === key) && o.key !== key) ?? drawing.find((o) => o.key !== key);
      d.edit((doc) => document.remove(doc, key));
      choose(neighbour?.key);
      say(`${key} is deleted, with what led to it.`);
      refocus(neighbour?.key);
    },
    begin: (key) => {
      d.edit((doc) => ({ ...doc, start: key }));
      say(`The flow starts at ${key}.`);
    },
  };
  const add = (type: string, from: document.From | undefined) => {
    const key = document.freeKey(d.doc, type);
    d.edit((doc) => document.add(doc, type, key, from));
    setAdding(undefined);
    say(`${titleOf(types, type)}, ${key}, is added${from ? ` after ${from.key}` : ''}.`);
    open(key);
  };
  useUndo(d, say);
  const errors = faults.filter((f) => !f.warning).length;

  return (
    <Page
      title={document.nameOf(d.doc) || asked.value.name}
      about={`draft of the flow ${asked.value.id}`}
      back={{ to: `/t/${encodeURIComponent(tenant)}/flows`, words: 'Flows' }}
      actions={
        !fixed && (
          <>
            <Button variant="default" onClick={d.undo} disabled={!d.undo} leftSection={<IconArrowBackUp size={16} aria-hidden />}>
              Undo
            </Button>
            <Button variant="default" onClick={d.redo} disabled={!d.redo} leftSection={<IconArrowForwardUp size={16} aria-hidden />}>
              Redo
            </Button>
            {changed && (
              <Button variant="default" onClick={() => d.write(saved.text)}>
                Take back
              </Button>
            )}
            <Button onClick={() => void saving().catch(() => {})} loading={save.isPending} disabled={!d.readable || !changed}>
              Save the draft
            </Button>
          </>
        )
      }
    >
      <div role="status" aria-live="polite" className={classes.spoken} data-testid="said">
        {said}
      </div>
      {save.error && (
        <Alert color="red" role="alert">
          {sentence(save.error)}
        </Alert>
      )}
      <Grid gap="md">
        <Grid.Col span={{ base: 12, lg: 8 }}>
          <Tabs value={view} onChange={(v) => v && setView(v)} keepMounted={false}>
            <Group justify="space-between" mb="sm" gap="xs">
              <Tabs.List>
                <Tabs.Tab value="canvas">Canvas</Tabs.Tab>
                <Tabs.Tab value="list">List</Tabs.Tab>
                <Tabs.Tab value="json">JSON</Tabs.Tab>
              </Tabs.List>
              {!doing.fixed && (
                <Button size="compact-md" onClick={() => doing.addAfter(here && { key: here.key, exit: firstOpen(here)?.name ?? '' })}>
                  Add an element
                </Button>
              )}
            </Group>
            {!d.readable && view !== 'json' && (
              <Alert color="orange" mb="sm">
                The JSON cannot be read, so nothing can be changed here: this is how it was last.
              </Alert>
            )}
            <Tabs.Panel value="canvas">
              <Canvas drawing={drawing} chosen={chosen} fixed={doing.fixed} choose={choose} show={show} open={open} remove={doing.remove} connect={doing.connect} addAfter={doing.addAfter} />
            </Tabs.Panel>
            <Tabs.Panel value="list">
              <Outline drawing={drawing} chosen={chosen} faults={faults} doing={doing} open={open} />
            </Tabs.Panel>
            <Tabs.Panel value="json">
              <div data-document>
                <JSONText label="The flow, as JSON" text={d.text} onChange={(text) => d.write(text, 'json')} fixed={fixed} />
              </div>
            </Tabs.Panel>
          </Tabs>
          <Stack mt="md">
            <Faults of={faults} error={error} known={known} open={show} />
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, lg: 4 }}>
          <Tabs value={side} onChange={(v) => v && setSide(v)}>
            <Tabs.List mb="sm">
              <Tabs.Tab value="element">{here ? 'Element' : 'Flow'}</Tabs.Tab>
              {may('calls:read') && <Tabs.Tab value="try">Try a call</Tabs.Tab>}
              <Tabs.Tab value="publish">Publish</Tabs.Tab>
            </Tabs.List>
            <Tabs.Panel value="element">
              <Paper
                withBorder
                p="md"
                ref={form}
                onKeyDown={(e) => {
                  const list = (e.target as HTMLElement).getAttribute('aria-expanded') === 'true'; // Escape closes it, and no more
                  if (e.key === 'Escape' && !list) refocus(chosen);
                }}
              >
                {here ? <ElementForm of={here} all={drawing} type={types.get(here.of.type)} faults={faults} doing={doing} /> : <Whole d={d} drawing={drawing} fixed={doing.fixed} begin={doing.begin} />}
              </Paper>
            </Tabs.Panel>
            <Tabs.Panel value="try">
              <Try tenant={tenant} flow={asked.value.id} unsaved={changed} save={fixed || !d.readable || errors > 0 ? undefined : saving} told={(answer) => setTried(answer && { text: d.text, answer })} />
            </Tabs.Panel>
            <Tabs.Panel value="publish">
              {changed && (
                <Text size="sm" mb="sm">
                  What is not saved is not published.
                </Text>
              )}
              <Publishing tenant={tenant} />
            </Tabs.Panel>
          </Tabs>
        </Grid.Col>
      </Grid>
      {adding && <Palette types={types} drawing={drawing} from={adding.from} add={add} close={() => setAdding(undefined)} />}
    </Page>
  );
}

// refocus puts the focus on an element once it is drawn anew.
function refocus(key: string | undefined) {
  if (key === undefined) return;
  setTimeout(() => globalThis.document.querySelector<HTMLElement>(`[data-element="${CSS.escape(key)}"]`)?.focus({ preventScroll: true }), 0);
}

// Whole is what the flow is as a whole.
function Whole({ d, drawing, fixed, begin }: { d: Document; drawing: Drawing[]; fixed: boolean; begin: (key: string) => void }) {
  const start = document.startOf(d.doc);
  const there = drawing.some((o) => o.key === start);
  return (
    <Stack gap="sm" data-document component="section" aria-label="The flow">
      <TextInput label="Name" required value={document.nameOf(d.doc)} disabled={fixed} onChange={(e) => {
        const name = e.currentTarget.value;
        d.edit((doc) => ({ ...doc, name }), 'name');
      }} />
      <NativeSelect label="It starts with" value={start} disabled={fixed} error={there ? undefined : 'Choose the element that calls come to first.'} data={[...(there ? [] : [{ value: start, label: start ? `${start} (not there)` : 'Choose an element' }]), ...drawing.map((o) => ({ value: o.key, label: `${o.title} · ${o.key}` }))]} onChange={(e) => begin(e.currentTarget.value)} />
      <Text size="sm" c="dimmed">
        Choose an element to see its settings. On the canvas the arrow keys go from one to the next, Enter opens it, Delete takes it out, and Ctrl+Z takes back what was done.
      </Text>
    </Stack>
  );
}

// useUndo takes back by Ctrl+Z, and does again by Ctrl+Y or Ctrl+Shift+Z, wherever what is typed is the document's.
function useUndo(d: Document, say: (words: string) => void) {
  useEffect(() => {
    const keys = (e: KeyboardEvent) => {
      if (!(e.ctrlKey || e.metaKey) || e.altKey) return;
      const key = e.key.toLowerCase();
      const again = key === 'y' || (key === 'z' && e.shiftKey);
      if (!again && key !== 'z') return;
      const target = e.target as HTMLElement;
      if (target.closest('[role="dialog"]') || (target.matches('input, textarea, select') && !target.closest('[data-document]'))) return;
      const act = again ? d.redo : d.undo;
      e.preventDefault();
      if (!act) return;
      act();
      say(again ? 'Done again.' : 'Taken back.');
    };
    window.addEventListener('keydown', keys);
    return () => window.removeEventListener('keydown', keys);
  }, [d.undo, d.redo, say]);
}
