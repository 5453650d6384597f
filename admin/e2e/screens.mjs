// An image of each main page, wide and narrow, light and dark; and what axe says of it.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { accessible, admin, end, env, newPage, open, settle, signIn } from './browser.mjs';

const folder = env.SCREENS;
mkdirSync(folder, { recursive: true });
const only = env.ONLY?.split(',');
const browser = await open();
const first = await newPage(browser);
await signIn(first, env.PLATFORM_EMAIL);
const api = async (path) => (await first.request.get(new URL(path, admin).href)).json();
const calls = (await api('/v1/tenants/demo/past-calls')).items;
const answered = calls.find((c) => c.to === '300')?.call;
const failed = calls.find((c) => c.to === '103')?.call;
const company = `/t/${env.COMPANY}`;
const recorded = (await api(`/v1/tenants/${env.COMPANY}/recordings`)).items[0]?.call;
const medium = (await api(`/v1/tenants/${env.COMPANY}/media`)).items[0]?.id;
const porting = (await api(`/v1/tenants/${env.COMPANY}/portings`)).items[0]?.id;

const pages = {
  signin: null,
  calls: '/calls',
  call: `/calls/${answered}`,
  'call-failed': `/calls/${failed}`,
  search: '/search?q=sales',
  live: '/live',
  'live-many': '/live',
  registrations: '/registrations',
  tenants: '/tenants',
  nodes: '/nodes',
  tenant: '/t/demo',
  users: '/t/demo/users',
  devices: '/t/demo/devices',
  device: '/t/demo/devices/sales-phone',
  user: '/t/demo/users/sales',
  numbers: '/t/demo/numbers',
  flows: '/t/demo/flows',
  flow: '/t/demo/flows/main',
  'flow-list': '/t/demo/flows/main',
  'flow-form': '/t/demo/flows/main',
  'flow-tried': '/t/demo/flows/main',
  'flow-palette': '/t/demo/flows/main',
  canary: `/t/${env.COMPANY}/flows`,
  versions: '/t/demo/flows?show=versions',
  orders: '/orders',
  trunks: '/trunks',
  webhooks: `/t/${env.COMPANY}/webhooks`,
  voicemail: `${company}/voicemail`,
  box: `${company}/voicemail/one`,
  recordings: `${company}/recordings`,
  'call-recorded': `/calls/${recorded}`,
  schedules: `${company}/schedules`,
  schedule: `${company}/schedules/office`,
  lists: `${company}/lists`,
  list: `${company}/lists/blocked`,
  media: `${company}/media`,
  medium: `${company}/media/${medium}`,
  portings: `${company}/portings`,
  porting: `${company}/portings/${porting}`,
  brand: `${company}/brand`,
  start: '/start',
  'first-steps': '/t/new',
  keys: '/t/demo/keys',
  people: '/people',
  audit: '/t/demo/audit',
  self: '/self',
};
// What is done on a page before its image is made.
const before = {
  'flow-list': async (page) => {
    await page.getByRole('tab', { name: 'List' }).click();
    await page.getByRole('region', { name: 'Elements' }).waitFor();
  },
  'flow-form': async (page) => {
    await page.locator('[data-element="menu"]').click();
    await page.getByRole('region', { name: /menu/ }).waitFor();
  },
  'flow-tried': async (page) => {
    await page.getByRole('tab', { name: 'Try a call' }).click();
    await page.getByRole('textbox', { name: 'From' }).fill('+12025550188');
    await page.getByRole('textbox', { name: 'To', exact: true }).fill('+12025550100');
    await page.getByRole('combobox', { name: 'Keys at each prompt' }).fill('1');
    await page.getByRole('button', { name: 'Try with the drafts' }).click();
    await page.getByTestId('tried').waitFor();
  },
  'flow-palette': async (page) => {
    await page.getByRole('button', { name: 'Add an element', exact: true }).click();
    await page.getByRole('dialog').getByLabel('Which').waitFor();
  },
};
const someCalls = Array.from({ length: 12 }, (_, i) => ({
  call: `00000000-0000-4000-8000-0000000000${10 + i}`, state: i % 3 ? 'answered' : 'started', tenant: 'demo', from: `+1202555${1000 + i * 37}`, to: i % 2 ? '101' : '+12025550100', node: `node${(i % 2) + 1}`,
  flow: i % 2 ? 'sales' : 'menu', element: i % 3 ? 'ring' : 'menu', started_at: new Date(Date.now() - (i + 1) * 47_000).toISOString(), legs: [], recorded: i === 4, explanation: '',
}));
const state = await first.context().storageState();
for (const [size, viewport] of Object.entries({ wide: { width: 1440, height: 900 }, narrow: { width: 390, height: 844 } })) {
  for (const colorScheme of ['light', 'dark']) {
    const page = await newPage(browser, { viewport, colorScheme, storageState: state, deviceScaleFactor: 1 });
    const fresh = await newPage(browser, { viewport, colorScheme });
    for (const [name, path] of Object.entries(pages)) {
      if (only && !only.includes(name)) continue;
      const on = path ? page : fresh;
      if (name === 'live-many') await on.route('**/v1/calls?*', (route) => route.fulfill({ json: { calls: someCalls, more: false } }));
      await on.goto(admin + (path ?? '/'));
      await settle(on);
      if (name === 'call-failed') {
        await on.getByRole('button', { name: 'Try again now' }).click();
        await on.getByTestId('again').waitFor();
      }
      await before[name]?.(on);
      await on.screenshot({ path: join(folder, `${name}-${size}-${colorScheme}.png`), fullPage: true });
      await accessible(on, `${name} ${size} ${colorScheme}`);
      if (name === 'live-many') {
        await on.getByRole('button', { name: /^Listen to the call/ }).first().click();
        await on.getByRole('dialog').getByRole('radio').first().waitFor();
        await settle(on);
        await on.screenshot({ path: join(folder, `listen-${size}-${colorScheme}.png`) });
        await accessible(on, `listen ${size} ${colorScheme}`);
        await on.keyboard.press('Escape');
        await on.unroute('**/v1/calls?*');
      }
      const wider = await on.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      if (wider > 1) console.error(`${name} ${size}: ${wider} px wider than the window`);
    }
    await page.context().close();
    await fresh.context().close();
  }
}
await end(browser);
