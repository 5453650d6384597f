import { Alert, Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useParams } from 'react-router';
import { ask, askTagged, type Schemas } from '../api/client';
import { JSONText, read, written } from '../parts/json';
import { Page } from '../parts/page';
import { Answer } from '../parts/states';
import { useTell } from '../parts/told';
import { sentence } from '../parts/words';
import { useMay } from '../session';
import { useTheTenant } from '../shell/tenant';

type ScheduleOf = Schemas['Schedule'];

export default function Schedule() {
  const tenant = useTheTenant();
  const { schedule = '' } = useParams();
  const row = useQuery({ queryKey: ['schedule', tenant, schedule], queryFn: ({ signal }) => askTagged('get', '/v1/tenants/{tenant}/schedules/{id}', { path: { tenant, id: schedule }, signal }) });
  return <Answer of={row}>{({ value, etag }) => <Editor key={etag} tenant={tenant} schedule={value} etag={etag} />}</Answer>;
}

function Editor({ tenant, schedule, etag }: { tenant: string; schedule: ScheduleOf; etag: string | undefined }) {
  const may = useMay();
  const tell = useTell();
  const client = useQueryClient();
  const was = written(schedule);
  const [text, setText] = useState(was);
  const { value } = read<ScheduleOf>(text);
  const save = useMutation({
    mutationFn: () => ask('put', '/v1/tenants/{tenant}/schedules/{id}', { path: { tenant, id: schedule.id }, body: value as ScheduleOf, match: etag }),
    onSuccess: async () => {
      tell.done('Saved as a draft. It holds once it is published.');
      await client.invalidateQueries();
    },
  });
  return (
    <Page
      title={schedule.name}
      about="draft of opening hours. Days are numbered from Sunday, which is 0."
      back={{ to: `/t/${encodeURIComponent(tenant)}/flows?show=schedules`, words: 'Opening hours' }}
      actions={
        may('flows:write') && (
          <Button onClick={() => save.mutate()} loading={save.isPending} disabled={!value || text === was}>
            Save the draft
          </Button>
        )
      }
    >
      {save.error && <Alert color="red" role="alert">{sentence(save.error)}</Alert>}
      <JSONText label="Opening hours, as JSON" text={text} onChange={setText} fixed={!may('flows:write')} />
    </Page>
  );
}
