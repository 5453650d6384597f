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
await end(browser);
