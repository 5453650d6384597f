import { Badge } from '@mantine/core';
import { faultWords } from './words';

const colours: Record<string, string> = { none: 'teal', caller: 'gray', callee: 'yellow', tenant: 'orange', carrier: 'grape', platform: 'red' };

// Fault says whose doing a failure was, in words and never by its colour alone.
export function Fault({ fault, ok = 'No failure' }: { fault: string | undefined; ok?: string }) {
  const f = fault || 'none';
  return (
    <Badge color={colours[f] ?? 'gray'} variant="light" radius="sm" tt="none" fw={600} autoContrast>
      {f === 'none' ? ok : (faultWords[f] ?? f)}
    </Badge>
  );
}
