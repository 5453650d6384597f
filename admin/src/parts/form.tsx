// Forms made of a list of their fields. What the API says is wrong stands at the field that it is about.
import { Alert, Button, Checkbox, Group, Modal, MultiSelect, NumberInput, Select, Stack, TagsInput, Textarea, TextInput } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { Problem } from '../api/client';
import { sentence } from './words';

export type Value = string | number | boolean | string[] | undefined;
export type Values = Record<string, Value>;

export interface Field {
  name: string;
  label: string;
  kind?: 'text' | 'number' | 'check' | 'select' | 'many' | 'tags' | 'long' | 'password' | 'date';
  description?: string;
  required?: boolean;
  placeholder?: string;
  options?: { value: string; label: string }[];
  fixed?: boolean; // cannot be changed
  min?: number;
  max?: number;
  show?: (values: Values) => boolean;
}

interface Props {
  fields: Field[];
  values?: Values;
  submit: string;
  act: (values: Values) => Promise<unknown>;
  cancel?: () => void;
  children?: ReactNode;
}

// wrongAt gives what the API has said about a field.
function wrongAt(error: unknown, name: string): string | undefined {
  if (!(error instanceof Problem)) return undefined;
  const found = error.errors.find((e) => e.location.replace(/^body\./, '').split(/[.[]/)[0] === name);
  return found?.message;
}

export function Form({ fields, values: initial = {}, submit, act, cancel, children }: Props) {
  const [values, setValues] = useState<Values>(initial);
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const set = (name: string, value: Value) => setValues((v) => ({ ...v, [name]: value }));
  const known = fields.some((f) => wrongAt(error, f.name));
  return (
    <form
      onSubmit={(e) => {
        e.preventDefault();
        setBusy(true);
        setError(undefined);
        act(values)
          .catch((err: unknown) => setError(err))
          .finally(() => setBusy(false));
      }}
    >
      <Stack gap="sm">
        {fields
          .filter((f) => !f.show || f.show(values))
          .map((f) => (
            <Input key={f.name} field={f} value={values[f.name]} wrong={wrongAt(error, f.name)} onChange={(v) => set(f.name, v)} />
          ))}
        {children}
        {error !== undefined && !known && (
          <Alert color="red" role="alert" variant="light">
            {sentence(error)}
          </Alert>
        )}
        {!fields.every((f) => f.fixed) && (
          <Group justify="flex-end">
            {cancel && (
              <Button variant="default" onClick={cancel}>
                Leave it
              </Button>
            )}
            <Button type="submit" loading={busy}>
              {submit}
            </Button>
          </Group>
        )}
      </Stack>
    </form>
  );
}

function Input({ field: f, value, wrong, onChange }: { field: Field; value: Value; wrong: string | undefined; onChange: (value: Value) => void }) {
  const common = { label: f.label, description: f.description, required: f.required, placeholder: f.placeholder, error: wrong, disabled: f.fixed };
  const text = typeof value === 'string' ? value : '';
  const many = Array.isArray(value) ? value : [];
  switch (f.kind) {
    case 'number':
      return <NumberInput {...common} value={typeof value === 'number' ? value : ''} min={f.min ?? 0} max={f.max} allowDecimal={false} onChange={(v) => onChange(typeof v === 'number' ? v : undefined)} />;
    case 'check':
      return <Checkbox label={f.label} description={f.description} error={wrong} disabled={f.fixed} checked={value === true} onChange={(e) => onChange(e.currentTarget.checked)} />;
    case 'select':
      return <Select {...common} data={f.options ?? []} value={text || null} searchable={(f.options?.length ?? 0) > 8} clearable={!f.required} onChange={(v) => onChange(v ?? undefined)} />;
    case 'many':
      return <MultiSelect {...common} data={f.options ?? []} value={many} searchable clearable onChange={onChange} />;
    case 'tags':
      return <TagsInput {...common} value={many} onChange={onChange} clearable />;
    case 'long':
      return <Textarea {...common} value={text} autosize minRows={3} maxRows={12} onChange={(e) => onChange(e.currentTarget.value)} />;
    case 'password':
      return <TextInput {...common} type="password" autoComplete="new-password" value={text} onChange={(e) => onChange(e.currentTarget.value)} />;
    case 'date':
      return <TextInput {...common} type="date" value={text} onChange={(e) => onChange(e.currentTarget.value)} />;
    default:
      return <TextInput {...common} value={text} autoComplete="off" onChange={(e) => onChange(e.currentTarget.value)} />;
  }
}

// filled leaves out what was not filled in.
export function filled(values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([, v]) => v !== undefined && v !== ''));
}

interface Dialog extends Omit<Props, 'cancel' | 'act'> {
  words: string; // on the button that opens it
  label?: string;
  title: string;
  act: (values: Values) => Promise<unknown>;
  small?: boolean;
}

// FormButton opens a form in a dialog, and closes it when it was carried out.
export function FormButton({ words, label, title, act, small, ...form }: Dialog) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button variant={small ? 'default' : 'filled'} size={small ? 'compact-sm' : 'sm'} onClick={() => setOpen(true)} aria-label={label}>
        {words}
      </Button>
      {open && (
      <Modal opened onClose={() => setOpen(false)} title={title} size="lg" closeButtonProps={{ 'aria-label': 'Close' }}>
        <Form
          {...form}
          cancel={() => setOpen(false)}
          act={async (values) => {
            await act(values);
            setOpen(false);
          }}
        />
      </Modal>
      )}
    </>
  );
}
