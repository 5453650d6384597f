import { Alert, Badge, Button, Group, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useParams } from 'react-router';
import { ask, type Schemas } from '../api/client';
import { Confirm } from '../parts/confirm';
import { FormButton, type Field, type Values } from '../parts/form';
import { Page } from '../parts/page';
import { List } from '../parts/rows';
import { useTell } from '../parts/told';
import { useMay } from '../session';

type Trunk = Schemas['TrunkView'];

const fields: Field[] = [
  { name: 'name', label: 'Name', required: true, placeholder: 'Carrier' },
  { name: 'addresses', label: 'Addresses that it calls from', kind: 'tags', placeholder: '192.0.2.10' },
  { name: 'destinations', label: 'Where calls out go, in this order', kind: 'tags', placeholder: 'sip:192.0.2.10:5060' },
  { name: 'max_calls', label: 'Calls out at once', kind: 'number', description: '0: no limit.' },
  { name: 'username', label: 'Our user name there', description: 'If the carrier asks for a login.' },
  { name: 'password', label: 'Our password there', kind: 'password', description: 'Empty: as it is.' },
  { name: 'disabled', label: 'Disabled', kind: 'check' },
];

function valuesOf(t: Trunk): Values {
  return { name: t.name, addresses: t.addresses ?? [], destinations: t.outgoing?.destinations ?? [], max_calls: t.outgoing?.max_calls, disabled: t.disabled };
}

function bodyOf(v: Values, was: Trunk | undefined, tenant: string | undefined, id: string) {
  const destinations = (v.destinations as string[] | undefined) ?? [];
  const { etag: _e, calls_out: _c, has_login: _h, registered: _r, ...rest } = was ?? ({} as Partial<Trunk>);
  return {
    ...rest,
    id,
    name: String(v.name ?? ''),
    addresses: (v.addresses as string[] | undefined) ?? [],
    disabled: v.disabled === true,
    ...(tenant ? { tenant } : {}),
    ...(destinations.length > 0 ? { outgoing: { ...was?.outgoing, destinations, max_calls: (v.max_calls as number | undefined) ?? 0 } } : {}),
    ...(v.username || v.password ? { login: { username: String(v.username ?? ''), password: String(v.password ?? '') } } : {}),
  } as never;
}

export default function Trunks() {
  const { tenant } = useParams();
  const may = useMay();
  const tell = useTell();
  const client = useQueryClient();
  const key = ['trunks', tenant];
  const trunks = useQuery({ queryKey: key, queryFn: async ({ signal }) => (tenant ? await ask('get', '/v1/tenants/{tenant}/trunks', { path: { tenant }, signal }) : await ask('get', '/v1/trunks', { signal })).trunks as Trunk[] });
  const writes = may('trunks:write') && (tenant !== undefined || may('platform:write'));
  const save = async (v: Values, was: Trunk | undefined) => {
    const id = was?.id ?? String(v.id ?? '');
    const body = bodyOf(v, was, tenant, id);
    const match = was?.etag;
    await (tenant ? ask('put', '/v1/tenants/{tenant}/trunks/{trunk}', { path: { tenant, trunk: id }, body, match }) : ask('put', '/v1/trunks/{trunk}', { path: { trunk: id }, body, match }));
    tell.done('Saved. It holds for new calls within a second.');
    await client.invalidateQueries({ queryKey: key });
  };
  const add = writes && <FormButton words="Add a trunk" title="A new trunk" fields={[{ name: 'id', label: 'Id', required: true, placeholder: 'carrier-1' }, ...fields]} submit="Add" act={(v) => save(v, undefined)} />;
  return (
    <Page title="Trunks" about={tenant ? `${tenant}’s own: its PBX and carriers` : 'carriers and customers’ PBXs'} actions={add}>
      <List
        of={trunks}
        label="Trunks"
        id={(t) => t.id}
        empty={{ title: 'No trunks yet', words: tenant ? 'Calls outside go by the platform’s trunks, if the tenant may call out.' : 'A trunk is a way to a carrier. Without one no call goes outside, and none comes in.', action: add }}
        columns={[
          { name: 'Name', show: (t) => <div><b>{t.name}</b><Text size="xs" c="dimmed" className="mono">{t.id}</Text></div> },
          {
            name: 'State',
            show: (t) => (
              <Group gap={4}>
                <Badge variant="light" color={t.disabled ? 'red' : 'teal'} radius="sm" tt="none">
                  {t.disabled ? 'disabled' : 'in use'}
                </Badge>
                {t.registrar && <Badge variant="light" color={t.registered ? 'teal' : 'orange'} radius="sm" tt="none">{t.registered ? 'registered' : 'not registered'}</Badge>}
              </Group>
            ),
          },
          { name: 'Out', show: (t) => `${t.calls_out}${t.outgoing?.max_calls ? ` of ${t.outgoing.max_calls}` : ''}` },
          { name: 'From', show: (t) => <span className="mono">{(t.addresses ?? []).join(', ')}</span> },
          { name: 'To', show: (t) => <span className="mono">{(t.outgoing?.destinations ?? []).join(', ')}</span> },
          ...(tenant ? [] : [{ name: 'Tenant', show: (t: Trunk) => t.tenant ?? '' }]),
          {
            name: '',
            end: true,
            show: (t) => (
              <Group gap={6} justify="flex-end" wrap="nowrap">
                {!tenant && (t.outgoing?.destinations?.length ?? 0) > 0 && <Ping trunk={t.id} />}
                {writes && <FormButton small words="Change" label={`Change ${t.name}`} title={t.name} fields={fields} values={valuesOf(t)} submit="Save" act={(v) => save(v, t)} />}
                {writes && (
                  <Confirm words="Remove" label={`Remove ${t.name}`} title={`Remove ${t.name}?`} sure="Remove" done="Removed."
                    act={() => (tenant ? ask('delete', '/v1/tenants/{tenant}/trunks/{trunk}', { path: { tenant, trunk: t.id } }) : ask('delete', '/v1/trunks/{trunk}', { path: { trunk: t.id } })).then(() => client.invalidateQueries({ queryKey: key }))}
                  >
                    No call goes by it or comes in by it any more. Calls that are up go on.
                  </Confirm>
                )}
              </Group>
            ),
          },
        ]}
      />
    </Page>
  );
}

// Ping asks each destination whether it is there.
function Ping({ trunk }: { trunk: string }) {
  const tell = useTell();
  const ping = useMutation({ mutationFn: () => ask('post', '/v1/trunks/{trunk}/test', { path: { trunk } }), onError: tell.failed });
  return (
    <div>
      <Button size="compact-sm" variant="default" loading={ping.isPending} onClick={() => ping.mutate()} aria-label={`Test ${trunk}`}>
        Test
      </Button>
      {ping.data && (
        <Alert p={6} mt={4} color={ping.data.destinations.every((d) => d.answer) ? 'teal' : 'orange'} variant="light" role="status">
          {ping.data.destinations.map((d) => (
            <Text size="xs" key={d.destination}>
              {d.destination}: {d.answer ? `${d.answer} (${d.took_ms ?? 0} ms)` : (d.error ?? 'no answer')}
            </Text>
          ))}
        </Alert>
      )}
    </div>
  );
}
