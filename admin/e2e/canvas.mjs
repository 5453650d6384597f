// The canvas: an element is added by keyboard alone, a fault is shown and mended, a call is tried and its way lights up, a share of callers gets it
// first, and then everybody: a real call goes that way.
import assert from 'node:assert/strict';
import { accessible, admin, place, settle, step } from './browser.mjs';

const many = 80; // steps of the tab key in which anything on a page is reached

export async function canvas(page, { company, domain }) {
  const element = (key) => page.locator(`[data-element="${key}"]`);
  const box = (key) => element(key).locator('xpath=..');
  // tabTo goes on by the tab key until what has the focus is what is looked for.
  const tabTo = async (what, name) => {
    for (let i = 0; i < many; i++) {
      if (await what.evaluateAll((all) => all.includes(document.activeElement))) return;
      await page.keyboard.press('Tab');
    }
    assert.fail(`the tab key does not come to ${name}`);
  };
  // drag draws a line from an exit to an element.
  const drag = async (from, exit, to) => {
    await element(to).waitFor();
    await settle(page); // the canvas has come to rest
    const middle = async (what) => {
      const b = await what.boundingBox();
      return [b.x + b.width / 2, b.y + b.height / 2];
    };
    await page.mouse.move(...(await middle(box(from).locator(`[data-handleid="${exit}"]`))));
    await page.mouse.down();
    await page.mouse.move(...(await middle(box(to).locator('[data-handleid="in"]'))), { steps: 8 });
    await page.mouse.up();
    await page.locator(`[data-exit="${from} ${exit}"]`).waitFor();
  };
  const said = (text) => page.getByTestId('said').getByText(text).waitFor();

  step('opens the flow on the canvas, and goes to its element by the tab key');
  await page.goto(`${admin}/t/${company}/flows/flow700`);
  await element('ring').waitFor();
  await settle(page);
  await tabTo(element('ring'), 'the element');
  await accessible(page, 'the canvas');

  step('adds an element behind it, by keyboard alone');
  await page.keyboard.press('Enter');
  await tabTo(page.getByRole('button', { name: 'Add an element after it' }), 'adding');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Add an element' });
  await page.waitForFunction(() => document.activeElement?.matches('[role="dialog"] input'));
  assert.equal(await dialog.getByRole('listitem').count(), 36);
  await page.keyboard.type('resp');
  await tabTo(dialog.getByLabel('Reached by'), 'what it is reached by');
  for (let i = 0; i < 2; i++) await page.keyboard.press('ArrowDown'); // from no answer over busy
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Enter');
  await said('Respond, respond, is added after ring.');
  await page.getByRole('region', { name: 'Respond, respond' }).waitFor();
  await tabTo(page.getByLabel('Code', { exact: true }), 'its setting');
  await page.keyboard.type('486');
  await box('respond').getByTitle('Code: 486').waitFor();
  await page.locator('[data-exit="ring unavailable"]').waitFor();

  step('goes back by Escape');
  await page.keyboard.press('Escape');
  assert.ok(await element('respond').evaluate((e) => e === document.activeElement), 'Escape does not lead back to the element');

  step('takes it back and does it again, deletes and takes that back');
  await page.keyboard.press('Control+z');
  await box('respond').getByTitle('Code: 486').waitFor({ state: 'detached' });
  await page.keyboard.press('Control+Shift+z');
  await box('respond').getByTitle('Code: 486').waitFor();
  await element('ring').focus();
  await page.keyboard.press('ArrowRight');
  assert.ok(await element('respond').evaluate((e) => e === document.activeElement), 'the arrow key does not lead along the exit');
  await page.keyboard.press('Delete');
  await element('respond').waitFor({ state: 'detached' });
  await said('respond is deleted, with what led to it.');
  await page.keyboard.press('Control+z');
  await element('respond').waitFor();

  step('sees a fault at the field and on the canvas, and mends it');
  await element('ring').focus();
  await page.keyboard.press('Enter');
  const seconds = page.getByRole('textbox', { name: 'Seconds', exact: true });
  await seconds.fill('9999');
  await page.getByRole('region', { name: 'Ring, ring' }).getByText(/600/).first().waitFor();
  await page.locator('[data-wrong] [data-element="ring"]').waitFor();
  await page.getByText('This is wrong with it').waitFor();
  await seconds.fill('20');
  await page.locator('[data-wrong] [data-element="ring"]').waitFor({ state: 'detached' });
  await page.getByText('This is wrong with it').waitFor({ state: 'detached' });

  step('does the same in the list: an exit is connected there, and the JSON has all of it');
  await page.getByRole('tab', { name: 'List' }).click();
  const list = page.getByRole('region', { name: 'Elements' });
  await list.getByText('Exits of ring').click();
  await list.getByLabel('Busy of ring leads to').selectOption('respond');
  await accessible(page, 'the list of elements');
  await page.getByRole('tab', { name: 'JSON' }).click();
  const written = JSON.parse(await page.getByLabel('The flow, as JSON').inputValue());
  assert.deepEqual(written.elements.ring.exits, { unavailable: 'respond', busy: 'respond' });
  assert.deepEqual(written.elements.respond, { type: 'respond', settings: { code: 486 } });

  step('what nobody knows is told, and kept by what is done on the canvas');
  await page.getByLabel('The flow, as JSON').fill(JSON.stringify({ ...written, remark: 'ours' }));
  await page.getByText(/remark/).first().waitFor();
  await page.getByRole('tab', { name: 'Canvas' }).click();
  await drag('ring', 'failed', 'respond');
  await page.getByRole('tab', { name: 'JSON' }).click();
  const kept = JSON.parse(await page.getByLabel('The flow, as JSON').inputValue());
  assert.equal(kept.remark, 'ours');
  assert.equal(kept.elements.ring.exits.failed, 'respond');
  delete kept.remark;
  await page.getByLabel('The flow, as JSON').fill(JSON.stringify(kept));
  await page.getByText('This is wrong with it').waitFor({ state: 'detached' });
  await page.getByRole('tab', { name: 'Canvas' }).click();

  step('tries a call: its way lights up, with what was rejected on it');
  await page.getByRole('tab', { name: 'Try a call' }).click();
  await page.getByRole('textbox', { name: 'From' }).fill(`one@${domain}`);
  await page.getByRole('textbox', { name: 'To', exact: true }).fill('700');
  await page.getByRole('button', { name: 'Save, and try with the drafts' }).click();
  await page.getByTestId('tried').getByText('SIP 486').waitFor();
  await page.locator('[data-visited] [data-element="ring"]').waitFor();
  await page.locator('[data-visited] [data-element="respond"]').waitFor();
  await box('ring').getByText(/rejected/).first().waitFor();
  await page.locator('[data-exit="ring unavailable"][data-taken]').waitFor();
  assert.equal(await page.locator('[data-exit="ring busy"][data-taken]').count(), 0);
  await accessible(page, 'a call that was tried');

  step('gives it to some callers first, sees how their calls went, and then to all');
  await page.getByRole('tab', { name: 'Publish' }).click();
  await page.getByText(/changes? (is|are) not published yet/).waitFor();
  await page.getByLabel('What and why').fill('busy rather than silence');
  await page.getByRole('textbox', { name: 'Or give it to some callers first (%)' }).fill('40');
  await page.getByRole('button', { name: 'Start the trial' }).click();
  const trial = page.getByRole('region', { name: 'On trial' });
  await trial.getByText(/40 % of the callers get version/).waitFor();
  await trial.getByRole('table', { name: 'How their calls went' }).getByText(/on trial/).waitFor();
  await trial.getByRole('textbox', { name: 'Share of the callers (%)' }).fill('60');
  await trial.getByRole('button', { name: 'Change the share' }).click();
  await trial.getByText(/60 % of the callers get version/).waitFor();
  await accessible(page, 'a trial');
  await trial.getByRole('button', { name: 'Give it to all' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Give it to all' }).click();
  await page.getByText(/is live for new calls/).first().waitFor();
  await trial.waitFor({ state: 'detached' });

  step('a real call goes that way');
  const refused = await place({ from: 'one', to: '700', expect: 486 });
  assert.equal(refused.error, undefined);
}
