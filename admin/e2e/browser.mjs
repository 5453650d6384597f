// A browser for the scripts beside, and what they do again and again.
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
export const env = process.env;
export const admin = env.TANDEM_ADMIN;
const faults = [];
let newest;
const failure = join(tmpdir(), 'tandem-admin-failure.png');

// What a step waits for in vain is seen best in an image of the page.
process.on('uncaughtException', async (e) => {
  console.error(e);
  if (faults.length > 0) console.error([...new Set(faults)].join('\n'));
  if (newest) {
    await newest.screenshot({ path: failure }).catch(() => {});
    console.error(`at ${newest.url()}, see ${failure}`);
  }
  process.exit(1);
});

export async function open(more = []) {
  return chromium.launch({
    executablePath: env.TANDEM_BROWSER,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', ...more],
  });
}

// newPage is a window in which whatever goes wrong is noted: a script's fault, what the security policy has stopped, a dialog.
// refused: what is asked for there may be refused, because it is not his.
export async function newPage(browser, { refused = false, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-GB', timezoneId: 'UTC', ...options });
  const page = await context.newPage();
  newest = page;
  page.setDefaultTimeout(15_000);
  page.on('pageerror', (e) => faults.push(`a script failed at ${page.url()}: ${e.message}`));
  page.on('console', (m) => {
    const text = m.text();
    if (refused && text.includes('status of 403')) return;
    if (m.type() === 'error' && !/status of (401|404|409|422|429)|ERR_FAILED/.test(text)) faults.push(`the console at ${page.url()}: ${text}`);
  });
  page.on('dialog', (d) => {
    faults.push(`a dialog at ${page.url()}: ${d.message()}`);
    void d.dismiss();
  });
  return page;
}

export async function signIn(page, email, password = env.ADMIN_PASSWORD) {
  await page.goto(`${admin}/`);
  await page.getByLabel('E-mail').fill(email);
  await page.getByRole('textbox', { name: 'Password' }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Your account' }).waitFor();
}

// settle waits until nothing is loading any more.
export async function settle(page) {
  await page.locator('h1').first().waitFor();
  await page.waitForFunction(() => !document.querySelector('[aria-busy="true"]'));
  await page.waitForTimeout(250); // transitions
}

// accessible asks axe about the page as it is.
export async function accessible(page, name) {
  await page.evaluate(axe); // by the debugger, which the security policy does not hold
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  for (const v of found.violations.filter((v) => v.impact === 'serious' || v.impact === 'critical')) {
    faults.push(`${name}: ${v.id} (${v.impact}): ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 140)).join(' | ')}`);
  }
}

// place lets phones call, and waits until the call is over.
export async function place(call) {
  const answer = await fetch(env.TANDEM_PHONES, { method: 'POST', body: JSON.stringify(call) });
  return answer.json();
}

export function step(text) {
  console.log(`  ${text}`);
}

export async function end(browser) {
  await browser.close();
  if (faults.length > 0) {
    console.error(`${faults.length} faults:\n${[...new Set(faults)].join('\n')}`);
    process.exit(1);
  }
}
