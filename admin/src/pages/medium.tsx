// A sound: heard, replaced, and where it is played.
import { Alert, Anchor, Group, Paper, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from 'react-router';
import { address, ask, askTagged, type Schemas } from '../api/client';
import { Confirm } from '../parts/confirm';
import { Form } from '../parts/form';
import { languageField, languageWords } from '../parts/languages';
import { Page } from '../parts/page';
import { Bring, Player, type Brought } from '../parts/sound';
import { Answer } from '../parts/states';
import { Time } from '../parts/time';
import { useTell } from '../parts/told';
import { sentence, span } from '../parts/words';
import { useMay } from '../session';
import { useTheTenant } from '../shell/tenant';
import { kindOptions, kindWords } from './media';

type Row = Schemas['MediaRow'];
type Use = Schemas['MediaUse'];
const thousand = 1000; // ms in a second; bytes in a kilobyte

export default function Medium() {
  const tenant = useTheTenant();
  const { media = '' } = useParams();
  const path = { tenant, media };
  const row = useQuery({ queryKey: ['media', tenant, 'one', media], queryFn: ({ signal }) => askTagged('get', '/v1/tenants/{tenant}/media/{media}', { path, signal }) });
  const uses = useQuery({ queryKey: ['media', tenant, 'uses', media], queryFn: async ({ signal }) => (await ask('get', '/v1/tenants/{tenant}/media/{media}/uses', { path, signal })).items });
  return <Answer of={row}>{({ value, etag }) => <One tenant={tenant} m={value} etag={etag} uses={uses} />}</Answer>;
}

interface Uses {
  data: Use[] | undefined;
  error: unknown;
  isPending: boolean;
  refetch: () => unknown;
}

function One({ tenant, m, etag, uses }: { tenant: string; m: Row; etag: string | undefined; uses: Uses }) {
  const may = useMay();
  const tell = useTell();
  const client = useQueryClient();
  const navigate = useNavigate();
  const path = { tenant, media: m.id };
  const base = `/t/${encodeURIComponent(tenant)}`;
  const anew = () => client.invalidateQueries({ queryKey: ['media', tenant] });
  const writes = may('media:write') && !m.box;
  const played = (uses.data?.length ?? 0) > 0;
  return (
    <Page
      title={m.name}
      about={`${kindWords[m.kind]}, ${languageWords(m.language)}`}
      back={{ to: `${base}/media`, words: 'Sounds' }}
      actions={
        writes &&
        uses.data &&
        !played && (
          <Confirm words="Delete" size="sm" title={`Delete ${m.name}?`} sure="Delete" done="Deleted. Under Changes it can be undone." act={() => ask('delete', '/v1/tenants/{tenant}/media/{media}', { path, match: etag }).then(anew).then(() => navigate(`${base}/media`))}>
            Nothing plays it. Versions before the one that runs may have.
          </Confirm>
        )
      }
    >
      {m.box && (
        <Alert variant="light">
          It is a greeting of a voicemail box, and changed there: <Anchor component={Link} size="sm" underline="always" to={`${base}/voicemail/${encodeURIComponent(m.box)}`}>voicemail of {m.box}</Anchor>.
        </Alert>
      )}
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Sound tenant={tenant} m={m} etag={etag} writes={writes} anew={anew} />
        <UsedBy base={base} uses={uses} />
        {writes && (
          <Paper withBorder p="md">
            <Title order={2} size="h4" mb="sm">
              What it is
            </Title>
            <Form
              key={etag}
              fields={[
                { name: 'name', label: 'Name', required: true, fixed: played, description: played ? 'It stays while something plays it.' : 'By which flows play it.' },
                { ...languageField, fixed: played },
                { name: 'kind', label: 'Kind', kind: 'select', required: true, options: kindOptions },
              ]}
              values={{ name: m.name, language: m.language, kind: m.kind }}
              submit="Save"
              act={async (v) => {
                await ask('put', '/v1/tenants/{tenant}/media/{media}', { path, match: etag, body: { name: String(v.name ?? ''), kind: v.kind as Row['kind'], ...(v.language ? { language: String(v.language) } : {}) } });
                tell.done('Saved.');
                await anew();
              }}
            />
          </Paper>
        )}
      </SimpleGrid>
    </Page>
  );
}

function Sound({ tenant, m, etag, writes, anew }: { tenant: string; m: Row; etag: string | undefined; writes: boolean; anew: () => Promise<unknown> }) {
  const tell = useTell();
  const path = { tenant, media: m.id };
  const replace = useMutation({
    mutationFn: (s: Brought) => ask('put', '/v1/tenants/{tenant}/media/{media}/sound', { path, match: etag, raw: { type: 'audio/wav', text: s.wav } }),
    onSuccess: async () => {
      tell.done('Replaced. Whatever plays it plays the new one from now on.');
      await anew();
    },
  });
  return (
    <Paper withBorder p="md" component="section" aria-label="Sound">
      <Title order={2} size="h4" mb="sm">
        Sound
      </Title>
      <Stack gap="sm">
        <Player key={m.sha256} src={address('/v1/tenants/{tenant}/media/{media}/sound', { path })} label={m.name} file={`${m.name}.wav`} />
        <Text size="sm" c="dimmed">
          {span(m.length_ms / thousand)}, {m.rate.toLocaleString()} samples a second, {Math.ceil(m.bytes / thousand).toLocaleString()} kB, from <Time at={m.changed_at} />
        </Text>
        {writes && (
          <Group>
            <Bring words="Replace it" busy={replace.isPending} onBring={(s) => replace.mutateAsync(s).catch(() => undefined)} />
          </Group>
        )}
        {replace.error && (
          <Alert color="red" role="alert" variant="light">
            {sentence(replace.error)}
          </Alert>
        )}
      </Stack>
    </Paper>
  );
}

function UsedBy({ base, uses }: { base: string; uses: Uses }) {
  return (
    <Paper withBorder p="md" component="section" aria-label="Where it is played">
      <Title order={2} size="h4" mb="sm">
        Where it is played
      </Title>
      <Answer of={uses} rows={2}>
        {(all) =>
          all.length === 0 ? (
            <Text size="sm">Nowhere yet. A flow plays it by its name.</Text>
          ) : (
            <Stack gap={6}>
              {all.map((u) => (
                <Text size="sm" key={`${u.what} ${u.flow} ${u.path} ${u.version}`}>
                  {u.what === 'music_on_hold' ? (
                    <>
                      For held callers, by the <Anchor component={Link} size="sm" underline="always" to={base}>tenant’s settings</Anchor>
                    </>
                  ) : (
                    <>
                      Flow{' '}
                      <Anchor component={Link} size="sm" underline="always" to={`${base}/flows/${encodeURIComponent(u.flow ?? '')}`}>
                        {u.flow}
                      </Anchor>{' '}
                      <Text span c="dimmed" size="sm">
                        {u.version ? `in version ${u.version}` : 'in the draft'}, {elementOf(u.path)}
                      </Text>
                    </>
                  )}
                </Text>
              ))}
            </Stack>
          )
        }
      </Answer>
    </Paper>
  );
}

// elementOf names the element of a pointer such as /elements/welcome/settings/prompt.
function elementOf(path: string | undefined): string {
  const found = /^\/elements\/([^/]+)/.exec(path ?? '');
  return found?.[1] ? `element ${found[1]}` : (path ?? '');
}
