import { Badge } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ask, type Schemas } from '../api/client';
import { usePages } from '../api/lists';
import { Confirm } from '../parts/confirm';
import { FormButton } from '../parts/form';
import { Page } from '../parts/page';
import { List } from '../parts/rows';
import { Secret } from '../parts/secret';
import { Time } from '../parts/time';
import { useMay, useSelf } from '../session';
import { useParams } from 'react-router';

export default function Keys() {
  const { tenant } = useParams();
  const may = useMay();
  const self = useSelf();
  const client = useQueryClient();
  const [made, setMade] = useState<Schemas['NewKeyBody']>();
  const key = ['keys', tenant];
  const keys = usePages(key, (cursor, signal) => (tenant ? ask('get', '/v1/tenants/{tenant}/keys', { path: { tenant }, query: { limit: 50, cursor }, signal }) : ask('get', '/v1/keys', { query: { limit: 50, cursor }, signal })));
  const anew = () => client.invalidateQueries({ queryKey: key });
  const add = may('keys:write') && (
    <FormButton
      words="Make a key"
      title="A new API key"
      fields={[
        { name: 'name', label: 'Name', required: true, placeholder: 'CRM', description: 'What it is for.' },
        { name: 'scopes', label: 'May', kind: 'many', required: true, options: self.scopes.map((s) => ({ value: s, label: s })), description: 'As little as it needs.' },
        { name: 'until', label: 'Until', kind: 'date', required: true },
      ]}
      values={{ until: new Date(Date.now() + 365 * 86_400_000).toISOString().slice(0, 10), scopes: [] }}
      submit="Make it"
      act={async (v) => {
        const body = { name: String(v.name ?? ''), scopes: v.scopes as Self['scopes'], expires_at: `${String(v.until)}T00:00:00Z` };
        setMade(tenant ? await ask('post', '/v1/tenants/{tenant}/keys', { path: { tenant }, body: body as never }) : await ask('post', '/v1/keys', { body: body as never }));
        await anew();
      }}
    />
  );
  return (
    <Page title="API keys" about={tenant ? `of ${tenant}` : 'of the platform'} actions={add}>
      {made && <Secret title={`The key ${made.name}`} facts={{ Key: made.secret }} close={() => setMade(undefined)} />}
      <List
        of={keys}
        label="API keys"
        id={(k) => k.id}
        empty={{ title: 'No keys', words: 'Programs ask the API with a key. It has scopes and an end, and can be revoked at once.', action: add }}
        columns={[
          { name: 'Name', show: (k) => <b>{k.name}</b> },
          { name: 'May', show: (k) => <Scopes all={k.scopes ?? []} /> },
          { name: 'Used', show: (k) => (k.last_used_at ? <Time at={k.last_used_at} /> : 'never') },
          { name: 'Until', show: (k) => (k.revoked_at ? <Badge color="red" variant="light" tt="none">revoked</Badge> : <Time at={k.expires_at} />) },
          { name: 'Made by', show: (k) => k.created_by },
          {
            name: '',
            end: true,
            show: (k) =>
              may('keys:write') &&
              !k.revoked_at && (
                <Confirm words="Revoke" label={`Revoke ${k.name}`} title={`Revoke ${k.name}?`} sure="Revoke" done="It is revoked."
                  act={() => (tenant ? ask('delete', '/v1/tenants/{tenant}/keys/{key}', { path: { tenant, key: k.id } }) : ask('delete', '/v1/keys/{key}', { path: { key: k.id } })).then(anew)}
                >
                  Whatever asks with it is refused at once. It cannot be brought back.
                </Confirm>
              ),
          },
        ]}
      />
    </Page>
  );
}

type Self = Schemas['SelfBody'];

const few = 4;

function Scopes({ all }: { all: string[] }) {
  return all.length > few ? <span title={all.join(', ')}>{all.length} scopes</span> : <>{all.join(', ')}</>;
}
