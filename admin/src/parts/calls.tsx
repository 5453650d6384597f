// Calls in a list, as every page shows them.
import { Anchor, Badge, Group, Text } from '@mantine/core';
import { Link } from 'react-router';
import type { Schemas } from '../api/client';
import { Fault } from './fault';
import type { Column } from './rows';
import { Time } from './time';
import { lasted } from './words';

type Call = Schemas['CallRow'];

export function callPath(call: string): string {
  return `/calls/${encodeURIComponent(call)}`;
}

// Parties says who called whom. Both are texts of phones and carriers.
export function Parties({ from, to }: { from: string; to: string }) {
  return (
    <span>
      <bdi>{from || 'unknown'}</bdi> <Text component="span" c="dimmed" inherit aria-label="to">→</Text> <bdi>{to || 'unknown'}</bdi>
    </span>
  );
}

export function callColumns(withTenant: boolean): Column<Call>[] {
  return [
    { name: 'Time', show: (c) => <Time at={c.started_at} />, width: 130 },
    {
      name: 'Call',
      show: (c) => (
        <Anchor component={Link} to={callPath(c.call)} fw={550} size="sm">
          <Parties from={c.from} to={c.to} />
        </Anchor>
      ),
    },
    ...(withTenant ? [{ name: 'Tenant', show: (c: Call) => c.tenant && <Anchor component={Link} to={`/t/${encodeURIComponent(c.tenant)}`} size="sm" c="dimmed">{c.tenant}</Anchor> }] : []),
    {
      name: 'How it ended',
      show: (c) => (
        <Group gap={6} wrap="nowrap">
          {c.ended_at ? <Fault fault={c.fault} ok={c.sip_code ? 'Not answered' : 'Answered'} /> : <Badge variant="light" color="blue" radius="sm" tt="none">Under way</Badge>}
          {c.sip_code ? <Text span size="xs" c="dimmed">SIP {c.sip_code}</Text> : null}
        </Group>
      ),
      width: 220,
    },
    { name: 'Lasted', show: (c) => (c.ended_at ? lasted(c.started_at, c.ended_at) : ''), width: 90 },
  ];
}
