// How quick each page is: what its scripts take, when its first rows are there, and how far what is there already moves. Each is opened
// from another page, as people do, and a few times; the median counts.
import { loadavg } from 'node:os';
import { admin, end, env, newPage, open, signIn } from './browser.mjs';

const runs = 5;
const limits = { scripting: 150, rows: 300, shift: 0.1 }; // ms, ms, share of the window
const quiet = 1.5; // load of the machine below which a figure over its limit is a fault
const company = `/t/${env.COMPANY}`;
const routes = {
  calls: '/calls', 'company-calls': `${company}/calls`, call: '/calls/bench-5', live: '/live', 'company-live': `${company}/live`, devices: `${company}/devices`, registrations: '/registrations', tenants: '/tenants', nodes: '/nodes', tenant: company,
  users: `${company}/users`, numbers: `${company}/numbers`, flows: `${company}/flows`, orders: '/orders', trunks: '/trunks', webhooks: `${company}/webhooks`, keys: `${company}/keys`, people: '/people', audit: `${company}/audit`, search: '/search?q=2025550188',
};
const lists = new Set(['calls', 'company-calls', 'live', 'company-live', 'devices']); // with as much as a large customer has
const browser = await open();
const first = await newPage(browser);
await signIn(first, env.PLATFORM_EMAIL);
const storageState = await first.context().storageState();
await first.goto(`${admin}/live`);
await first.getByText(`${env.LIVE} calls of all tenants`).waitFor(); // they are told of by now
await first.context().close();

const median = (all) => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)];
const over = [];
const figure = (name, value, limit, unit) => {
  console.log(`figure admin_${name} ${value}${limit ? ` (limit ${limit}${unit})` : unit}`);
  if (limit && value > limit) over.push(`${name}: ${value}, limit ${limit}`);
};

// The first load: its scripts, with what the browser has kept of them.
const loads = [];
for (let i = 0; i < runs; i++) {
  const { page, scripting } = await fresh();
  const before = await scripting();
  await page.goto(`${admin}/calls`);
  await page.locator('table.rows tbody tr').first().waitFor();
  loads.push((await scripting()) - before);
  await page.context().close();
}
figure('first_load_scripting_ms', Math.round(median(loads)), 0, '');

let worst = { scripting: 0, rows: 0, shift: 0 };
for (const [name, path] of Object.entries(routes)) {
  const of = [];
  for (let i = 0; i < runs; i++) of.push(await openOnce(name, path));
  const got = { scripting: Math.round(median(of.map((o) => o.scripting))), rows: Math.round(median(of.map((o) => o.rows))), shift: Number(Math.max(...of.map((o) => o.shift)).toFixed(3)) };
  console.log(`  ${name.padEnd(14)} scripting ${String(got.scripting).padStart(4)} ms   first rows ${String(got.rows).padStart(4)} ms   shift ${got.shift}`);
  if (got.scripting > limits.scripting) over.push(`${name}: ${got.scripting} ms of scripting`);
  if (lists.has(name) && got.rows > limits.rows) over.push(`${name}: first rows after ${got.rows} ms`);
  if (got.shift > limits.shift) over.push(`${name}: moves by ${got.shift}`);
  worst = { scripting: Math.max(worst.scripting, got.scripting), rows: lists.has(name) ? Math.max(worst.rows, got.rows) : worst.rows, shift: Math.max(worst.shift, got.shift) };
}
const load = loadavg()[0];
figure('route_scripting_ms', worst.scripting, 0, ` (limit ${limits.scripting}, load ${load.toFixed(1)})`);
figure('first_rows_ms', worst.rows, 0, ` (limit ${limits.rows})`);
figure('layout_shift', worst.shift, 0, ` (limit ${limits.shift})`);
if (over.length > 0) console.error(`${over.length} over the limit${load < quiet ? '' : `, at a load of ${load.toFixed(1)}`}:\n${over.join('\n')}`);
await end(browser);
if (over.length > 0 && load < quiet) process.exit(1);

// fresh is a window in which it is noted when the first row is there, and what moves.
async function fresh() {
  const page = await newPage(browser, { storageState });
  await page.addInitScript(() => {
    window.moved = 0;
    new PerformanceObserver((all) => {
      for (const e of all.getEntries()) window.moved += e.value;
    }).observe({ type: 'layout-shift', buffered: true });
    window.watch = () => {
      const began = performance.now();
      window.moved = 0;
      window.rows = undefined;
      const look = () => {
        if (window.rows === undefined && document.querySelector('#page table tbody tr, #page [data-testid="verdict"]')) window.rows = performance.now() - began;
        if (window.rows === undefined) requestAnimationFrame(look);
      };
      return look;
    };
  });
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Performance.enable');
  const scripting = async () => (await cdp.send('Performance.getMetrics')).metrics.find((m) => m.name === 'ScriptDuration').value * 1000;
  return { page, scripting };
}

// openOnce opens a page from one that has little, in a window that has loaded nothing else.
async function openOnce(name, path) {
  const { page, scripting } = await fresh();
  await page.goto(`${admin}/self`);
  await page.locator('h1').first().waitFor();
  await page.waitForTimeout(400);
  const before = await scripting();
  await page.evaluate((to) => {
    const look = window.watch();
    history.pushState({}, '', to);
    dispatchEvent(new PopStateEvent('popstate', { state: {} }));
    requestAnimationFrame(look);
  }, new URL(admin).pathname + path);
  await page.waitForFunction(() => !document.querySelector('#page [aria-busy="true"]') && document.querySelector('#page h1'));
  await page.waitForTimeout(700); // what comes after the first rows counts too
  const scripted = (await scripting()) - before;
  const { rows, moved } = await page.evaluate(() => ({ rows: window.rows ?? 0, moved: window.moved }));
  await page.context().close();
  return { scripting: scripted, rows, shift: moved };
}
