// What support does all day, in a browser, beside a real stack and with real calls. Each step says itself.
import { accessible, admin, end, env, newPage, open, place, settle, signIn, step } from './browser.mjs';
import { canvas } from './canvas.mjs';
import { payloads } from './payloads.mjs';
import assert from 'node:assert/strict';

const { COMPANY: company, COMPANY_NUMBER: number, COMPANY_NAME: companyName } = env;
const caller = '+12025550188';
const browser = await open();
const page = await newPage(browser);
const text = (id) => page.getByTestId(id).innerText();

step('signs in, and a wrong password is refused in words');
await page.goto(`${admin}/`);
await page.getByLabel('E-mail').fill(env.PLATFORM_EMAIL);
await page.getByRole('textbox', { name: 'Password' }).fill('not this one');
await page.getByRole('button', { name: 'Sign in' }).click();
await page.getByText('E-mail, password or code is wrong.').waitFor();
await signIn(page, env.PLATFORM_EMAIL);

step('finds a call that failed, by its number as people write it');
await place({ from: caller, to: number, expect: 480 });
await page.getByRole('search').getByRole('textbox').fill('+1 (202) 555-0188');
await page.keyboard.press('Enter');
await page.getByRole('table', { name: 'Calls' }).getByRole('link', { name: caller }).first().click();

step('reads its verdict, whose fault it was and what to do');
await page.getByTestId('advice').waitFor();
assert.match(await text('verdict'), /Phone two is not registered/);
assert.match(await text('advice'), /Check that Phone two has power and network/);
await page.getByText('SIP 480').first().waitFor();
const deepLink = page.url();

step('follows its SIP from the caller to the refusal');
const ladder = page.getByRole('table', { name: 'SIP ladder' });
await ladder.getByText(/^INVITE from/).first().waitFor();
await ladder.getByText(/^480 from/).first().waitFor();

step('tries it again: nothing has changed');
await page.getByRole('button', { name: 'Try again now' }).click();
await page.getByText('It would go the same way, and end the same.').waitFor();

step('fixes the flow: another phone is rung');
await page.goto(`${admin}/t/${company}/flows/flow${number.slice(1)}`);
await page.getByRole('tab', { name: 'JSON' }).click();
const json = page.getByLabel('The flow, as JSON');
const flow = await json.inputValue();
await json.fill(flow.replace('"two"', '"nobody"'));
await page.getByText('This is wrong with it').waitFor();
await json.fill(flow.replace('"two"', '"one"'));
await page.getByText('This is wrong with it').waitFor({ state: 'hidden' });
await page.getByRole('button', { name: 'Save the draft' }).click();
await page.getByText('Saved as a draft').waitFor();

step('dry-runs it: live it fails still, with the drafts it would be answered');
await page.getByRole('tab', { name: 'Try a call' }).click();
await page.getByRole('textbox', { name: 'From' }).fill(caller);
await page.getByRole('textbox', { name: 'To', exact: true }).fill(number);
await page.getByRole('button', { name: 'As it is live' }).click();
await page.getByTestId('tried').getByText('not answered').waitFor();
await page.getByRole('button', { name: 'Try with the drafts' }).click();
await page.getByTestId('tried').getByText('The call would be answered.').waitFor();
await page.goto(deepLink);
await page.getByRole('button', { name: 'Try with the drafts' }).click();
await page.getByTestId('again').getByText('The call would be answered.').waitFor();

step('reads in words what would change, replays last week, and publishes');
await page.goto(`${admin}/t/${company}/flows`);
await page.getByText(/changes? (is|are) not published yet/).waitFor();
await page.getByRole('button', { name: 'How would last week’s calls have gone?' }).click();
await page.getByText(/of last week’s .* would have gone differently/).waitFor();
await page.getByLabel('What and why').fill('the second phone is out of order');
await page.getByRole('button', { name: 'Publish' }).click();
await page.getByText('is live for new calls').first().waitFor();

step('a real call succeeds');
let succeeded = await place({ from: caller, to: number, answers: 'one', talk_ms: 500 });
assert.equal(succeeded.error, undefined);
await page.goto(`${admin}/search?q=${encodeURIComponent(succeeded.sip_call_id)}`); // a Call-ID leads to its call
await page.waitForURL(/\/calls\//);
await page.getByTestId('verdict').getByText('The call was answered').waitFor();
await page.goto(deepLink);
await page.getByText('What changed since').waitFor();
await page.getByText(/publish|flow/i).first().waitFor();

await canvas(page, { company, domain: env.COMPANY_DOMAIN });

step('sees a live call appear, and hangs it up');
await page.goto(`${admin}/t/${company}/live`);
await page.getByText('Nobody is calling').waitFor();
const began = Date.now();
const talking = place({ from: caller, to: number, answers: 'one', talk_ms: 15_000, ended: true });
await page.getByRole('button', { name: /^Hang up the call/ }).waitFor();
console.log(`figure admin_live_call_appears_ms ${Date.now() - began}`);
await page.getByText('Talking').waitFor();
await page.getByRole('button', { name: /^Listen to the call/ }).click();
await page.getByRole('dialog').getByRole('radio', { name: 'Whisper' }).check();
await accessible(page, 'the dialog to listen in');
await page.getByRole('dialog').getByRole('button', { name: 'Leave it' }).click();
await page.getByRole('dialog').waitFor({ state: 'hidden' });
await page.getByRole('button', { name: /^Record the call/ }).click();
await page.getByRole('dialog').getByRole('button', { name: 'Record' }).click();
await page.getByText('Recorded', { exact: true }).waitFor();
await page.getByRole('button', { name: /^End recording/ }).click();
await page.getByRole('dialog').getByRole('button', { name: 'End the recording' }).click();
await page.getByText('Recorded', { exact: true }).waitFor({ state: 'hidden' });
await page.getByRole('button', { name: /^Hang up the call/ }).click();
await page.getByRole('dialog').getByRole('button', { name: 'Hang up' }).click();
await page.getByText('Nobody is calling').waitFor();
succeeded = await talking;
assert.equal(succeeded.error, undefined);

step('imports numbers from a sheet, with progress; a wrong sheet says which line');
const sheet = (lines) => ({ name: 'numbers.csv', mimeType: 'text/csv', buffer: Buffer.from(`number;note\n${lines.join('\n')}\n`) });
const bring = async (file) => {
  await page.goto(`${admin}/numbers`);
  await page.getByRole('button', { name: 'Import a sheet' }).click();
  const choosing = page.waitForEvent('filechooser');
  await page.getByRole('dialog').getByRole('button', { name: 'Sheet' }).click();
  await (await choosing).setFiles(file);
  await page.getByRole('button', { name: 'Import it' }).click();
  await page.waitForURL(/\/orders\//);
};
await bring(sheet(Array.from({ length: 200 }, (_, i) => `+4930901${String(1000 + i)};sheet`)));
await page.getByTestId('order-state').getByText('done').waitFor();
await bring(sheet(['+49309019999;good', 'no number;bad']));
await page.getByTestId('order-state').getByText('failed').waitFor();
await page.getByRole('table', { name: 'Errors' }).waitFor();

step('undoes a change');
await page.goto(`${admin}/t/${company}/users/three`);
await page.getByLabel('Name').fill('Somebody Else');
await page.getByRole('button', { name: 'Save' }).first().click();
await page.getByText('Saved.').waitFor();
await page.goto(`${admin}/t/${company}/audit`);
await page.getByRole('button', { name: /^Undo: updated users three/ }).first().click();
await page.getByRole('dialog').getByRole('button', { name: 'Undo' }).click();
await page.getByText('It is as it was before.').waitFor();
await page.goto(`${admin}/t/${company}/users/three`);
await page.getByRole('heading', { name: 'User three' }).waitFor();

step('sends a webhook a test, and looks at the log');
await page.goto(`${admin}/t/${company}/webhooks`);
await page.getByRole('link', { name: 'CRM' }).click();
await page.getByRole('button', { name: 'Send a test' }).click();
await page.getByRole('table', { name: 'Delivery log' }).getByText('webhook.test').first().waitFor();

step('acts as the company: the bar stays on every page, until he is himself again');
await page.goto(`${admin}/t/${company}`);
await page.getByRole('button', { name: `Act as ${companyName}` }).click();
await page.getByText(`You act as ${company}`).waitFor();
await page.goto(`${admin}/t/${company}/devices`);
await page.getByText(`You act as ${company}`).waitFor();
assert.equal(await page.getByRole('link', { name: 'Nodes' }).count(), 0);
await page.getByRole('button', { name: 'Be yourself again' }).first().click();
await page.getByRole('link', { name: 'Nodes' }).waitFor();

step('a tenant’s admin sees his own alone');
const other = await newPage(browser);
await signIn(other, env.COMPANY_EMAIL);
await other.getByRole('heading', { name: companyName }).waitFor();
assert.equal(await other.getByRole('link', { name: 'Tenants' }).count(), 0);
await other.goto(`${admin}/t/nobody/users`);
await other.getByText('Not found').first().waitFor();
await other.goto(deepLink);
await other.getByTestId('verdict').waitFor();
await other.context().close();

step(`${payloads.length} texts that want to be run, in every field that comes from SIP: none is`);
await hostile();

step('a name from a real phone is text too');
const named = await place({ from: 'one', name: '"<img src=x onerror=alert(1)>"', to: '102', expect: 480 });
assert.equal(named.error, undefined);
await page.goto(`${admin}/search?q=${encodeURIComponent(named.sip_call_id)}`);
await page.waitForURL(/\/calls\//);
await page.getByText('<img src=x onerror=alert(1)>').first().waitFor();
await accessible(page, 'the call page');

step('without the server each page says so');
await page.route('**/v1/**', (route) => route.abort());
await page.getByRole('link', { name: 'Calls' }).first().click();
await page.getByText('The server cannot be reached.').first().waitFor();
await page.unroute('**/v1/**');
await end(browser);

async function hostile() {
  let hits = 0;
  await page.exposeFunction('hit', () => hits++);
  const now = new Date().toISOString();
  const answer = (value) => (route) => route.fulfill({ json: value });
  const cdr = (p, i) => ({ type: 'cdr.v1', leg: `${i}${p}`, call: p, tenant: company, role: i ? 'callee' : 'caller', sip_call_id: p, from: p, from_name: p, to: p, device: p, trunk: p, node: p, started_at: now, ended_at: now, cause: p, q850: 16, sip_code: 480, fault: 'callee', version: 0 });
  const row = (p, i) => ({ call: `${i}`, tenant: company, sip_call_id: p, from: p, to: p, started_at: now, ended_at: now, version: 1, cause: p, fault: 'callee', sip_code: 480 });
  const live = (p, i) => ({ call: `${i}`, state: 'answered', tenant: p, from: p, to: p, node: p, flow: p, element: p, started_at: now, legs: [{ leg: p, role: p, device: p }], explanation: '' });
  const registration = (p, i) => ({ id: `${i}`, tenant: company, username: p, domain: p, contact: p, address: p, port: 5060, transport: p, user_agent: p, edge: p, expires_at: now, registered_at: now, device: p });
  const recording = (p, i) => ({ id: `x.${i}`, call: p, leg: p, at: now, from: p, from_name: p, state: 'kept', length_ms: 1000 });
  const message = (p, i) => ({ id: `x.${i}`, call: p, at: now, seconds: 1, filed: true, from: p, from_name: p });
  const pages = {
    [`/t/${company}/recordings`]: { '**/v1/tenants/*/recordings*': { items: payloads.map(recording) } },
    [`/t/${company}/voicemail/one`]: { '**/v1/tenants/*/voicemail/one/messages*': { messages: payloads.map(message) } },
    '/calls/x': { '**/v1/calls/x': live(payloads[0], 0), '**/v1/calls/x/explanation': { call: 'x', tenant: company, version: 0, verdict: payloads.join(' '), fault: 'callee', flow: payloads[0], advice: payloads.map((p) => ({ words: p, about: 'flow' })), lines: payloads.map((p) => ({ at: now, source: 'callflow', element: p, code: p, words: p })), legs: payloads.map(cdr) },
      '**/v1/calls/x/ladder': { call: 'x', tenant: company, unknown: payloads, columns: payloads.map((p, i) => ({ id: `${i}`, kind: 'called', name: p, about: p })), arrows: payloads.map((p, i) => ({ at: now, from: `${i}`, to: '0', message: p, words: p, cause: p, told: 'node' })) } },
    '/calls': { '**/v1/past-calls*': { items: payloads.map(row) } },
    '/live': { '**/v1/calls?*': { calls: payloads.map(live), more: false } },
    [`/t/${company}/flows/y`]: {
      [`**/v1/tenants/${company}/flows/y`]: { id: 'y', name: payloads[0], start: payloads[0], elements: Object.fromEntries(payloads.map((p) => [p, { type: p, settings: { prompt: p }, exits: { [p]: p } }])) },
      [`**/v1/tenants/${company}/flows/y/check`]: { faults: payloads.map((p) => ({ path: `/elements/${p.replace(/~/g, '~0').replace(/\//g, '~1')}/type`, code: 'element_unknown', detail: p, mend: p })) },
    },
    '/registrations': { '**/v1/registrations*': { items: payloads.map(registration) } },
    [`/search?q=${encodeURIComponent(payloads[1])}`]: { '**/v1/search*': { calls: payloads.map(row), tenants: payloads.map((p) => ({ id: p, name: p, domain: p })), users: payloads.map((p) => ({ tenant: p, id: p, name: p, extension: p })), devices: payloads.map((p) => ({ tenant: p, id: p, name: p, username: p })), numbers: payloads.map((p) => ({ tenant: p, number: p })) } },
  };
  for (const [path, answers] of Object.entries(pages)) {
    for (const [url, value] of Object.entries(answers)) await page.route(url, answer(value));
    await page.goto(admin + path);
    await settle(page);
    await page.locator('#page').waitFor().catch((e) => assert.fail(`${path} is broken: ${e.message}`));
    for (const p of payloads) assert.ok((await page.locator('#page').innerText()).includes(p.trim().slice(0, 12)), `${path} does not show ${p}`);
    for (const url of Object.keys(answers)) await page.unroute(url);
  }
  assert.equal(hits, 0);
  console.log(`figure admin_xss_run ${hits} (of ${payloads.length} texts on ${Object.keys(pages).length} pages)`);
}
