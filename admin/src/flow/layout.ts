// Where each element stands on the canvas: in layers from the start to the ends, by the exits that lead there, with few crossings.
export interface Box {
  key: string;
  height: number;
  rows: { to: string; y: number }[]; // where it leads: to which element, and how far below its top
}

export interface Place {
  x: number;
  y: number;
}

const width = 250; // of an element, px
const between = { layers: 110, boxes: 26 }; // px
const sweeps = 6;

export const boxWidth = width;

// layout places boxes; the first is the start.
export function layout(boxes: Box[]): Map<string, Place> {
  const all = new Map(boxes.map((b) => [b.key, b]));
  const { layer, order } = layersOf(boxes, all);
  const layers: string[][] = [];
  for (const key of order) (layers[layer.get(key) ?? 0] ??= []).push(key);
  const forward = (from: string, to: string) => (layer.get(to) ?? 0) > (layer.get(from) ?? 0);
  const into = new Map<string, { from: string; y: number }[]>();
  for (const b of boxes) {
    for (const r of b.rows) if (all.has(r.to) && forward(b.key, r.to)) into.set(r.to, [...(into.get(r.to) ?? []), { from: b.key, y: r.y }]);
  }
  const places = stacked(layers, all);
  const middle = (key: string) => (places.get(key)?.y ?? 0) + (all.get(key)?.height ?? 0) / 2;
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const back = sweep % 2 === 1;
    for (const keys of back ? [...layers].reverse() : layers) {
      const wanted = new Map<string, number>();
      for (const key of keys) {
        const ys = back ? (all.get(key)?.rows ?? []).filter((r) => all.has(r.to) && forward(key, r.to)).map((r) => middle(r.to) - r.y + (all.get(key)?.height ?? 0) / 2) : (into.get(key) ?? []).map((f) => (places.get(f.from)?.y ?? 0) + f.y);
        wanted.set(key, ys.length > 0 ? ys.reduce((a, b) => a + b, 0) / ys.length : middle(key));
      }
      keys.sort((a, b) => (wanted.get(a) ?? 0) - (wanted.get(b) ?? 0));
      settle(keys, wanted, all, places);
    }
  }
  const top = Math.min(0, ...[...places.values()].map((p) => p.y));
  for (const p of places.values()) p.y = Math.round(p.y - top);
  return places;
}

// layersOf says how many elements a call passes at most before each, on ways that do not lead back.
function layersOf(boxes: Box[], all: Map<string, Box>): { layer: Map<string, number>; order: string[] } {
  const state = new Map<string, 'open' | 'done'>();
  const finished: string[] = [];
  const back = new Set<string>();
  for (const b of boxes) {
    // Depth first, without recursion: a flow may be a chain of hundreds.
    const stack: { key: string; next: number }[] = [];
    const enter = (key: string) => {
      state.set(key, 'open');
      stack.push({ key, next: 0 });
    };
    if (!state.has(b.key)) enter(b.key);
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      const to = all.get(top.key)?.rows[top.next++]?.to;
      if (to === undefined) {
        if (top.next <= (all.get(top.key)?.rows.length ?? 0)) continue;
        state.set(top.key, 'done');
        finished.push(top.key);
        stack.pop();
      } else if (all.has(to)) {
        if (state.get(to) === 'open') back.add(JSON.stringify([top.key, to]));
        else if (!state.has(to)) enter(to);
      }
    }
  }
  const order = finished.reverse();
  const layer = new Map(order.map((key) => [key, 0]));
  for (const key of order) {
    for (const { to } of all.get(key)?.rows ?? []) {
      if (all.has(to) && !back.has(JSON.stringify([key, to]))) layer.set(to, Math.max(layer.get(to) ?? 0, (layer.get(key) ?? 0) + 1));
    }
  }
  return { layer, order };
}

function stacked(layers: string[][], all: Map<string, Box>): Map<string, Place> {
  const places = new Map<string, Place>();
  layers.forEach((keys, i) => {
    let y = 0;
    for (const key of keys) {
      places.set(key, { x: i * (width + between.layers), y });
      y += (all.get(key)?.height ?? 0) + between.boxes;
    }
  });
  return places;
}

// settle puts the boxes of a layer, in their order, as near as they can be to where each wants its middle.
function settle(keys: string[], wanted: Map<string, number>, all: Map<string, Box>, places: Map<string, Place>) {
  let below = -Infinity;
  let moved = 0;
  for (const key of keys) {
    const place = places.get(key)!;
    const height = all.get(key)?.height ?? 0;
    const ideal = (wanted.get(key) ?? 0) - height / 2;
    place.y = Math.max(ideal, below);
    moved += place.y - ideal;
    below = place.y + height + between.boxes;
  }
  if (keys.length > 0) for (const key of keys) places.get(key)!.y -= moved / keys.length;
}
