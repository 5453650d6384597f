// The legs of a call: who they were with, how long each rang and talked, and with which code it ended.
import { Anchor, Badge, Group, Text } from '@mantine/core';
import { Link } from 'react-router';
import type { Schemas } from '../api/client';
import { causeWords, codeWords } from './causes';
import { Fault } from './fault';
import { Rows } from './rows';
import { lasted, when } from './words';
import classes from './legs.module.css';

type CDR = Schemas['CDR'];

export function Legs({ legs, tenant }: { legs: CDR[]; tenant: string }) {
  const begin = Math.min(...legs.map((l) => Date.parse(l.started_at)));
  const end = Math.max(...legs.map((l) => Date.parse(l.ended_at)));
  return (
    <Rows
      rows={legs}
      id={(l) => l.leg}
      label="Legs"
      columns={[
        { name: 'Leg', show: (l) => <With leg={l} tenant={tenant} /> },
        { name: 'When', show: (l) => <Bar leg={l} begin={begin} end={end} />, width: '30%' },
        { name: 'Talked', show: (l) => (l.answered_at ? lasted(l.answered_at, l.ended_at) : 'not answered'), width: 110 },
        {
          name: 'Ended with',
          show: (l) => (
            <span>
              {l.sip_code ? <b>SIP {l.sip_code}</b> : null} {l.sip_code ? codeWords(l.sip_code) : causeWords(l.cause)}
              <Text size="xs" c="dimmed" className="mono">
                {l.cause} ({l.q850}){l.estimated ? ' · estimated: its node did not tell of the end' : ''}
              </Text>
            </span>
          ),
        },
        { name: 'Fault', show: (l) => (l.fault === 'none' ? <Text size="sm" c="dimmed">none</Text> : <Fault fault={l.fault} />), width: 170 },
      ]}
    />
  );
}

function With({ leg, tenant }: { leg: CDR; tenant: string }) {
  const t = `/t/${encodeURIComponent(tenant)}`;
  return (
    <div>
      <Group gap={6}>
        <Badge size="sm" radius="sm" variant={leg.role === 'caller' ? 'filled' : 'light'} color="tandem" tt="none">
          {leg.role === 'caller' ? 'Caller' : 'Called'}
        </Badge>
        {leg.device && tenant ? (
          <Anchor component={Link} to={`${t}/devices/${encodeURIComponent(leg.device)}`} size="sm">
            {leg.device}
          </Anchor>
        ) : (
          <bdi>{leg.trunk || leg.device || (leg.role === 'caller' ? leg.from : leg.to)}</bdi>
        )}
      </Group>
      <Text size="xs" c="dimmed">
        <bdi>{leg.from_name ? `“${leg.from_name}” ` : ''}</bdi>
        <bdi>{leg.from}</bdi> → <bdi>{leg.to}</bdi>
      </Text>
    </div>
  );
}

// Bar shows a leg within the time of the call: light while it rang, dark while it was answered.
function Bar({ leg, begin, end }: { leg: CDR; begin: number; end: number }) {
  const whole = Math.max(1, end - begin);
  const at = (t: string) => ((Date.parse(t) - begin) / whole) * 100;
  const from = at(leg.started_at);
  const until = Math.max(at(leg.ended_at), from + 1);
  const answered = leg.answered_at ? at(leg.answered_at) : until;
  return (
    <div className={classes.whole}>
      <div className={classes.bar} aria-hidden>
        <div className={classes.rang} style={{ left: `${from}%`, width: `${Math.max(answered - from, leg.answered_at ? 0 : 1)}%` }} />
        {leg.answered_at && <div className={classes.talked} style={{ left: `${answered}%`, width: `${Math.max(until - answered, 1)}%` }} />}
      </div>
      <Text size="xs" c="dimmed">
        {when(leg.started_at)}, {leg.answered_at ? `rang ${lasted(leg.started_at, leg.answered_at)}` : `tried ${lasted(leg.started_at, leg.ended_at)}`}
      </Text>
    </div>
  );
}
