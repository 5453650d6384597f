// Who has signed in, and what he may do.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { createContext, useContext, useEffect, type ReactNode } from 'react';
import { ask, onSignedOut, Problem, setCSRF, type Schemas } from './api/client';

export type Self = Schemas['SelfBody'];
export type Scope = string;

const Session = createContext<Self | undefined>(undefined);

const selfKey = ['self'];

async function readSelf(): Promise<Self | null> {
  try {
    const self = await ask('get', '/v1/self');
    setCSRF(self.csrf);
    return self;
  } catch (e) {
    if (e instanceof Problem && e.status === 401) return null;
    throw e;
  }
}

// useSignedIn reads who has signed in: null when nobody has.
export function useSignedIn() {
  const client = useQueryClient();
  useEffect(
    () =>
      onSignedOut(() => {
        // Acting as a tenant may be over while one's own session is not: look again rather than guess.
        const known = client.getQueryData<Self | null>(selfKey);
        if (known) void client.invalidateQueries({ queryKey: selfKey });
      }),
    [client],
  );
  return useQuery({ queryKey: selfKey, queryFn: readSelf, staleTime: 5 * 60_000, retry: 1 });
}

export function SessionProvider({ self, children }: { self: Self; children: ReactNode }) {
  return <Session.Provider value={self}>{children}</Session.Provider>;
}

// useSelf is who has signed in.
export function useSelf(): Self {
  const self = useContext(Session);
  if (!self) throw new Error('nobody has signed in');
  return self;
}

// useMay says whether he has a scope.
export function useMay(): (scope: Scope) => boolean {
  const { scopes } = useSelf();
  return (scope) => scopes.includes(scope as Self['scopes'][number]);
}

// useSessionChanges sign in and out, and act as a tenant. After each everything is read anew: it is another person's view.
export function useSessionChanges() {
  const client = useQueryClient();
  const anew = async () => {
    client.removeQueries({ predicate: (q) => q.queryKey[0] !== 'self' });
    await client.invalidateQueries({ queryKey: selfKey });
  };
  return {
    signIn: async (email: string, password: string, code: string) => {
      await ask('post', '/v1/sessions', { body: { email, password, cookie: true, ...(code ? { code } : {}) } });
      await anew();
    },
    signOut: async () => {
      await ask('delete', '/v1/self/session');
      await anew();
    },
    actAs: async (tenant: string, acting: boolean) => {
      if (acting) {
        await ask('delete', '/v1/self/session');
        setCSRF((await ask('get', '/v1/self')).csrf);
      }
      await ask('post', '/v1/tenants/{tenant}/act-as', { path: { tenant } });
      await anew();
    },
  };
}
