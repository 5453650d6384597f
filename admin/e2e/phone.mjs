// The phone in the browser, beside a real edge and with real SIP calls. Each step says itself. Sound is not part of it: the media node of
// these tests describes itself as one for browsers, and sends none (a FreeSWITCH does, see docs/admin.md).
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { accessible, admin, end, env, newPage, open, place, settle, signIn, step } from './browser.mjs';
import assert from 'node:assert/strict';

const { COMPANY: company, SCREENS: folder } = env;
if (folder) mkdirSync(folder, { recursive: true });
const browser = await open(['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream']);
const page = await newPage(browser, { permissions: ['microphone'] });
// The page's WebSockets, to cut one.
await page.addInitScript(() => {
  window.sockets = [];
  const Own = window.WebSocket;
  window.WebSocket = class extends Own {
    constructor(...a) {
      super(...a);
      window.sockets.push(this);
    }
  };
});
const phone = page.getByRole('region', { name: 'Phone' });
const button = page.getByRole('button', { name: /^Phone:/ });
const press = (name) => phone.getByRole('button', { name, exact: true }).click();
const talk = page.getByTestId('talk');
const shoot = async (name) => {
  if (!folder) return;
  const was = page.viewportSize();
  for (const [size, viewport] of Object.entries({ wide: { width: 1440, height: 900 }, narrow: { width: 390, height: 844 } })) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      await page.waitForTimeout(250); // transitions
      await page.screenshot({ path: join(folder, `phone-${name}-${size}-${colorScheme}.png`) });
      await accessible(page, `phone ${name} ${size} ${colorScheme}`);
    }
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(was);
};

step('is switched on as a user of the company’s, and registers through the edge');
await signIn(page, env.COMPANY_EMAIL);
await button.click();
await phone.getByRole('combobox').click();
await page.getByRole('option', { name: /User two/ }).click();
await shoot('off');
await press('Switch on');
await phone.getByText('extension 102').waitFor();
await shoot('on');
await page.getByRole('link', { name: 'Registrations' }).first().click();
await page.getByText('browser-two').first().waitFor();

step('calls a phone, which answers and hangs up; pages are changed meanwhile');
let other = place({ answering: 'one', talk_ms: 6000 });
await phone.getByLabel('Number or extension').fill('101');
await press('Call');
await talk.getByText('Talking').waitFor();
await page.getByRole('link', { name: 'Users' }).first().click();
await page.getByRole('heading', { name: 'Users' }).waitFor();
await talk.getByText('Talking').waitFor();
await shoot('talking');
await phone.getByText('They have hung up.').waitFor();
assert.equal((await other).error, undefined);
await phone.getByRole('link', { name: 'How it went' }).click();
await page.getByTestId('verdict').getByText('The call was answered').waitFor();

step('mutes, holds, takes back, keys, and hangs up itself');
other = place({ answering: 'one', ended: true });
await phone.getByLabel('Number or extension').fill('101');
await press('Call');
await talk.getByText('Talking').waitFor();
await press('Mute');
await press('Speak');
await press('Hold');
await talk.getByText('On hold').waitFor();
await shoot('held');
await press('Resume');
await talk.getByText('Talking').waitFor();
await press('Keys');
await phone.getByRole('group', { name: 'Keypad' }).getByRole('button', { name: '5', exact: true }).click();
await phone.getByText('5', { exact: true }).first().waitFor();
await shoot('keys');
await press('Hang up');
await phone.getByText('You have hung up.').waitFor();
assert.equal((await other).error, undefined);

step('is rung, says who calls, and answers');
other = place({ from: 'one', to: '102', talk_ms: 3000 });
await talk.getByText('Calls you').waitFor();
await talk.getByText('101').waitFor();
await shoot('rings');
await press('Answer');
await talk.getByText('Talking').waitFor();
await phone.getByText('They have hung up.').waitFor();
assert.equal((await other).error, undefined);

step('refuses a call');
other = place({ from: 'one', to: '102', expect: 486 });
await talk.getByText('Calls you').waitFor();
await press('Reject');
await phone.getByText('You have refused it.').waitFor();
assert.equal((await other).error, undefined);

step('passes a caller on to another phone');
other = place({ from: 'one', to: '102', answers: 'three', talk_ms: 4000 });
await talk.getByText('Calls you').waitFor();
await press('Answer');
await talk.getByText('Talking').waitFor();
await press('Transfer');
await phone.getByLabel('Transfer to').fill('103');
await phone.getByRole('button', { name: 'Transfer', exact: true }).last().click();
await phone.getByText('It was transferred.').waitFor();
assert.equal((await other).error, undefined);

step('says what is no number, and that nobody is there');
await phone.getByLabel('Number or extension').fill('<script>');
await press('Call');
await phone.getByText('That is no number.').waitFor();
await phone.getByLabel('Number or extension').fill('104');
await press('Call');
await phone.getByText('There is no such number.').waitFor();

step('tells that its connection is lost, and makes it again');
await page.evaluate(() => window.sockets.at(-1).close());
await phone.getByText('The connection is lost').waitFor();
await shoot('lost');
await phone.getByText('extension 102').waitFor();
other = place({ from: 'one', to: '102', expect: 486 });
await talk.getByText('Calls you').waitFor();
await press('Reject');
assert.equal((await other).error, undefined);

step('is switched off here when it is switched on in another window, and in another browser');
const elsewhere = phone.getByText('This phone is not in this window any more');
const switchOn = async (p) => {
  const there = p.getByRole('region', { name: 'Phone' });
  if (!(await there.isVisible())) await p.getByRole('button', { name: /^Phone:/ }).click();
  await there.getByRole('combobox').click();
  await p.getByRole('option', { name: /User two/ }).click();
  await there.getByRole('button', { name: 'Switch on', exact: true }).click();
  await there.getByText('extension 102').waitFor();
};
const second = await page.context().newPage();
await second.goto(`${admin}/`);
await switchOn(second);
await elsewhere.waitFor();
await shoot('elsewhere');
await second.close();
await switchOn(page);
const third = await newPage(browser, { permissions: ['microphone'] });
await signIn(third, env.COMPANY_EMAIL);
await switchOn(third);
await page.evaluate(() => window.sockets.at(-1).close()); // it registers anew, with the password of before
await elsewhere.waitFor();
await third.getByRole('region', { name: 'Phone' }).getByRole('button', { name: 'Switch the phone off' }).click();
await third.context().close();

step('says so when the microphone is refused');
await page.context().clearPermissions();
await page.evaluate(() => {
  navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotAllowedError')); // the flag of this browser allows it always
});
await phone.getByRole('combobox').click();
await page.getByRole('option', { name: /User two/ }).click();
await press('Switch on');
await phone.getByText('The microphone is refused.').waitFor();
await shoot('refused');
await settle(page);
await end(browser);
