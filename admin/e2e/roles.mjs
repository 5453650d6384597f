// Who sees which page and may do what on it: each role walks through all of them.
import assert from 'node:assert/strict';
import { accessible, admin, end, env, newPage, open, settle, signIn, step } from './browser.mjs';

const { COMPANY: company, COMPANY_NAME: name, COMPANY_DOMAIN: domain } = env;
const browser = await open();
const ofTenant = ['users', 'voicemail', 'voicemail/one', 'recordings', 'media', 'schedules', 'schedules/office', 'lists', 'lists/blocked', 'portings', 'brand', 'flows', 'audit'];
const leads = new Set(['voicemail', 'audit']); // nothing is changed there, or nothing has been
// What each button that changes something is called.
const changes = /^(Add|Bring|Delete|Remove|Write|Give|Take|Mark|Save|Close today|Open all of today|Call|Start|Submit|Replace|Undo|Publish|Suspend|Cancel|Change)\b/;

async function walk(page, paths) {
  const found = new Map();
  for (const path of paths) {
    await page.goto(`${admin}/t/${company}/${path}`);
    await page.waitForFunction(() => document.querySelector('h1, [role=alert]'));
    await page.waitForFunction(() => !document.querySelector('[aria-busy="true"]'));
    found.set(path, { refused: await page.getByText(/^(Not allowed|Not found)$/).count(), buttons: (await page.locator('#page').getByRole('button').allInnerTexts()).filter((b) => changes.test(b.trim())) });
  }
  return found;
}

const links = async (page) => (await page.getByRole('navigation', { name: 'Pages' }).getByRole('link').allInnerTexts()).map((l) => l.trim());

for (const [role, platform] of [['platform', true], ['support', true], ['reseller', false], ['company', false]]) {
  step(`${role}: every page opens`);
  const page = await newPage(browser);
  await signIn(page, `${role}@${domain}`);
  for (const [path, { refused, buttons }] of await walk(page, ofTenant)) {
    assert.equal(refused, 0, `${role} at ${path}`);
    assert.ok(buttons.length > 0 || leads.has(path), `${role} can change nothing at ${path}`);
  }
  const shown = await links(page);
  for (const l of ['Voicemail', 'Recordings', 'Sounds', 'Opening hours', 'Lists', 'Porting', 'Brand']) assert.ok(shown.includes(l), `${role} is not led to ${l}`);
  assert.equal(shown.includes('Nodes'), platform, `${role} and the nodes`);
  await page.context().close();
}

step('who may only read sees all of them, and nothing that changes anything');
const reader = await newPage(browser);
await reader.route('**/v1/self', async (route) => {
  const answer = await route.fetch();
  if (!answer.ok()) return route.fulfill({ response: answer });
  const self = await answer.json();
  return route.fulfill({ response: answer, json: { ...self, scopes: self.scopes.filter((s) => s.endsWith(':read')) } });
});
await signIn(reader, `company@${domain}`);
for (const [path, { refused, buttons }] of await walk(reader, [...ofTenant, 'users/one', ''])) {
  assert.equal(refused, 0, `a reader at ${path}`);
  assert.deepEqual(buttons, [], `a reader at ${path}`);
}
await reader.goto(`${admin}/t/${company}/schedules/office`);
assert.ok(await reader.getByLabel('Monday, open from').first().isDisabled());

step('a user sees his own page and settings, sets a forward, and is told of all others that they are not for him');
const user = await newPage(browser, { refused: true });
await signIn(user, `user@${domain}`);
await user.waitForURL(/\/users\/one$/);
await settle(user);
assert.deepEqual(await links(user), ['My settings']);
await user.getByLabel('When busy to').fill('102');
await user.getByRole('button', { name: 'Save' }).click();
await user.getByText('Saved.').waitFor();
await accessible(user, 'the page of a user, for himself');
for (const [path, { refused }] of await walk(user, ['voicemail', 'recordings', 'media', 'schedules', 'lists', 'portings', 'users/two'])) assert.ok(refused > 0, `a user at ${path}`);

step('who acts as a tenant sees it above every page');
const acting = await newPage(browser);
await signIn(acting, `platform@${domain}`);
await acting.goto(`${admin}/t/${company}`);
await acting.getByRole('button', { name: `Act as ${name}` }).click();
await acting.getByText(`You act as ${company}`).waitFor();
for (const path of ofTenant) {
  await acting.goto(`${admin}/t/${company}/${path}`);
  await settle(acting);
  assert.ok(await acting.getByText(`You act as ${company}`).isVisible(), `acting is not seen at ${path}`);
}

const empty = { users: 'No users yet', voicemail: 'No boxes yet', recordings: 'No recordings yet', media: 'No sounds yet', schedules: 'No opening hours yet', lists: 'No lists yet', portings: 'No porting orders', brand: 'inherited', '': 'To the first call' };
const most = 0.1; // of what a page may move of itself while it loads (what is called good: web.dev/cls)

step('a tenant that has nothing yet: each page says so and what to do, and nothing jumps while it loads');
const fresh = await newPage(browser);
await signIn(fresh, `platform@${domain}`);
await fresh.addInitScript(() => {
  window.moved = 0;
  new PerformanceObserver((all) => all.getEntries().forEach((e) => !e.hadRecentInput && (window.moved += e.value))).observe({ type: 'layout-shift', buffered: true });
});
let furthest = 0;
for (const [tenant, paths] of [['new', Object.keys(empty)], [company, ofTenant.filter((p) => p !== 'flows')]]) {
  for (const path of paths) {
    await fresh.goto(`${admin}/t/${tenant}/${path}`);
    if (tenant === 'new') await fresh.locator('#page').getByText(empty[path], { exact: true }).first().waitFor();
    await settle(fresh);
    if (tenant === 'new') await accessible(fresh, `${path} with nothing in it`);
    const moved = await fresh.evaluate(() => window.moved);
    furthest = Math.max(furthest, moved);
    assert.ok(moved <= most, `${path} of ${tenant} jumps: ${moved}`);
  }
}
console.log(`figure admin_layout_shift_max ${furthest.toFixed(3)} (limit ${most})`);

step('without the server each page says so, and is there when the server is');
await fresh.route('**/v1/tenants/**', (route) => route.abort());
for (const path of ['voicemail/one', 'media', 'schedules/office', 'portings', 'brand']) {
  await fresh.goto(`${admin}/t/${company}/${path}`);
  await fresh.getByText('The server cannot be reached.').first().waitFor();
}
await fresh.unroute('**/v1/tenants/**');
await fresh.getByRole('button', { name: 'Try again' }).first().click();
await fresh.getByRole('region', { name: 'How it looks' }).waitFor();
await end(browser);
