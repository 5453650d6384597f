// The flow as a canvas: elements in layers, exits as lines. The arrow keys go from one to the next.
import '@xyflow/react/dist/base.css';
import './canvas.css';
import { Text, useComputedColorScheme } from '@mantine/core';
import { Background, Controls, MarkerType, ReactFlow, ReactFlowProvider, useReactFlow, type Connection, type Edge, type FinalConnectionState } from '@xyflow/react';
import { useCallback, useEffect, useMemo, useRef, type KeyboardEvent } from 'react';
import type { From } from './document';
import { label } from './elements';
import type { Drawing } from './drawing';
import { boxWidth, layout, type Place } from './layout';
import { ElementNode, heightOf, rowAt, target, type FlowNode } from './node';
import classes from './canvas.module.css';

const nodeTypes = { element: ElementNode };
const near = { maxZoom: 1.1, minZoom: 0.75 };
const glide = 200; // ms
const beside = 1200; // px of the window from which on the form is beside the canvas

export interface CanvasProps {
  drawing: Drawing[];
  chosen: string | undefined;
  fixed: boolean;
  choose: (key: string | undefined) => void;
  show: (key: string) => void; // its form
  open: (key: string) => void; // and goes there
  remove: (key: string) => void;
  connect: (from: From, to: string) => void;
  addAfter: (from: From) => void;
}

export function Canvas(props: CanvasProps) {
  return (
    <ReactFlowProvider>
      <Drawn {...props} />
    </ReactFlowProvider>
  );
}

function Drawn({ drawing, chosen, fixed, choose, show, open, remove, connect, addAfter }: CanvasProps) {
  const scheme = useComputedColorScheme('light');
  const flow = useReactFlow();
  const frame = useRef<HTMLDivElement>(null);
  const shape = JSON.stringify(drawing.map((d) => [d.key, d.summary.length, d.exits.map((x) => [x.name, x.to])]));
  const places = useMemo(
    () => layout(drawing.map((d) => ({ key: d.key, height: heightOf(d.summary.length, d.exits.length), rows: d.exits.flatMap((x, i) => (x.to === undefined ? [] : [{ to: x.to, y: rowAt(d.summary.length, i) }])) }))),
    [shape], // eslint-disable-line -- what is drawn besides does not move anything
  );
  const first = drawing.some((d) => d.key === chosen) ? chosen : drawing[0]?.key;
  const nodes = useMemo(
    () =>
      drawing.map((d): FlowNode => {
        const height = heightOf(d.summary.length, d.exits.length);
        return { id: d.key, type: 'element', position: places.get(d.key) ?? { x: 0, y: 0 }, width: boxWidth, height, draggable: false, selectable: false, focusable: false, data: { ...d, element: d.key, chosen: d.key === chosen, first: d.key === first, fixed } };
      }),
    [drawing, places, chosen, first, fixed],
  );
  const edges = useMemo(() => {
    const there = new Set(drawing.map((d) => d.key));
    return drawing.flatMap((d) =>
      d.exits
        .filter((x) => x.to !== undefined && there.has(x.to))
        .map((x, _, led): Edge => {
          // Several exits that lead to one element bear their names together, rather than one over the other.
          const same = led.filter((o) => o.to === x.to);
          const taken = d.taken?.has(x.name) === true;
          return {
            id: JSON.stringify([d.key, x.name]),
            source: d.key,
            sourceHandle: x.name,
            target: x.to ?? '',
            targetHandle: target,
            label: same[0] === x ? same.map((o) => label(o.name)).join(', ') : undefined,
            focusable: false,
            className: taken ? 'taken' : d.key === chosen ? 'chosen' : '',
            zIndex: taken ? 2 : d.key === chosen ? 1 : 0,
            markerEnd: { type: MarkerType.ArrowClosed, width: taken ? 10 : 16, height: taken ? 10 : 16, color: 'context-stroke' },
            domAttributes: { 'data-exit': `${d.key} ${x.name}`, 'data-taken': taken || undefined } as never,
          };
        }),
    );
  }, [drawing, chosen]);

  const focus = useCallback(
    (key: string) => {
      choose(key);
      frame.current?.querySelector<HTMLElement>(`[data-element="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
    },
    [choose],
  );
  // Whoever goes there by keys or from the list sees it.
  useEffect(() => {
    const place = chosen === undefined ? undefined : places.get(chosen);
    const box = frame.current?.getBoundingClientRect();
    if (!place || !box) return;
    const view = flow.getViewport();
    const left = place.x * view.zoom + view.x;
    const top = place.y * view.zoom + view.y;
    const inside = left >= 0 && top >= 0 && left + boxWidth * view.zoom <= box.width && top + 60 * view.zoom <= box.height;
    if (!inside) void flow.setCenter(place.x + boxWidth / 2, place.y + 60, { zoom: view.zoom, duration: glide });
  }, [chosen, places, flow]);
  // A new element may be anywhere: all of it is shown again when there are more or fewer.
  const count = drawing.length;
  useEffect(() => {
    const timer = setTimeout(() => void flow.fitView({ ...near, minZoom: 0.2, padding: 0.08, duration: glide }), 30);
    return () => clearTimeout(timer);
  }, [count, flow]);

  const keys = (e: KeyboardEvent) => {
    const key = (e.target as HTMLElement).dataset.element;
    if (key === undefined) return;
    const step = e.key.startsWith('Arrow') ? next(places, drawing, key, e.key) : undefined;
    if (step !== undefined) focus(step);
    else if (e.key === 'Home' && drawing[0]) focus(drawing[0].key);
    else if (e.key === 'Enter' || e.key === ' ') open(key);
    else if ((e.key === 'Delete' || e.key === 'Backspace') && !fixed) remove(key);
    else if (!e.key.startsWith('Arrow')) return;
    e.preventDefault();
    e.stopPropagation();
  };
  const connected = (c: Connection) => {
    if (c.sourceHandle) connect({ key: c.source, exit: c.sourceHandle }, c.target);
  };
  const dropped = (_: unknown, state: FinalConnectionState) => {
    if (!state.isValid && !state.toNode && state.fromNode && state.fromHandle?.type === 'source' && state.fromHandle.id) addAfter({ key: state.fromNode.id, exit: state.fromHandle.id });
  };
  return (
    <div className={classes.canvas} ref={frame} onKeyDown={keys} data-document data-testid="canvas">
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={nodeTypes}
        colorMode={scheme}
        aria-label="The flow as a canvas. Arrow keys go from element to element, Enter opens an element, Delete removes it."
        nodesDraggable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable={false}
        disableKeyboardA11y
        deleteKeyCode={null}
        selectionKeyCode={null}
        multiSelectionKeyCode={null}
        nodesConnectable={!fixed}
        onConnect={connected}
        onConnectEnd={dropped}
        // Without a pointer, or where the form is not beside the canvas, a click goes on to the form.
        onNodeClick={(e, node) => (e.detail === 0 || globalThis.innerWidth < beside ? open : show)(node.id)}
        onPaneClick={() => choose(undefined)}
        minZoom={0.15}
        maxZoom={1.6}
        fitView
        fitViewOptions={{ maxZoom: near.maxZoom, padding: 0.08 }}
        preventScrolling={false}
        zoomOnScroll={false}
        panOnScroll={false}
        zoomActivationKeyCode="Control"
        proOptions={{ hideAttribution: true }}
      >
        <Background gap={22} />
        <Controls showInteractive={false} aria-label="Zoom" fitViewOptions={{ padding: 0.08, maxZoom: near.maxZoom }} />
      </ReactFlow>
      {drawing.length === 0 && (
        <Text className={classes.hint} c="dimmed" size="sm">
          No elements yet. Add the first one.
        </Text>
      )}
    </div>
  );
}

// next is the element that an arrow key leads to: along the exits if one leads that way, else what is nearest there.
function next(places: Map<string, Place>, drawing: Drawing[], from: string, arrow: string): string | undefined {
  const here = places.get(from);
  if (!here) return undefined;
  const away = (p: Place) => ({ ArrowRight: p.x - here.x, ArrowLeft: here.x - p.x, ArrowDown: p.y - here.y, ArrowUp: here.y - p.y })[arrow] ?? 0;
  const sideways = (p: Place) => Math.abs(arrow === 'ArrowRight' || arrow === 'ArrowLeft' ? p.y - here.y : p.x - here.x);
  const along = new Set(
    arrow === 'ArrowRight' ? drawing.find((d) => d.key === from)?.exits.map((x) => x.to) : arrow === 'ArrowLeft' ? drawing.filter((d) => d.exits.some((x) => x.to === from)).map((d) => d.key) : [],
  );
  const ranked = drawing
    .filter((d) => d.key !== from)
    .flatMap((d) => {
      const p = places.get(d.key);
      return p && away(p) > 1 ? [{ key: d.key, far: away(p) + 3 * sideways(p) - (along.has(d.key) ? 10_000 : 0) }] : [];
    })
    .sort((a, b) => a.far - b.far);
  return ranked[0]?.key;
}
