// What a list is narrowed to stands in the page's address, so that it can be sent.
import { TextInput } from '@mantine/core';
import { useSearchParams } from 'react-router';

export function useFilters(): [(name: string) => string, (name: string, value: string) => void] {
  const [params, setParams] = useSearchParams();
  const set = (name: string, value: string) =>
    setParams(
      (p) => {
        if (value) p.set(name, value);
        else p.delete(name);
        return p;
      },
      { replace: true },
    );
  return [(name) => params.get(name) ?? '', set];
}

interface Props {
  label: string;
  value: string;
  onSet: (value: string) => void;
  placeholder?: string;
  type?: string;
  width?: number;
}

// Typed is a text that holds once it is left, or Enter is pressed.
export function Typed({ label, value, onSet, placeholder, type, width = 180 }: Props) {
  return (
    <form
      onSubmit={(e) => {
        e.preventDefault();
        onSet(String(new FormData(e.currentTarget).get('value') ?? '').trim());
      }}
    >
      <TextInput key={value} label={label} name="value" type={type} defaultValue={value} onBlur={(e) => e.currentTarget.value.trim() !== value && onSet(e.currentTarget.value.trim())} w={width} placeholder={placeholder} autoComplete="off" />
    </form>
  );
}
