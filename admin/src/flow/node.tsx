// An element on the canvas: its type in plain words, its key, the settings that matter, and a row for each exit.
import { IconAlertCircle, IconAlertTriangle, IconFlag, IconX } from '@tabler/icons-react';
import { Handle, Position, type Node, type NodeProps } from '@xyflow/react';
import { memo } from 'react';
import type { Exit } from './elements';
import { label } from './elements';
import type { Visit } from './path';
import classes from './canvas.module.css';

export interface Seen {
  [name: string]: unknown;
  title: string;
  element: string;
  start: boolean;
  summary: string[];
  exits: Exit[];
  errors: number;
  warnings: number;
  visit: Visit | undefined;
  taken: Set<string> | undefined;
  chosen: boolean;
  first: boolean; // of all that the tab key comes to
  fixed: boolean;
  spoken: string; // what else it is, for those who do not see it
}

export type FlowNode = Node<Seen, 'element'>;

// Heights, as canvas.module.css has them.
const head = 50;
const line = 20;
const row = 26;
const rim = 9;

export function heightOf(summary: number, exits: number): number {
  return head + summary * line + exits * row + rim;
}

// rowAt is how far below the top of an element an exit begins.
export function rowAt(summary: number, i: number): number {
  return head + summary * line + i * row + row / 2;
}

export const target = 'in';

export const ElementNode = memo(function ElementNode({ data: d }: NodeProps<FlowNode>) {
  const visited = d.visit !== undefined;
  return (
    <div className={classes.node} data-chosen={d.chosen || undefined} data-visited={visited || undefined} data-failed={(d.visit?.failed.length ?? 0) > 0 || undefined} data-wrong={d.errors > 0 || undefined}>
      <Handle type="target" position={Position.Left} id={target} isConnectable={!d.fixed} className={classes.target} style={{ top: head / 2 }} />
      <button type="button" className={`${classes.head} nopan`} data-element={d.element} tabIndex={d.first ? 0 : -1} aria-pressed={d.chosen}>
        <span className={classes.title}>
          {d.start && <IconFlag size={14} aria-hidden />}
          <span className={classes.words}>{d.title}</span>
          {d.errors > 0 && (
            <span className={classes.error} aria-hidden>
              <IconAlertCircle size={15} aria-hidden /> {d.errors}
            </span>
          )}
          {d.errors === 0 && d.warnings > 0 && (
            <span className={classes.warning} aria-hidden>
              <IconAlertTriangle size={14} aria-hidden /> {d.warnings}
            </span>
          )}
          {d.visit && <span className={classes.turn} aria-hidden>{d.visit.turns.join(', ')}</span>}
        </span>
        <span className={classes.key}>
          {d.element}
          {d.visit && d.visit.rejected.length > 0 && (
            <span className={classes.rejected} aria-hidden>
              <IconX size={12} aria-hidden /> {d.visit.rejected.length} rejected
            </span>
          )}
        </span>
        <span className={classes.spoken}>{d.spoken}</span>
      </button>
      {d.summary.map((s, i) => (
        <div key={i} className={classes.setting} title={s}>
          {s}
        </div>
      ))}
      {d.exits.map((x, i) => (
        <div key={x.name} className={classes.exit} data-open={x.to === undefined || undefined} data-unknown={!x.known || undefined} data-taken={d.taken?.has(x.name) || undefined} title={x.description}>
          <span className={classes.words}>{label(x.name)}</span>
          {x.to === undefined && <span className={classes.ends}>{x.choice ? 'free' : 'ends the call'}</span>}
          <Handle type="source" position={Position.Right} id={x.name} isConnectable={!d.fixed} className={classes.source} style={{ top: rowAt(d.summary.length, i) }} />
        </div>
      ))}
    </div>
  );
});
