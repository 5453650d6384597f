// Lists of drafts that have an id and a name: opening hours, and lists.
import { Anchor } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link, useNavigate } from 'react-router';
import { usePages, type Page as APage } from '../api/lists';
import { useMay } from '../session';
import { Confirm } from './confirm';
import { FormButton } from './form';
import { Page } from './page';
import { List } from './rows';

interface Props {
  tenant: string;
  of: 'schedules' | 'lists';
  title: string;
  about: ReactNode;
  add: string; // on the button
  example: { id: string; name: string };
  empty: { title: string; words: string };
  gone: string; // what follows from removing one
  read: (cursor: string | undefined, signal: AbortSignal) => Promise<APage<{ id: string; name: string }>>;
  make: (id: string, name: string) => Promise<unknown>;
  remove: (id: string) => Promise<unknown>;
}

export function Drafts({ tenant, of, title, about, add: words, example, empty, gone, read, make, remove }: Props) {
  const may = useMay();
  const client = useQueryClient();
  const navigate = useNavigate();
  const key = [of, tenant];
  const all = usePages([...key, 'page'], read);
  const base = `/t/${encodeURIComponent(tenant)}/${of}`;
  const add = may('flows:write') && (
    <FormButton
      words={words}
      title={words}
      fields={[
        { name: 'name', label: 'Name', required: true, placeholder: example.name },
        { name: 'id', label: 'Id', required: true, placeholder: example.id, description: 'By which flows name it. It stays.' },
      ]}
      submit="Add"
      act={async (v) => {
        const id = String(v.id ?? '').trim();
        await make(id, String(v.name ?? '').trim());
        await client.invalidateQueries({ queryKey: key });
        await navigate(`${base}/${encodeURIComponent(id)}`);
      }}
    />
  );
  return (
    <Page title={title} about={about} actions={add}>
      <List
        of={all}
        label={title}
        id={(d) => d.id}
        empty={{ ...empty, action: add }}
        columns={[
          { name: 'Name', show: (d) => <Anchor component={Link} size="sm" fw={550} to={`${base}/${encodeURIComponent(d.id)}`}>{d.name}</Anchor> },
          { name: 'Id', show: (d) => <span className="mono">{d.id}</span> },
          {
            name: '',
            end: true,
            show: (d) =>
              may('flows:write') && (
                <Confirm words="Remove" label={`Remove ${d.name}`} title={`Remove the draft of ${d.name}?`} sure="Remove" done="Removed. Under Changes it can be undone." act={() => remove(d.id).then(() => client.invalidateQueries({ queryKey: key }))}>
                  {gone}
                </Confirm>
              ),
          },
        ]}
      />
    </Page>
  );
}
