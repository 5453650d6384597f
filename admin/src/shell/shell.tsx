// The frame around every page: where to go, whose things are shown, who acts as whom.
import { ActionIcon, AppShell, Burger, Button, Group, Menu, NavLink, ScrollArea, Text, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconBook, IconLogout, IconMoon, IconSun, IconUserCircle } from '@tabler/icons-react';
import { Fragment, Suspense, useEffect } from 'react';
import { Link, Outlet, useLocation, useMatch } from 'react-router';
import { PhoneButton } from '../phone/button';
import { switchOff } from '../phone/line';
import { Failed, Loading } from '../parts/states';
import { useTell } from '../parts/told';
import { SessionProvider, useMay, useSelf, useSessionChanges, useSignedIn } from '../session';
import { Mark, useBrand } from './brand';
import { everywhere, ofPlatform, ofTenant, type Entry } from './navigation';
import { SearchBox } from './searchbox';
import { SignIn } from './signin';
import { TenantSwitcher } from './switcher';
import { lastTenant } from './tenant';

// Shell lets in who has signed in.
export function Shell() {
  const self = useSignedIn();
  const out = self.data === null;
  useEffect(() => {
    if (out) switchOff(); // whoever signs in next is somebody else
  }, [out]);
  if (self.data) {
    return (
      <SessionProvider self={self.data} key={`${self.data.actor} ${self.data.acting_as ?? ''}`}>
        <Frame />
      </SessionProvider>
    );
  }
  if (self.data === null) return <SignIn />;
  if (self.error) return <Failed error={self.error} again={() => void self.refetch()} />;
  return <Loading />;
}

function Frame() {
  const brand = useBrand();
  const [open, { toggle, close }] = useDisclosure(false);
  const { pathname } = useLocation();
  const self = useSelf();
  useEffect(close, [pathname, close]);
  const acting = Boolean(self.acting_as);
  return (
    <AppShell header={{ height: acting ? 96 : 56 }} navbar={{ width: 216, breakpoint: 'sm', collapsed: { mobile: !open } }} padding={{ base: 'sm', sm: 'lg' }}>
      <AppShell.Header>
        {acting && <ActingBar tenant={self.acting_as ?? ''} />}
        <Group h={56} px="sm" gap="sm" wrap="nowrap">
          <Burger opened={open} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="Pages" aria-expanded={open} />
          <Text component={Link} to="/" fw={750} size="lg" c="inherit" td="none" visibleFrom="sm" w={180}>
            <Mark height={32} of={brand} />
          </Text>
          <SearchBox />
          <PhoneButton />
          <ColourSwitch />
          <OwnMenu />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs">
        <Navigation />
      </AppShell.Navbar>
      <AppShell.Main>
        <a href="#page" className="skip">
          To the page
        </a>
        <div id="page" tabIndex={-1} style={{ maxWidth: 1240, margin: '0 auto', outline: 'none' }}>
          <Suspense fallback={<Loading />}>
            <Outlet />
          </Suspense>
        </div>
      </AppShell.Main>
    </AppShell>
  );
}

// ActingBar is above every page for as long as somebody acts as a tenant.
function ActingBar({ tenant }: { tenant: string }) {
  const { signOut } = useSessionChanges();
  const tell = useTell();
  return (
    <Group h={40} px="sm" justify="space-between" wrap="nowrap" bg="orange.8" role="status" gap="xs">
      <Text size="sm" fw={600} c="white" truncate style={{ minWidth: 0 }}>
        You act as {tenant}. What you change is written down with both names.
      </Text>
      <Button size="compact-sm" variant="white" color="dark" onClick={() => void signOut().catch(tell.failed)} style={{ flexShrink: 0 }}>
        Be yourself again
      </Button>
    </Group>
  );
}

function ColourSwitch() {
  const { setColorScheme } = useMantineColorScheme();
  const now = useComputedColorScheme('light');
  const other = now === 'dark' ? 'light' : 'dark';
  return (
    <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`Use ${other} colours`} onClick={() => setColorScheme(other)} visibleFrom="xs">
      {now === 'dark' ? <IconSun size={20} /> : <IconMoon size={20} />}
    </ActionIcon>
  );
}

function OwnMenu() {
  const self = useSelf();
  const { signOut } = useSessionChanges();
  const tell = useTell();
  const { setColorScheme } = useMantineColorScheme();
  const now = useComputedColorScheme('light');
  return (
    <Menu position="bottom-end" width={230}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label="Your account">
          <IconUserCircle size={22} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{self.role ? self.role.replace('_', ' ') : self.actor}</Menu.Label>
        <Menu.Item component={Link} to="/self" leftSection={<IconUserCircle size={16} />}>
          Password and second factor
        </Menu.Item>
        <Menu.Item component="a" href="/docs" leftSection={<IconBook size={16} />}>
          The API
        </Menu.Item>
        <Menu.Item leftSection={now === 'dark' ? <IconSun size={16} /> : <IconMoon size={16} />} onClick={() => setColorScheme(now === 'dark' ? 'light' : 'dark')} hiddenFrom="xs">
          {now === 'dark' ? 'Light colours' : 'Dark colours'}
        </Menu.Item>
        <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => void signOut().catch(tell.failed)}>
          {self.acting_as ? 'Be yourself again' : 'Sign out'}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function Navigation() {
  const may = useMay();
  const self = useSelf();
  const home = self.acting_as ?? self.tenant;
  const inTenant = useMatch('/t/:tenant/*')?.params.tenant ?? home ?? lastTenant();
  const shown = (all: Entry[]) => all.filter((e) => !e.scope || may(e.scope));
  const platform = shown(ofPlatform).filter((e) => !home || e.to === 'tenants');
  const tenantBase = inTenant ? `/t/${encodeURIComponent(inTenant)}` : '';
  // What is at hand comes first: on a tenant's pages, that tenant's.
  const onTenant = useMatch('/t/:tenant/*') !== null;
  const own = self.user && home && !may('users:read') ? `/t/${encodeURIComponent(home)}/users/${encodeURIComponent(self.user)}` : undefined;
  const platformPart = (
    <Fragment key="platform">
      {home === undefined && (
        <>
          <Heading words="Platform" />
          {shown(everywhere).map((e) => (
            <Item key={e.to} entry={e} to={`/${e.to}`} />
          ))}
          {platform.map((e) => (
            <Item key={e.to} entry={e} to={`/${e.to}`} />
          ))}
        </>
      )}
      {home !== undefined && self.role === 'reseller' && !self.acting_as && platform.map((e) => <Item key={e.to} entry={e} to={`/${e.to}`} />)}
    </Fragment>
  );
  const tenantPart = (
    <Fragment key="tenant">
      {may('tenants:read') && <TenantSwitcher chosen={inTenant} />}
      {inTenant && (
        <>
          {shown(ofTenant).slice(0, 1).map((e) => (
            <Item key="overview" entry={e} to={tenantBase} end />
          ))}
          {shown(everywhere).map((e) => (
            <Item key={`t ${e.to}`} entry={e} to={`${tenantBase}/${e.to}`} />
          ))}
          {shown(ofTenant).slice(1).map((e) => (
            <Item key={`t ${e.to}`} entry={e} to={`${tenantBase}/${e.to}`} />
          ))}
        </>
      )}
    </Fragment>
  );
  return (
    <>
      <AppShell.Section grow component={ScrollArea} type="never">
        <nav aria-label="Pages">
          {own && <Item entry={{ words: 'My settings', to: own, icon: IconUserCircle }} to={own} />}
          {onTenant ? [tenantPart, platformPart] : [platformPart, tenantPart]}
        </nav>
      </AppShell.Section>
    </>
  );
}

function Heading({ words }: { words: string }) {
  return (
    <Text size="xs" fw={650} c="dimmed" px="sm" pt="xs" pb={4}>
      {words}
    </Text>
  );
}

function Item({ entry, to, end }: { entry: Entry; to: string; end?: boolean }) {
  const { pathname } = useLocation();
  const active = end ? pathname === to : pathname === to || pathname.startsWith(`${to}/`);
  const Icon = entry.icon;
  return <NavLink component={Link} to={to} label={entry.words} leftSection={<Icon size={18} stroke={1.6} />} active={active} aria-current={active ? 'page' : undefined} py={7} style={{ borderRadius: 8 }} />;
}
