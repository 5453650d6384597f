// What happens at a tenant, or at all, as it happens.
import { useEffect, useRef, useState } from 'react';

const types = ['call.started', 'call.answered', 'call.ended', 'device.registered', 'device.unregistered', 'registration.changed', 'configuration.published'] as const;

export type Happening = { type: (typeof types)[number]; data: Record<string, unknown> };

// everywhere stands for all tenants, whom the platform's own may follow.
export const everywhere = '*';

// useEvents follows a tenant's events. It says whether it can: a worker may have too many who do.
export function useEvents(tenant: string | undefined, tell: (event: Happening) => void): boolean {
  const [up, setUp] = useState(false);
  const told = useRef(tell);
  told.current = tell;
  useEffect(() => {
    if (!tenant) return;
    const of = tenant === everywhere ? '/v1/events' : `/v1/tenants/${encodeURIComponent(tenant)}/events`;
    const source = new EventSource(`${of}?types=${types.join(',')}`);
    source.onopen = () => setUp(true);
    source.onerror = () => setUp(false); // the browser comes again by itself
    for (const type of types) {
      source.addEventListener(type, (e: MessageEvent<string>) => {
        try {
          const body = JSON.parse(e.data) as { data?: Record<string, unknown> };
          told.current({ type, data: body.data ?? {} });
        } catch {
          // an event of a newer release
        }
      });
    }
    return () => {
      source.close();
      setUp(false);
    };
  }, [tenant]);
  return up;
}
