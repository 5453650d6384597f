import { useDebouncedValue } from '@mantine/hooks';
import { useMutation } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { ask, type Schemas } from '../api/client';
import { read } from '../parts/json';
import { isMembers, type JSONValue } from './document';
import type { Faults } from './elements';

const pause = 300; // ms of no change before it is checked
const none: Faults = [];

export interface Checked {
  faults: Faults; // of the last text that was checked
  error: unknown; // why it could not be, such as a member that flows do not have
  known: boolean; // the text as it is now was checked
}

// useChecked asks the API what is wrong with the flow as it is written, a moment after it has changed.
export function useChecked(tenant: string, flow: string, text: string): Checked {
  const [settled] = useDebouncedValue(text, pause);
  const [last, keep] = useState<{ of: string; faults: Faults; error?: unknown }>({ of: '', faults: none });
  const check = useMutation({ mutationFn: (body: Schemas['Flow']) => ask('post', '/v1/tenants/{tenant}/flows/{id}/check', { path: { tenant, id: flow }, body }) });
  const { mutate } = check;
  useEffect(() => {
    const value = read<JSONValue>(settled).value;
    if (!isMembers(value)) return;
    mutate(value as unknown as Schemas['Flow'], { onSuccess: ({ faults }) => keep({ of: settled, faults }), onError: (error) => keep({ of: settled, faults: none, error }) });
  }, [settled, mutate]);
  return { faults: last.faults, error: last.error, known: last.of === text };
}
