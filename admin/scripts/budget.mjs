// Packs what was built, and fails when a first load is too large: the page, its scripts and its styles, as they cross the wire.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const dist = new URL('../dist/', import.meta.url);
const firstLoad = 300_000; // bytes, gzipped
const oneRoute = 90_000; // what any one page loads besides
// The canvas is drawn by React Flow, which is half of what the page of a flow loads. It is loaded with that page alone.
const larger = { 'src/pages/flow.tsx': 125_000 };

const packed = new Map();
for (const name of readdirSync(new URL('assets/', dist))) {
  if (!/\.(js|css)$/.test(name)) continue;
  const path = new URL(`assets/${name}`, dist);
  const text = gzipSync(readFileSync(path), { level: 9 });
  writeFileSync(new URL(`assets/${name}.gz`, dist), text);
  packed.set(`assets/${name}`, text.length);
}

const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', dist), 'utf8'));
// reach collects what loading an entry loads at once.
function reach(key, into = new Set()) {
  const one = manifest[key];
  for (const file of [one.file, ...(one.css ?? [])]) into.add(file);
  for (const next of one.imports ?? []) if (!into.has(manifest[next].file)) reach(next, into);
  return into;
}
const size = (files) => [...files].reduce((sum, f) => sum + (packed.get(f) ?? 0), 0);

const entry = Object.keys(manifest).find((k) => manifest[k].isEntry);
const first = reach(entry);
const total = size(first) + gzipSync(readFileSync(new URL('index.html', dist))).length;
let failed = total > firstLoad;
console.log(`figure admin_first_load_bytes ${total} (limit ${firstLoad})`);
let largest = 0;
for (const [key, one] of Object.entries(manifest)) {
  if (!one.isDynamicEntry) continue;
  const besides = size([...reach(key)].filter((f) => !first.has(f)));
  const limit = larger[key] ?? oneRoute;
  if (key in larger) console.log(`figure admin_route_bytes ${besides} (${key}, limit ${limit})`);
  else largest = Math.max(largest, besides);
  if (besides > limit) {
    failed = true;
    console.error(`${key} loads ${besides} bytes besides (limit ${limit})`);
  }
}
console.log(`figure admin_largest_route_bytes ${largest} (limit ${oneRoute})`);
if (failed) {
  console.error('The admin is larger than its budget.');
  process.exit(1);
}
