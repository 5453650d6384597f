// All elements that there are, to add one of them: found by typing, taken by Enter.
import { Modal, NativeSelect, Stack, Text, TextInput, UnstyledButton } from '@mantine/core';
import { useState } from 'react';
import type { From } from './document';
import type { Drawing } from './drawing';
import { label, type Types } from './elements';
import classes from './palette.module.css';

interface Props {
  types: Types;
  drawing: Drawing[];
  from: From | undefined;
  add: (type: string, from: From | undefined) => void;
  close: () => void;
}

export function Palette({ types, drawing, from, add, close }: Props) {
  const [typed, type] = useState('');
  const [reached, reach] = useState(from ? JSON.stringify([from.key, from.exit]) : '');
  const words = typed.trim().toLowerCase();
  const found = [...types.values()].filter((t) => `${t.title} ${t.type} ${t.description}`.toLowerCase().includes(words));
  // What has the words in its name comes before what has them in its description.
  found.sort((a, b) => Number(b.title.toLowerCase().startsWith(words)) - Number(a.title.toLowerCase().startsWith(words)) || a.title.localeCompare(b.title));
  const ways = drawing.flatMap((d) => d.exits.filter((x) => x.to === undefined || (from?.key === d.key && from.exit === x.name)).map((x) => ({ value: JSON.stringify([d.key, x.name]), label: `${d.title} · ${d.key}, ${label(x.name)}` })));
  if (from && !ways.some((w) => w.value === reached)) ways.unshift({ value: JSON.stringify([from.key, from.exit]), label: `${from.key}, ${label(from.exit)}` });
  const take = (t: string) => {
    const [key, exit] = reached ? (JSON.parse(reached) as [string, string]) : [];
    add(t, key !== undefined && exit !== undefined ? { key, exit } : undefined);
  };
  return (
    <Modal opened onClose={close} title="Add an element" size="lg" closeButtonProps={{ 'aria-label': 'Close' }} returnFocus={false}>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          if (found[0]) take(found[0].type);
        }}
      >
        <Stack gap="sm">
          <TextInput label="Which" placeholder="menu, voicemail, hours" description="Enter takes the first." value={typed} onChange={(e) => type(e.currentTarget.value)} data-autofocus autoComplete="off" />
          {ways.length > 0 && <NativeSelect label="Reached by" value={reached} data={[{ value: '', label: 'nothing yet' }, ...ways]} onChange={(e) => reach(e.currentTarget.value)} />}
          <Text size="xs" c="dimmed" role="status">
            {found.length} of {types.size} elements
          </Text>
          <ul className={classes.palette} aria-label="Elements">
            {found.map((t) => (
              <li key={t.type}>
                <UnstyledButton className={classes.type} onClick={() => take(t.type)}>
                  <Text size="sm" fw={600} component="span" display="block">
                    {t.title}
                  </Text>
                  <Text size="xs" c="dimmed" component="span" lineClamp={3}>
                    {t.description}
                  </Text>
                </UnstyledButton>
              </li>
            ))}
          </ul>
        </Stack>
      </form>
    </Modal>
  );
}
