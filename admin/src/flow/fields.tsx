// A form made of the schema of an element's settings. What the API says is wrong stands at the field that it is about.
import { Button, Checkbox, Fieldset, Group, NativeSelect, NumberInput, Select, Stack, TagsInput, Text, TextInput } from '@mantine/core';
import { createContext, useContext } from 'react';
import { at, isMembers, type JSONValue, type Members } from './document';
import { below, label, said, type Faults, type Schema } from './elements';
import { PickMany, PickOne, PickOrWrite } from './pick';

type Path = (string | number)[];

export interface Editing {
  element: string;
  settings: Members;
  faults: Faults;
  fixed: boolean;
  set: (path: Path, value: JSONValue | undefined) => void;
}

const Context = createContext<Editing>({ element: '', settings: {}, faults: [], fixed: true, set: () => {} });

// Fields are the settings of an element.
export function Fields({ schema, ...editing }: Editing & { schema: Schema }) {
  const whole = editing.faults.filter((f) => f.path === `/elements/${editing.element}/settings`);
  return (
    <Context.Provider value={editing}>
      <Stack gap="sm">
        {whole.length > 0 && (
          <Text size="sm" c="var(--mantine-color-error)" role="alert">
            {said(whole)}
          </Text>
        )}
        <Properties schema={schema} path={[]} />
      </Stack>
    </Context.Provider>
  );
}

function Properties({ schema, path }: { schema: Schema; path: Path }) {
  const { settings } = useContext(Context);
  const value = at(settings, path);
  const unknown = isMembers(value) ? Object.keys(value).filter((name) => !Object.hasOwn(schema.properties ?? {}, name)) : [];
  return (
    <>
      {Object.entries(schema.properties ?? {}).map(([name, s]) => (
        <Field key={name} name={label(name)} schema={s} path={[...path, name]} required={schema.required?.includes(name) === true} />
      ))}
      {unknown.length > 0 && (
        <Text size="sm" c="dimmed">
          Written besides, and kept: {unknown.join(', ')}. The JSON view shows it.
        </Text>
      )}
    </>
  );
}

function Field({ name, schema: s, path, required }: { name: string; schema: Schema; path: Path; required: boolean }) {
  const e = useContext(Context);
  const value = at(e.settings, path);
  const here = below(e.faults, 'elements', e.element, 'settings', ...path);
  const unit = s['x-tandem-unit'];
  const common = {
    label: unit && unit !== name.toLowerCase() ? `${name} (${unit})` : name,
    description: s.description,
    required,
    error: said(here.filter((f) => !f.warning)),
    disabled: e.fixed,
    placeholder: s.default !== undefined ? String(s.default) : undefined,
  };
  const change = (v: JSONValue | undefined) => e.set(path, v);
  const kind = s['x-tandem-reference'];
  const text = typeof value === 'string' ? value : '';
  switch (s.type) {
    case 'boolean':
      return s.default === undefined ? (
        <Select {...common} data={['yes', 'no']} value={value === true ? 'yes' : value === false ? 'no' : null} clearable onChange={(v) => change(v === null ? undefined : v === 'yes')} />
      ) : (
        <Checkbox label={name} description={s.description} error={common.error} disabled={e.fixed} checked={typeof value === 'boolean' ? value : s.default === true} onChange={(x) => change(x.currentTarget.checked)} />
      );
    case 'integer':
      if (s.enum) return <NativeSelect {...common} data={choices(s)} value={typeof value === 'number' ? String(value) : ''} onChange={(x) => change(x.currentTarget.value === '' ? undefined : Number(x.currentTarget.value))} />;
      return <NumberInput {...common} value={typeof value === 'number' ? value : ''} min={s.minimum} max={s.maximum} clampBehavior="none" allowDecimal={false} onChange={(v) => change(typeof v === 'number' ? v : undefined)} />;
    case 'array':
      return <Several s={s} path={path} value={Array.isArray(value) ? value : []} common={common} />;
    case 'object':
      return (
        <Fieldset legend={name} disabled={e.fixed}>
          <Stack gap="sm">
            {s.description && <Text size="xs" c="dimmed">{s.description}</Text>}
            <Properties schema={s} path={path} />
          </Stack>
        </Fieldset>
      );
  }
  if (s.enum) return <NativeSelect {...common} data={choices(s)} value={text} onChange={(x) => change(x.currentTarget.value || undefined)} />;
  if (kind === 'prompt' || kind === 'flow') return <PickOrWrite {...common} kind={kind} value={text} onChange={change} />;
  if (kind) return <PickOne {...common} kind={kind} value={text} onChange={change} />;
  return <TextInput {...common} value={text} maxLength={s.maxLength} autoComplete="off" spellCheck={false} onChange={(x) => change(x.currentTarget.value === '' && !(required && path.length > 1) ? undefined : x.currentTarget.value)} />;
}

// choices are the values that there are, and none of them.
function choices(s: Schema): { value: string; label: string }[] {
  const words = (v: JSONValue) => (/^[A-Z_]+$/.test(String(v)) ? String(v) : label(String(v)));
  return [{ value: '', label: s.default === undefined ? 'Choose' : `As usual: ${words(s.default)}` }, ...(s.enum ?? []).map((v) => ({ value: String(v), label: words(v) }))];
}

interface Common {
  label: string;
  description: string | undefined;
  required: boolean;
  error: string | undefined;
  disabled: boolean;
  placeholder: string | undefined;
}

// Several is a list: of things that there are, of texts, or of records with fields of their own.
function Several({ s, path, value, common }: { s: Schema; path: Path; value: JSONValue[]; common: Common }) {
  const e = useContext(Context);
  const kind = s.items?.['x-tandem-reference'];
  const texts = value.filter((v) => typeof v === 'string');
  const change = (v: JSONValue[]) => e.set(path, v.length > 0 ? v : undefined);
  if (s.items?.type !== 'object') {
    if (kind && kind !== 'prompt') return <PickMany {...common} kind={kind} value={texts} onChange={change} />;
    return <TagsInput {...common} value={texts} onChange={change} acceptValueOnBlur />;
  }
  const swap = (i: number) => change(value.map((v, n) => (n === i - 1 ? (value[i] ?? v) : n === i ? (value[i - 1] ?? v) : v)));
  return (
    <Fieldset legend={common.label}>
      <Stack gap="sm">
        {common.description && <Text size="xs" c="dimmed">{common.description}</Text>}
        {value.length === 0 && common.error && <Text size="xs" c="var(--mantine-color-error)">{common.error}</Text>}
        {value.map((_, i) => (
          <Fieldset key={i} legend={`${common.label} ${i + 1}`} variant="filled">
            <Stack gap="sm">
              {s.items && <Properties schema={s.items} path={[...path, i]} />}
              <OwnFault path={[...path, i]} />
              {!e.fixed && (
                <Group gap="xs">
                  <Button size="compact-xs" variant="default" aria-label={`Remove ${common.label} ${i + 1}`} onClick={() => change(value.filter((_, n) => n !== i))}>
                    Remove
                  </Button>
                  {i > 0 && (
                    <Button size="compact-xs" variant="default" aria-label={`Move ${common.label} ${i + 1} before the one above`} onClick={() => swap(i)}>
                      Move up
                    </Button>
                  )}
                </Group>
              )}
            </Stack>
          </Fieldset>
        ))}
        {!e.fixed && (
          <div>
            <Button size="compact-sm" variant="default" onClick={() => change([...value, {}])}>
              Add to {common.label.toLowerCase()}
            </Button>
          </div>
        )}
      </Stack>
    </Fieldset>
  );
}

// OwnFault is what is wrong with an entry as a whole.
function OwnFault({ path }: { path: Path }) {
  const e = useContext(Context);
  const here = below(e.faults, 'elements', e.element, 'settings', ...path).filter((f) => f.path.split('/').length === path.length + 4);
  return here.length > 0 ? <Text size="xs" c="var(--mantine-color-error)">{said(here)}</Text> : null;
}
