import { ask } from '../api/client';
import { Drafts } from '../parts/drafts';
import { useTheTenant } from '../shell/tenant';

export default function Lists() {
  const tenant = useTheTenant();
  return (
    <Drafts
      tenant={tenant}
      of="lists"
      title="Lists"
      about="Numbers and other texts that flows look up: who is blocked, who is let through."
      add="Add a list"
      example={{ id: 'blocked', name: 'Blocked callers' }}
      empty={{ title: 'No lists yet', words: 'A list holds numbers. A flow then leads callers who are in it one way, and all others another.' }}
      gone="A flow that looks it up cannot be published any more. What is live goes on."
      read={(cursor, signal) => ask('get', '/v1/tenants/{tenant}/lists', { path: { tenant }, query: { limit: 50, cursor }, signal })}
      make={(id, name) => ask('put', '/v1/tenants/{tenant}/lists/{id}', { path: { tenant, id }, body: { id, name, entries: [] } })}
      remove={(id) => ask('delete', '/v1/tenants/{tenant}/lists/{id}', { path: { tenant, id } })}
    />
  );
}
