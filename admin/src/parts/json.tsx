// Something written as JSON: until there is a better editor for it, and for those who like it so.
import { JsonInput } from '@mantine/core';

// read gives what a text says, or why it says nothing.
export function read<T>(text: string): { value?: T; wrong?: string } {
  try {
    return { value: JSON.parse(text) as T };
  } catch (e) {
    return { wrong: e instanceof Error ? e.message : 'not readable' };
  }
}

export function written(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

export function JSONText({ label, text, onChange, fixed }: { label: string; text: string; onChange: (text: string) => void; fixed: boolean }) {
  const { wrong } = read(text);
  return (
    <JsonInput
      label={label}
      value={text}
      onChange={onChange}
      readOnly={fixed}
      error={wrong && `This is no JSON: ${wrong}`}
      autosize
      minRows={12}
      maxRows={36}
      spellCheck={false}
      styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 13 } }}
    />
  );
}
