// The SIP of a call as a ladder: one row for each message. It is a table, whose rows a screen reader says in words; the arrows are drawn for the eye alone.
import { Button, Center, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { ask, type Schemas } from '../api/client';
import { causeWords, codeWords } from './causes';
import { Answer } from './states';
import { wholeTime } from './words';
import classes from './ladder.module.css';

type Drawn = Schemas['Ladder'];
type Arrow = Schemas['Arrow'];

const wide = 132; // px of a column
const high = 34; // px of a row
const some = 60; // rows that are drawn until more are asked for

const tellers: Record<Arrow['told'], string> = { edge: 'the edge', routing: 'routing', node: 'the node', record: 'the record' };

export default function Ladder({ call, settled }: { call: string; settled: boolean }) {
  const ladder = useQuery({
    queryKey: ['call', call, 'ladder', settled],
    queryFn: ({ signal }) => ask('get', '/v1/calls/{call}/ladder', { path: { call }, signal }),
    placeholderData: (before) => before,
  });
  return <Answer of={ladder} rows={6}>{(l) => <Drawing l={l} />}</Answer>;
}

function Drawing({ l }: { l: Drawn }) {
  const [all, setAll] = useState(false);
  const first = l.arrows[0]?.at;
  const shown = all ? l.arrows : l.arrows.slice(0, some);
  return (
    <div>
      {first && (
        <div className={classes.scroll} tabIndex={0} role="region" aria-label="SIP ladder, drawn">
          <table className={classes.ladder} aria-label="SIP ladder">
            <thead>
              <tr>
                <th scope="col">Time</th>
                <th scope="col" className={classes.heads}>
                  <span className={classes.unseen}>Message</span>
                  <span aria-hidden className={classes.names} style={{ width: l.columns.length * wide }}>
                    {l.columns.map((c) => (
                      <span key={c.id} className={classes.name} title={[c.name, c.about].filter(Boolean).join('\n')}>
                        <bdi>{c.name}</bdi>
                        <Text span size="xs" c="dimmed" truncate display="block">
                          {c.about || c.kind}
                        </Text>
                      </span>
                    ))}
                  </span>
                </th>
                <th scope="col">What</th>
                <th scope="col">Told by</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((a, i) => (
                <Row key={i} a={a} columns={l.columns} first={first} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {shown.length < l.arrows.length && (
        <Center p="sm">
          <Button variant="default" size="xs" onClick={() => setAll(true)}>
            Show all {l.arrows.length}
          </Button>
        </Center>
      )}
      <Text size="xs" c="dimmed" px="md" py="sm">
        {l.more ? `${l.more} more are left out. ` : ''}Nobody reports: {l.unknown.join(' ')}
      </Text>
    </div>
  );
}

function Row({ a, columns, first }: { a: Arrow; columns: Drawn['columns']; first: string }) {
  const name = (id: string | undefined) => columns.find((c) => c.id === id)?.name ?? '';
  const after = (Date.parse(a.at) - Date.parse(first)) / 1000;
  return (
    <tr className={classes.row} data-look={look(a)}>
      <td title={wholeTime(a.at)}>{after < 0 ? '' : '+'}{after.toFixed(3)}</td>
      <td className={classes.drawing}>
        <span className={classes.unseen}>
          {a.message ? `${a.message} from ${name(a.from)} to ${name(a.to)}${a.via ? `, by ${name(a.via)}` : ''}` : `at ${name(a.from)}`}
        </span>
        <Lines a={a} columns={columns} />
      </td>
      <td>
        <bdi>{[codeWords(a.code), a.words].filter(Boolean).join(': ')}</bdi>
        {a.cause && <Text span size="xs" c="dimmed" ml={a.words || a.code ? 6 : 0} title={`${a.cause} (${a.q850 ?? 0})`}>{causeWords(a.cause)}</Text>}
      </td>
      <td>{tellers[a.told]}</td>
    </tr>
  );
}

function look(a: Arrow): string {
  if (!a.message) return 'note';
  if ((a.code ?? 0) >= 400 || a.message.startsWith('4xx')) return 'refusal';
  return a.code || a.message === '18x' ? 'answer' : 'request';
}

// Lines draws every party's line, and the arrow between two of them; what only routing or a record tells is dashed.
function Lines({ a, columns }: { a: Arrow; columns: Drawn['columns'] }) {
  const at = (id: string | undefined) => columns.findIndex((c) => c.id === id) * wide + wide / 2;
  const [x1, x2] = [at(a.from), at(a.to)];
  const tip = x2 > x1 ? -8 : 8;
  const y = high - 9;
  const between = a.via && (at(a.via) - x1) * (at(a.via) - x2) < 0; // a called phone's edge is the one that the drawing has on the other side
  return (
    <svg aria-hidden width={columns.length * wide} height={high}>
      {columns.map((c) => (
        <line key={c.id} x1={at(c.id)} x2={at(c.id)} y1={0} y2={high} className={classes.life} />
      ))}
      {a.message ? (
        <>
          <line x1={x1} x2={x2 + tip / 2} y1={y} y2={y} className={classes.line} strokeDasharray={a.told === 'routing' || a.told === 'record' ? '5 4' : undefined} />
          <path d={`M${x2} ${y}l${tip} -5v10z`} className={classes.tip} />
          {between && <circle cx={at(a.via)} cy={y} r={3} className={classes.tip} />}
          <text x={(x1 + x2) / 2} y={y - 7} textAnchor="middle" className={classes.label}>
            {a.message}
          </text>
        </>
      ) : (
        <rect x={x1 - 6} y={y - 12} width={12} height={12} rx={3} className={classes.tip} />
      )}
    </svg>
  );
}
