// What a tenant's admin does now and then, in a browser, beside a real stack: messages are heard, sounds brought, hours changed. Each step says itself.
import assert from 'node:assert/strict';
import { accessible, admin, end, env, newPage, open, place, settle, signIn, step } from './browser.mjs';

const { COMPANY: company, COMPANY_NUMBER: number } = env;
const browser = await open();
const page = await newPage(browser, { acceptDownloads: true });
const at = (path) => page.goto(`${admin}/t/${company}/${path}`);
const sound = (label) => page.locator(`audio[aria-label^="${label}"]`).first();
await signIn(page, env.COMPANY_EMAIL);

// plays lets a player play, and waits until it was heard to its end.
async function plays(player) {
  const heard = await player.evaluate(
    (audio) =>
      new Promise((done) => {
        audio.onended = () => done(`${audio.currentTime}`);
        audio.onerror = () => done(`it failed: ${audio.error?.message}`);
        audio.play().catch((e) => done(`it does not play: ${e.message}`));
      }),
  );
  assert.ok(Number(heard) > 0.5, `a player: ${heard}`);
}

// file is a sound of so many seconds: PCM of 16 bits, with so many channels and samples a second.
function file(name, seconds, channels = 2, rate = 44100) {
  const frames = Math.round(seconds * rate);
  const b = Buffer.alloc(44 + frames * channels * 2);
  b.write('RIFF', 0);
  b.writeUInt32LE(b.length - 8, 4);
  b.write('WAVEfmt ', 8);
  [[16, 4], [1, 2], [channels, 2], [rate, 4], [rate * channels * 2, 4], [channels * 2, 2], [16, 2]].reduce((where, [value, bytes]) => b.writeUIntLE(value, where, bytes), 16);
  b.write('data', 36);
  b.writeUInt32LE(frames * channels * 2, 40);
  for (let i = 0; i < frames * channels; i++) b.writeInt16LE(Math.round(8000 * Math.sin(i / 20)), 44 + i * 2);
  return { name, mimeType: 'audio/wav', buffer: b };
}

async function choose(button, what) {
  const choosing = page.waitForEvent('filechooser');
  await button.click();
  await (await choosing).setFiles(what);
}

step('hears a message, marks it as heard, keeps it as a file');
await at('users/one');
await page.getByRole('link', { name: '1 new, 0 heard' }).click();
await page.getByRole('heading', { name: 'Voicemail of User one' }).waitFor();
await plays(sound('Message from 103'));
await page.getByRole('button', { name: /^Mark as heard/ }).click();
await page.getByRole('heading', { name: '0 new, 1 heard' }).waitFor();
await page.getByRole('button', { name: /^Mark as new/ }).click();
await page.getByRole('heading', { name: '1 new, 0 heard' }).waitFor();
const kept = page.waitForEvent('download');
await page.getByRole('link', { name: /^Download: Message/ }).click();
assert.match((await kept).suggestedFilename(), /\.wav$/);

step('gives the box a PIN, and a greeting of a file that no telephone plays as it is');
await page.getByRole('button', { name: 'Give it a PIN' }).click();
await page.getByRole('dialog').getByLabel('PIN').fill('48151');
await page.getByRole('button', { name: 'Set the PIN' }).click();
await page.getByText('Whoever knows its PIN').waitFor();
await page.getByRole('button', { name: 'Bring a greeting' }).click();
await choose(page.getByRole('button', { name: 'Choose a file' }), file('hello.wav', 1));
await page.getByText('hello.wav, made fit for telephones').waitFor();
await accessible(page, 'the dialog of a greeting');
await page.getByRole('button', { name: 'Bring it' }).click();
await plays(sound('Greeting, any'));

step('deletes the message');
await page.getByRole('button', { name: /^Delete the message/ }).click();
await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
await page.getByText('No messages').waitFor();

step('hears the recording of a call, in the list and on the call’s page');
await at('recordings');
await plays(sound('Recording of 103'));
await page.getByRole('table', { name: 'Recordings' }).getByRole('link', { name: '103' }).first().click();
await page.getByTestId('verdict').waitFor();
await page.getByRole('region', { name: 'Recordings' }).getByText('Download').waitFor();
await at('recordings?from=999');
await page.getByText('No such recording').waitFor();

step('brings a sound, hears it, replaces it, sees that nothing plays it, deletes it; one that is played says where');
await at('media');
await page.getByRole('button', { name: 'Bring a sound' }).click();
await choose(page.getByRole('button', { name: 'Choose a file' }), file('On Hold.wav', 1.5));
await page.getByRole('dialog').getByText('made fit for telephones').waitFor();
assert.equal(await page.getByRole('dialog').getByLabel('Name').inputValue(), 'on-hold');
await page.getByRole('button', { name: 'Bring it' }).click();
await page.getByRole('heading', { name: 'on-hold', level: 1 }).waitFor();
await page.getByText('1.5 s, 16,000 samples a second').waitFor();
await plays(sound('on-hold'));
await choose(page.getByRole('button', { name: 'Replace it' }), file('other.wav', 1, 1, 8000));
await page.getByText('1.0 s, 8,000 samples a second').waitFor();
await page.getByText('Nowhere yet.').waitFor();
await page.getByRole('button', { name: 'Delete' }).click();
await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
await page.getByRole('link', { name: 'welcome', exact: true }).click();
await page.getByRole('region', { name: 'Where it is played' }).getByText('in the draft, element welcome').waitFor();
assert.equal(await page.getByRole('button', { name: 'Delete' }).count(), 0);

step('what is no sound is refused in words');
await choose(page.getByRole('button', { name: 'Replace it' }), { name: 'letter.wav', mimeType: 'audio/wav', buffer: Buffer.from('no sound at all') });
await page.getByText('Your browser cannot read this sound.').waitFor();

step('opens on Saturday by the keyboard alone, closes today, and a holiday stands beside');
await at('schedules');
await page.getByRole('link', { name: 'Office' }).click();
await page.getByRole('button', { name: 'Add hours: Saturday' }).focus();
await page.keyboard.press('Enter');
const from = page.getByLabel('Saturday, open from');
await from.focus();
await page.keyboard.type(await page.evaluate(() => (new Intl.DateTimeFormat().resolvedOptions().hourCycle === 'h12' || /AM|PM/.test(new Date().toLocaleTimeString()) ? '1000AM' : '1000')));
await page.getByLabel('Saturday, open until').fill('14:30');
await page.getByRole('button', { name: 'Close today' }).click();
await page.getByTestId('open-now').getByText('Closed now').waitFor();
await page.getByText('by this draft: Closed today').waitFor();
await page.getByLabel('Another day').fill('2027-01-01');
await page.getByLabel('Its name').fill('New Year’s Day');
await page.getByRole('button', { name: 'Add the day' }).click();
await page.getByRole('button', { name: 'Save the draft' }).click();
await page.getByText('Saved as a draft').waitFor();
await page.reload();
assert.match(await page.getByLabel('Saturday, open from').inputValue(), /^10:00$/);
assert.equal(await page.getByLabel('Saturday, open until').inputValue(), '14:30');
await page.getByLabel('Name of 2027-01-01').waitFor();
await page.getByRole('button', { name: 'Today as usual' }).click();
await page.getByRole('button', { name: 'Add hours: Monday' }).click(); // 17:00 to 23:59; then one that lies within another
await page.getByLabel('Monday, open from').last().fill('10:00');
await page.getByText(/is within|10:00/).first().waitFor();
assert.ok(await page.getByRole('button', { name: 'Save the draft' }).isDisabled(), 'hours within hours are saved');

step('adds to a list, and asks what is in it');
await at('lists/blocked');
await page.getByLabel('Entries, one a line').fill('+12025550199\n+4930*\n+4930*');
await page.getByText('2 entries, 1 was there twice').waitFor();
await page.getByLabel('Is it in the list?').fill('+4930901820');
await page.getByText('Yes: a flow that looks it up finds it.').waitFor();
await page.getByRole('button', { name: 'Save the draft' }).click();
await page.getByText('Saved as a draft').waitFor();

step('writes a porting order, adds its paper and submits it');
await at('portings');
await page.getByRole('button', { name: 'Write a porting order' }).first().click();
const dialog = page.getByRole('dialog');
await dialog.getByLabel('Numbers').last().fill('+493012345678\n+493012345679');
await dialog.getByLabel('Other carrier').fill('Other Telecom');
await dialog.getByLabel('Subscriber').fill('The Company');
await dialog.getByRole('button', { name: 'Save the draft' }).click();
await page.getByRole('heading', { name: 'Porting of +493012345678 and 1 more' }).waitFor();
await choose(page.getByRole('button', { name: 'Add a paper' }), { name: 'authority.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4 a letter') });
await page.getByRole('link', { name: 'authority.pdf' }).waitFor();
await page.getByRole('button', { name: 'Submit it' }).click();
await page.getByRole('dialog').getByRole('button', { name: 'Submit it' }).click();
await page.getByTestId('porting-state').getByText('Submitted').waitFor();
assert.equal(await page.getByRole('button', { name: 'Accepted' }).count(), 0);
const order = page.url();

step('calls from the page of a number: his phone rings first, and it is shown how the call goes');
await at(`numbers/${encodeURIComponent(number)}`);
const phone = place({ answers: 'one', talk_ms: 1500 });
await page.getByRole('button', { name: /^Call it/ }).click();
await page.getByRole('combobox', { name: 'Whose phones ring first' }).click();
await page.getByRole('option', { name: 'User one (101)' }).click();
await page.getByRole('dialog').getByLabel('Who is called then').fill('422');
await page.getByRole('button', { name: 'Call', exact: true }).click();
await page.getByTestId('call-progress').waitFor();
assert.equal((await phone).error, undefined);
await page.getByTestId('call-progress').getByText('The phone that rang first was answered').waitFor();
await page.getByRole('link', { name: 'The call’s page: what happens, step by step' }).click();
await page.getByTestId('verdict').waitFor();

step('the platform decides the porting order');
const other = await newPage(browser);
await signIn(other, env.PLATFORM_EMAIL);
await other.goto(`${admin}/portings`);
await other.getByRole('link', { name: '+493012345678 and 1 other' }).click();
await other.waitForURL(order);
await other.getByRole('button', { name: 'Accepted' }).click();
await other.getByRole('dialog').getByRole('button', { name: 'Accepted' }).click();
await other.getByTestId('porting-state').getByText('Accepted').waitFor();
await other.getByRole('button', { name: 'Set the day' }).click();
await other.getByRole('dialog').getByLabel('Day').fill(new Date(Date.now() + 30 * 24 * 3600 * 1000).toISOString().slice(0, 10));
await other.getByRole('dialog').getByRole('button', { name: 'Set the day' }).click();
await other.getByTestId('porting-state').getByText('Scheduled').waitFor();
await other.getByRole('table', { name: 'History' }).getByText('day set').waitFor();

step('the platform gives the company a brand: the preview follows, and under its domain the sign-in page looks so');
await other.goto(`${admin}/t/${company}/brand`);
await other.getByText('inherited', { exact: true }).waitFor();
await other.getByRole('button', { name: 'Give it a brand of its own' }).click();
await other.getByRole('textbox', { name: 'Name', exact: true }).fill('Northern Voice');
await other.getByTestId('preview').getByText('Northern Voice').first().waitFor();
await other.getByRole('textbox', { name: 'Main colour' }).fill('#0b5d4e');
await other.getByRole('textbox', { name: 'Domain' }).fill('phones.localhost');
await other.getByRole('button', { name: 'Save' }).click();
await other.getByText('its own', { exact: true }).waitFor();
await choose2(other);
const branded = await newPage(browser);
const own = new URL(admin);
own.hostname = 'phones.localhost';
await branded.goto(own.href + '/');
const submit = branded.getByRole('button', { name: 'Sign in' });
await submit.waitFor();
await branded.getByRole('img', { name: 'Northern Voice' }).waitFor();
assert.equal(await branded.title(), 'Northern Voice');
assert.equal(await submit.evaluate((b) => getComputedStyle(b).backgroundColor), 'rgb(11, 93, 78)');
await accessible(branded, 'the sign-in page of a brand');
await page.goto(`${admin}/`);
await settle(page);
assert.match(await page.title(), /Tandem$/);
await end(browser);

// choose2 brings a logo: one grey point.
async function choose2(on) {
  const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==', 'base64');
  const choosing = on.waitForEvent('filechooser');
  await on.getByRole('button', { name: 'Bring a logo' }).click();
  await (await choosing).setFiles({ name: 'logo.png', mimeType: 'image/png', buffer: png });
  await on.getByRole('button', { name: 'Remove the logo' }).waitFor();
}
