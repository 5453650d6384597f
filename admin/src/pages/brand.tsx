// How a tenant's people see the platform: name, colours, logo, domain, sender of e-mails.
import { Alert, Badge, Box, Button, ColorInput, FileButton, Group, Paper, SimpleGrid, Stack, Text, TextInput, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ask, askTagged, Problem, type Schemas } from '../api/client';
import { isColour, textOn } from '../parts/colours';
import { Confirm } from '../parts/confirm';
import { Page } from '../parts/page';
import { Answer } from '../parts/states';
import { useTell } from '../parts/told';
import { sentence } from '../parts/words';
import { useMay, useSelf } from '../session';
import { Mark } from '../shell/brand';
import { useTheTenant } from '../shell/tenant';

type Brand = Schemas['Brand'];
type Body = Schemas['BrandBody'];

export default function BrandOfTenant() {
  const tenant = useTheTenant();
  const row = useQuery({ queryKey: ['brand', tenant], queryFn: ({ signal }) => askTagged('get', '/v1/tenants/{tenant}/brand', { path: { tenant }, signal }) });
  return <Answer of={row}>{({ value, etag }) => <Looks key={`${tenant} ${etag}`} tenant={tenant} brand={value} etag={etag} />}</Answer>;
}

function bodyOf(b: Brand): Body {
  return { name: b.name, primary_color: b.primary_color, accent_color: b.accent_color, domain: b.inherited ? '' : (b.domain ?? ''), email_name: b.email_name ?? '', email_address: b.email_address ?? '' };
}

function Looks({ tenant, brand, etag }: { tenant: string; brand: Brand; etag: string | undefined }) {
  const may = useMay();
  const tell = useTell();
  const client = useQueryClient();
  const [own, setOwn] = useState(!brand.inherited);
  const [body, setBody] = useState(bodyOf(brand));
  const path = { tenant };
  const writes = may('settings:write');
  const anew = () => Promise.all([client.invalidateQueries({ queryKey: ['brand'] }), client.invalidateQueries({ queryKey: ['self', 'brand'] })]);
  const save = useMutation({
    mutationFn: () => ask('put', '/v1/tenants/{tenant}/brand', { path, match: brand.inherited ? undefined : etag, body: filledIn(body) }),
    onSuccess: async () => {
      tell.done('Saved. All below that have no brand of their own have it too.');
      await anew();
    },
  });
  const set = (name: keyof Body) => (value: string) => setBody((b) => ({ ...b, [name]: value }));
  return (
    <Page
      title="Brand"
      about={
        <Group gap="xs">
          How its people see these pages
          <Badge variant="light" color={brand.inherited ? 'gray' : 'teal'} radius="sm" tt="none">
            {brand.inherited ? 'inherited' : 'its own'}
          </Badge>
        </Group>
      }
      actions={
        writes &&
        !brand.inherited && (
          <Confirm words="Take it away" size="sm" title="Take the brand away?" sure="Take it away" done="It has the brand of who is above it." act={() => ask('delete', '/v1/tenants/{tenant}/brand', { path }).then(anew)}>
            The brand of who is above it holds then, or the platform’s. Under Changes it can be undone.
          </Confirm>
        )
      }
    >
      {!own && (
        <Alert variant="light" title={`It has the brand of who is above it: ${brand.name}`}>
          <Stack gap="sm" align="flex-start">
            <Text size="sm">What is below is inherited. Once it has a brand of its own, changes above do not reach it any more.</Text>
            {writes && <Button onClick={() => setOwn(true)}>Give it a brand of its own</Button>}
          </Stack>
        </Alert>
      )}
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Stack>
          <Paper withBorder p="md">
            <form
              onSubmit={(e) => {
                e.preventDefault();
                save.mutate();
              }}
            >
              <Fields body={body} set={set} fixed={!writes || !own} inherited={!own} error={save.error} />
              {writes && own && (
                <Group justify="flex-end" mt="md">
                  {brand.inherited && (
                    <Button variant="default" onClick={() => (setOwn(false), setBody(bodyOf(brand)), save.reset())}>
                      Leave it
                    </Button>
                  )}
                  <Button type="submit" loading={save.isPending} disabled={!isColour(body.primary_color) || !isColour(body.accent_color)}>
                    Save
                  </Button>
                </Group>
              )}
            </form>
          </Paper>
          {!brand.inherited && writes && <Logo tenant={tenant} brand={brand} anew={anew} />}
        </Stack>
        <Preview body={body} logo={brand.logo} />
      </SimpleGrid>
    </Page>
  );
}

// filledIn leaves out what is empty, and writes colours as the API does.
function filledIn(b: Body): Body {
  const { name, primary_color, accent_color, ...rest } = b;
  return { name: name.trim(), primary_color: primary_color.toLowerCase(), accent_color: accent_color.toLowerCase(), ...Object.fromEntries(Object.entries(rest).map(([k, v]) => [k, (v ?? '').trim()]).filter(([, v]) => v !== '')) };
}

function Fields({ body, set, fixed, inherited, error }: { body: Body; set: (name: keyof Body) => (value: string) => void; fixed: boolean; inherited: boolean; error: unknown }) {
  const self = useSelf();
  const ofPlatform = (self.acting_as ?? self.tenant) === undefined;
  const from = inherited ? 'Inherited.' : undefined;
  const wrong = (name: string) => (error instanceof Problem ? error.errors.find((e) => e.location.replace(/^body\./, '') === name)?.message : undefined);
  const known = ['name', 'primary_color', 'accent_color', 'domain', 'email_name', 'email_address'].some(wrong);
  const colour = { format: 'hex' as const, withEyeDropper: false, disabled: fixed, popoverProps: { withinPortal: true } };
  const colourWrong = (name: 'primary_color' | 'accent_color') => wrong(name) ?? (isColour(body[name]) ? undefined : 'A colour is written as #1c4e80.');
  return (
    <Stack gap="sm">
      <TextInput label="Name" required disabled={fixed} description={from} value={body.name} error={wrong('name')} onChange={(e) => set('name')(e.currentTarget.value)} maxLength={100} autoComplete="off" />
      <ColorInput label="Main colour" required {...colour} description={from ?? 'Of buttons and of the page that is open.'} value={body.primary_color} error={colourWrong('primary_color')} onChange={set('primary_color')} />
      <ColorInput label="Second colour" required {...colour} description={from ?? 'Of what stands out, such as in e-mails.'} value={body.accent_color} error={colourWrong('accent_color')} onChange={set('accent_color')} />
      {!inherited && (
        <TextInput label="Domain" disabled={fixed || !ofPlatform} placeholder="phone.north.example.com" description={ofPlatform ? 'Under which its people open these pages. Its DNS record and its certificate are made outside.' : 'Under which its people open these pages. The platform sets it.'} value={body.domain ?? ''} error={wrong('domain')} onChange={(e) => set('domain')(e.currentTarget.value)} autoComplete="off" />
      )}
      <TextInput label="Sender of e-mails, name" disabled={fixed} description={from} placeholder={body.name} value={body.email_name ?? ''} error={wrong('email_name')} onChange={(e) => set('email_name')(e.currentTarget.value)} autoComplete="off" />
      <TextInput label="Sender of e-mails, address" type="email" disabled={fixed} description={from} placeholder="the platform’s" value={body.email_address ?? ''} error={wrong('email_address')} onChange={(e) => set('email_address')(e.currentTarget.value)} autoComplete="off" />
      {error !== null && error !== undefined && !known && (
        <Alert color="red" role="alert" variant="light">
          {sentence(error)}
        </Alert>
      )}
    </Stack>
  );
}

const maxLogo = 262_144; // bytes, as the API says

function Logo({ tenant, brand, anew }: { tenant: string; brand: Brand; anew: () => Promise<unknown> }) {
  const tell = useTell();
  const path = { tenant };
  const set = useMutation({
    mutationFn: (file: File) => {
      if (file.size > maxLogo) throw new Error('The picture is larger than 256 KiB. Take a smaller one.');
      return ask('put', '/v1/tenants/{tenant}/brand/logo', { path, raw: { type: 'application/octet-stream', text: file } });
    },
    onSuccess: async () => {
      tell.done('The logo is set.');
      await anew();
    },
  });
  return (
    <Paper withBorder p="md" component="section" aria-label="Logo">
      <Title order={2} size="h4" mb="xs">
        Logo
      </Title>
      <Stack gap="sm" align="flex-start">
        <Text size="sm" c="dimmed">
          PNG or JPEG, 256 KiB and 2,000 by 2,000 pixels at most. It is shown in the place of the name.
        </Text>
        <Group gap="xs">
          <FileButton accept="image/png,image/jpeg" onChange={(f) => f && set.mutate(f)}>
            {(props) => (
              <Button {...props} variant="default" size="compact-sm" loading={set.isPending}>
                {brand.logo ? 'Bring another' : 'Bring a logo'}
              </Button>
            )}
          </FileButton>
          {brand.logo && (
            <Confirm words="Remove the logo" title="Remove the logo?" sure="Remove" done="Removed." act={() => ask('delete', '/v1/tenants/{tenant}/brand/logo', { path }).then(anew)}>
              Its name is shown instead.
            </Confirm>
          )}
        </Group>
        {set.error && (
          <Alert color="red" role="alert" variant="light">
            {sentence(set.error)}
          </Alert>
        )}
      </Stack>
    </Paper>
  );
}

// Preview shows the page on which its people sign in, and a page's head, as they would look.
function Preview({ body, logo }: { body: Body; logo: string | undefined }) {
  const main = isColour(body.primary_color) ? body.primary_color : '#888888';
  const second = isColour(body.accent_color) ? body.accent_color : '#888888';
  const sender = `${body.email_name || body.name} <${body.email_address || 'the platform’s address'}>`;
  return (
    <Paper withBorder p="md" component="section" aria-label="How it looks">
      <Title order={2} size="h4" mb="sm">
        How it looks
      </Title>
      <Stack gap="md" data-testid="preview">
        <Paper withBorder p="md" radius="md" maw={320}>
          <Stack gap="xs">
            <Text fw={650} size="xl" component="div">
              <Mark height={36} of={{ name: body.name || 'No name', logo }} />
            </Text>
            <Box h={30} style={{ borderRadius: 6, border: '1px solid var(--mantine-color-default-border)' }} />
            <Box h={30} style={{ borderRadius: 6, border: '1px solid var(--mantine-color-default-border)' }} />
            <Box py={6} ta="center" fw={600} fz="sm" style={{ borderRadius: 6, background: main, color: textOn(main) }}>
              Sign in
            </Box>
          </Stack>
        </Paper>
        <Paper withBorder radius="md" style={{ overflow: 'hidden' }}>
          <Box px="md" py="sm" fz="sm" fw={650} style={{ background: main, color: textOn(main) }}>
            {body.name || 'No name'}
          </Box>
          <Stack gap={4} p="md">
            <Text size="xs" c="dimmed">
              From: {sender}
            </Text>
            <Text size="sm">You have a new message.</Text>
            <Box px="sm" py={4} fz="sm" fw={600} w="fit-content" style={{ borderRadius: 6, background: second, color: textOn(second) }}>
              Listen to it
            </Box>
          </Stack>
        </Paper>
        <Text size="sm" c="dimmed">
          Text is black or white, whichever is read better on a colour. {body.domain ? `Under ${body.domain} the pages look like this.` : 'These pages look so under its own domain alone.'}
        </Text>
      </Stack>
    </Paper>
  );
}
