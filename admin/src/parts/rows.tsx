// A list as a table; on a telephone each row is a card.
import { Button, Center, Paper } from '@mantine/core';
import type { ReactNode } from 'react';
import { Answer, Empty } from './states';

export interface Column<T> {
  name: string;
  show: (row: T) => ReactNode;
  end?: boolean; // at the end of its row: actions
  width?: string | number;
}

interface Props<T> {
  rows: T[];
  columns: Column<T>[];
  id: (row: T) => string;
  label: string; // what the list is of, for screen readers
}

export function Rows<T>({ rows, columns, id, label }: Props<T>) {
  return (
    <table className="rows" aria-label={label}>
      <thead>
        <tr>
          {columns.map((c) => (
            <th key={c.name || 'actions'} scope="col" style={{ width: c.width }}>
              {c.name || <span style={{ position: 'absolute', clipPath: 'inset(50%)' }}>Actions</span>}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={id(row)} data-leads>
            {columns.map((c) => (
              <td key={c.name || 'actions'} data-name={c.name} className={c.end ? 'end' : undefined}>
                {c.show(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface Paged<T> {
  data: T[] | undefined;
  error: unknown;
  isPending: boolean;
  refetch: () => unknown;
  more?: () => void; // undefined: there are no more
  loadingMore?: boolean;
}

// List is a list with all its states.
export function List<T>({ of, empty, ...rest }: { of: Paged<T>; empty: { title: string; words?: ReactNode; action?: ReactNode } } & Omit<Props<T>, 'rows'>) {
  return (
    <Paper withBorder style={{ overflowX: 'auto' }}>
      <Answer of={of} rows={8}>
        {(rows) =>
          rows.length === 0 ? (
            <Empty title={empty.title} action={empty.action}>
              {empty.words}
            </Empty>
          ) : (
            <>
              <Rows rows={rows} {...rest} />
              {of.more && (
                <Center p="sm">
                  <Button variant="default" onClick={of.more} loading={of.loadingMore}>
                    Show more
                  </Button>
                </Center>
              )}
            </>
          )
        }
      </Answer>
    </Paper>
  );
}
