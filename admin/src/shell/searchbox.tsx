// The one box: a number, a name, a Call-ID.
import { Kbd, TextInput } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { useMatch, useNavigate, useSearchParams } from 'react-router';
import { useMay } from '../session';

export function SearchBox() {
  const [params] = useSearchParams();
  const onSearch = Boolean(useMatch('/search'));
  const tenant = useMatch('/t/:tenant/*')?.params.tenant ?? (onSearch ? (params.get('tenant') ?? undefined) : undefined);
  const asked = onSearch ? (params.get('q') ?? '') : '';
  const [text, setText] = useState(asked);
  const box = useRef<HTMLInputElement>(null);
  const navigate = useNavigate();
  const may = useMay();
  useEffect(() => setText(asked), [asked]);
  useHotkeys([['/', () => box.current?.focus()]]);
  if (!may('calls:read')) return <div style={{ flex: 1 }} />;
  return (
    <form
      role="search"
      style={{ flex: 1, maxWidth: 640 }}
      onSubmit={(e) => {
        e.preventDefault();
        const q = text.trim();
        if (q) void navigate(`/search?${new URLSearchParams({ q, ...(tenant ? { tenant } : {}) })}`);
      }}
    >
      <TextInput
        ref={box}
        value={text}
        onChange={(e) => setText(e.currentTarget.value)}
        aria-label="Search calls, people, devices and numbers"
        placeholder="Number, name or Call-ID"
        leftSection={<IconSearch size={17} />}
        rightSection={<Kbd size="xs" visibleFrom="sm" component="span">/</Kbd>}
        maxLength={256}
        autoComplete="off"
        spellCheck={false}
      />
    </form>
  );
}
