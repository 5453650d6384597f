// One element: what it is, its settings, and where each of its exits leads.
import { Badge, Button, Divider, Group, NativeSelect, Stack, Text, TextInput, Title } from '@mantine/core';
import { useState } from 'react';
import type { From, JSONValue } from './document';
import type { Drawing } from './drawing';
import { below, label, said, type ElementType, type Exit, type Faults } from './elements';
import { Fields } from './fields';

const somethingNew = '+'; // no element has such a key: the API takes none
const keyForm = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

export interface Doing {
  fixed: boolean;
  set: (key: string, path: (string | number)[], value: JSONValue | undefined) => void;
  connect: (from: From, to: string | undefined) => void;
  addAfter: (from: From | undefined) => void;
  rename: (was: string, key: string) => void;
  remove: (key: string) => void;
  begin: (key: string) => void; // it becomes the start
}

export function ElementForm({ of: d, all, type, faults, doing }: { of: Drawing; all: Drawing[]; type: ElementType | undefined; faults: Faults; doing: Doing }) {
  const wrong = below(faults, 'elements', d.key, 'type');
  return (
    <Stack gap="md" component="section" aria-label={`${d.title}, ${d.key}`} data-document>
      <div>
        <Group gap="xs">
          <Title order={2} size="h4">
            {d.title}
          </Title>
          {d.start && <Badge variant="light" radius="sm" tt="none">The flow starts here</Badge>}
        </Group>
        <Text size="sm" c="dimmed">
          {type?.description ?? 'There is no such type of element in this release.'}
        </Text>
        {wrong.length > 0 && <Text size="sm" c="var(--mantine-color-error)">{said(wrong)}</Text>}
      </div>
      <Key key={d.key} of={d} all={all} doing={doing} />
      {type && <Fields schema={type.schema} element={d.key} settings={d.of.settings} faults={faults} fixed={doing.fixed} set={(path, value) => doing.set(d.key, path, value)} />}
      {d.all.length > 0 && <Divider label="Where it leads" labelPosition="left" />}
      <Exits of={d} all={all} faults={faults} doing={doing} />
      {!doing.fixed && (
        <Group gap="xs">
          <Button size="compact-sm" variant="default" onClick={() => doing.addAfter({ key: d.key, exit: firstOpen(d)?.name ?? '' })} disabled={!firstOpen(d)}>
            Add an element after it
          </Button>
          {!d.start && (
            <Button size="compact-sm" variant="default" onClick={() => doing.begin(d.key)}>
              Start the flow here
            </Button>
          )}
          <Button size="compact-sm" variant="default" color="red" onClick={() => doing.remove(d.key)}>
            Delete it
          </Button>
        </Group>
      )}
    </Stack>
  );
}

// firstOpen is the exit that a new element is reached by.
export function firstOpen(d: Drawing): Exit | undefined {
  return d.all.find((x) => x.required && x.to === undefined) ?? d.exits.find((x) => x.to === undefined);
}

function Key({ of: d, all, doing }: { of: Drawing; all: Drawing[]; doing: Doing }) {
  const [typed, type] = useState(d.key);
  const taken = typed !== d.key && all.some((o) => o.key === typed);
  const wrong = taken ? 'Another element has this name.' : keyForm.test(typed) ? undefined : '1 to 64 letters, digits, _, . and -';
  const take = () => {
    if (typed !== d.key && !wrong) doing.rename(d.key, typed);
  };
  return <TextInput label="Name in the flow" value={typed} error={wrong} disabled={doing.fixed} autoComplete="off" spellCheck={false} onChange={(e) => type(e.currentTarget.value)} onBlur={take} onKeyDown={(e) => e.key === 'Enter' && take()} />;
}

export function Exits({ of: d, all, faults, doing }: { of: Drawing; all: Drawing[]; faults: Faults; doing: Doing }) {
  const [offered, offer] = useState<{ of: string; names: string[] }>({ of: d.key, names: [] });
  const names = offered.of === d.key ? offered.names : [];
  const shown = d.all.filter((x) => !x.choice || x.to !== undefined || names.includes(x.name));
  const free = d.all.filter((x) => !shown.includes(x));
  const choice = below(faults, 'elements', d.key, 'exits').filter((f) => f.path.endsWith('/exits'));
  return (
    <Stack gap="sm">
      {choice.length > 0 && <Text size="sm" c="var(--mantine-color-error)">{said(choice)}</Text>}
      {shown.map((x) => (
        <Lead key={x.name} of={d} exit={x} all={all} faults={faults} doing={doing} />
      ))}
      {free.length > 0 && !doing.fixed && (
        <NativeSelect
          label="Another choice"
          aria-label={`Another choice of ${d.key}`}
          value=""
          data={[{ value: '', label: 'Choose a key' }, ...free.map((x) => ({ value: x.name, label: x.name }))]}
          onChange={(e) => e.currentTarget.value && offer({ of: d.key, names: [...names, e.currentTarget.value] })}
        />
      )}
    </Stack>
  );
}

// Lead says where one exit leads.
function Lead({ of: d, exit: x, all, faults, doing }: { of: Drawing; exit: Exit; all: Drawing[]; faults: Faults; doing: Doing }) {
  const here = below(faults, 'elements', d.key, 'exits', x.name);
  const from = { key: d.key, exit: x.name };
  const missing = x.to !== undefined && !all.some((o) => o.key === x.to);
  return (
    <NativeSelect
      label={label(x.name)}
      aria-label={`${label(x.name)} of ${d.key} leads to`}
      description={x.description}
      error={said(here.filter((f) => !f.warning))}
      required={x.required}
      disabled={doing.fixed}
      value={x.to ?? ''}
      data={[
        { value: '', label: x.choice ? 'Not on offer' : x.required ? 'Choose an element' : `The call ends: ${x.ends}` },
        ...(missing ? [{ value: x.to ?? '', label: `${x.to} (not there)` }] : []),
        ...all.map((o) => ({ value: o.key, label: `${o.title} · ${o.key}` })),
        { value: somethingNew, label: 'A new element…' },
      ]}
      onChange={(e) => {
        const to = e.currentTarget.value;
        if (to === somethingNew) doing.addAfter(from);
        else doing.connect(from, to || undefined);
      }}
    />
  );
}
