// The flow as a list: each element below the one that leads to it. All that the canvas can do is done here too, with plain controls.
import { Badge, Button, Group, Paper, Text } from '@mantine/core';
import { IconAlertCircle } from '@tabler/icons-react';
import type { Drawing } from './drawing';
import { label, type Faults } from './elements';
import { Exits, firstOpen, type Doing } from './form';
import canvas from './canvas.module.css';
import classes from './outline.module.css';

interface Props {
  drawing: Drawing[];
  chosen: string | undefined;
  faults: Faults;
  doing: Doing;
  open: (key: string) => void;
}

interface Branch {
  of: Drawing;
  by: { exit: string; from: string } | undefined;
  below: (Branch | { by: { exit: string; from: string }; again: Drawing })[];
}

// grown makes trees of the flow: an element stands where a call comes to it first, and is named wherever else it is reached.
function grown(drawing: Drawing[]): Branch[] {
  const all = new Map(drawing.map((d) => [d.key, d]));
  const there = new Set<string>();
  const trees: Branch[] = [];
  for (const d of drawing) {
    if (there.has(d.key)) continue;
    const root: Branch = { of: d, by: undefined, below: [] };
    there.add(d.key);
    trees.push(root);
    // The nearest first, so that what several lead to stands as near to the start as it can.
    const open = [root];
    for (let branch = open.shift(); branch; branch = open.shift()) {
      for (const x of branch.of.all) {
        const to = x.to === undefined ? undefined : all.get(x.to);
        if (!to) continue;
        const by = { exit: x.name, from: branch.of.key };
        if (there.has(to.key)) {
          branch.below.push({ by, again: to });
          continue;
        }
        const next: Branch = { of: to, by, below: [] };
        there.add(to.key);
        branch.below.push(next);
        open.push(next);
      }
    }
  }
  return trees;
}

export function Outline(props: Props) {
  const trees = grown(props.drawing);
  const [main, ...others] = trees[0]?.of.start ? trees : [undefined, ...trees];
  return (
    <Paper withBorder p="md" component="section" aria-label="Elements" data-document>
      {main && <Tree branches={[main]} {...props} />}
      {others.length > 0 && (
        <>
          <Text size="sm" fw={600} mt="md">
            Nothing leads to these
          </Text>
          <Tree branches={others.filter((b) => b !== undefined)} {...props} />
        </>
      )}
      {trees.length === 0 && <Text size="sm" c="dimmed">No elements yet. Add the first one.</Text>}
    </Paper>
  );
}

function Tree({ branches, ...props }: Props & { branches: Branch['below'] }) {
  if (branches.length === 0) return null;
  return (
    <ul className={classes.tree}>
      {branches.map((b) => (
        <li key={'again' in b ? `${b.by.exit} again` : b.of.key}>
          {'again' in b ? (
            <Group gap="xs">
              <By exit={b.by.exit} />
              <Button size="compact-sm" variant="subtle" onClick={() => props.open(b.again.key)}>
                {b.again.title} · {b.again.key}
              </Button>
              <Text span size="xs" c="dimmed">
                stands elsewhere
              </Text>
            </Group>
          ) : (
            <>
              <Line of={b.of} by={b.by?.exit} {...props} />
              <Tree branches={b.below} {...props} />
            </>
          )}
        </li>
      ))}
    </ul>
  );
}

function By({ exit }: { exit: string }) {
  return (
    <Text span size="xs" c="dimmed">
      {label(exit)} →
    </Text>
  );
}

function Line({ of: d, by, chosen, drawing, faults, doing, open }: Props & { of: Drawing; by: string | undefined }) {
  const next = firstOpen(d);
  return (
    <>
      <Group gap="xs">
        {by !== undefined && <By exit={by} />}
        <Button size="compact-sm" variant={d.key === chosen ? 'filled' : 'default'} data-element={d.key} onClick={() => open(d.key)}>
          {d.title} · {d.key}
          <span className={canvas.spoken}>{d.spoken}</span>
        </Button>
        {d.errors > 0 && (
          <Badge color="red" variant="light" radius="sm" tt="none" leftSection={<IconAlertCircle size={12} aria-hidden />}>
            {d.errors} wrong
          </Badge>
        )}
        {d.visit && <Badge color={d.visit.failed.length > 0 ? 'red' : 'teal'} variant="light" radius="sm" tt="none">the call comes here, {d.visit.turns.join(', ')}</Badge>}
        {d.summary.length > 0 && <Text size="sm" c="dimmed">{d.summary.join(' · ')}</Text>}
        {!doing.fixed && (
          <Group gap={6}>
            {next && (
              <Button size="compact-xs" variant="subtle" aria-label={`Add after ${d.key}`} onClick={() => doing.addAfter({ key: d.key, exit: next.name })}>
                Add after
              </Button>
            )}
            <Button size="compact-xs" variant="subtle" color="red.8" aria-label={`Delete ${d.key}`} className={classes.delete} onClick={() => doing.remove(d.key)}>
              Delete
            </Button>
          </Group>
        )}
      </Group>
      {d.all.length > 0 && (
        <details className={classes.exits}>
          <summary>
            Exits of {d.key} ({d.all.filter((x) => x.to !== undefined).length} connected)
          </summary>
          <Exits of={d} all={drawing} faults={faults} doing={doing} />
        </details>
      )}
    </>
  );
}
