// All that the API says of the flow, each with the way to its place.
import { Alert, Button, List as Bullets, Text } from '@mantine/core';
import { useState } from 'react';
import { sentence } from '../parts/words';
import { placeOf, type Faults as All } from './elements';

const fewWarnings = 3;

export function Faults({ of: all, error, known, open }: { of: All; error: unknown; known: boolean; open: (key: string) => void }) {
  const [more, showMore] = useState(false);
  const errors = all.filter((f) => !f.warning);
  const of = errors.length > 0 ? errors : more ? all : all.slice(0, fewWarnings);
  return (
    <div aria-live="polite" data-testid="faults">
      {error ? (
        <Alert color="orange" variant="light" title="This is wrong with it">
          {sentence(error)}
        </Alert>
      ) : of.length > 0 ? (
        <Alert color={errors.length > 0 ? 'orange' : 'yellow'} variant="light" title={errors.length > 0 ? 'This is wrong with it' : 'It works, but look'}>
          <Bullets size="sm">
            {of.map((f) => {
              const key = placeOf(f);
              return (
                <Bullets.Item key={f.path + f.code}>
                  {key === undefined ? (
                    <span className="mono">{f.path}</span>
                  ) : (
                    <Button size="compact-xs" variant="default" className="mono" onClick={() => open(key)} aria-label={`Open ${key}`}>
                      {key}
                    </Button>
                  )}{' '}
                  {f.detail} {f.mend}
                </Bullets.Item>
              );
            })}
          </Bullets>
          {errors.length === 0 && all.length > fewWarnings && (
            <Button mt="xs" size="compact-sm" variant="default" onClick={() => showMore(!more)}>
              {more ? 'Fewer' : `${all.length - fewWarnings} more`}
            </Button>
          )}
        </Alert>
      ) : (
        known && (
          <Text size="sm" c="dimmed">
            Nothing is wrong with it.
          </Text>
        )
      )}
    </div>
  );
}
