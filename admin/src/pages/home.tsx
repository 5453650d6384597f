import { useQuery } from '@tanstack/react-query';
import { Navigate } from 'react-router';
import { ask } from '../api/client';
import { Loading } from '../parts/states';
import { useMay, useSelf } from '../session';

// Home leads each to the page that he needs most.
export default function Home() {
  const self = useSelf();
  const may = useMay();
  const home = self.acting_as ?? self.tenant;
  if (home && may('tenants:read')) return <Navigate to={`/t/${encodeURIComponent(home)}`} replace />;
  if (may('calls:read') && may('tenants:read')) return <Platform />;
  if (may('calls:read')) return <Navigate to="/calls" replace />;
  if (home && self.user) return <Navigate to={`/t/${encodeURIComponent(home)}/users/${encodeURIComponent(self.user)}`} replace />;
  return <Navigate to="/self" replace />;
}

// Platform leads a newcomer to the first steps, and all others to the calls.
function Platform() {
  const calls = useQuery({ queryKey: ['calls', undefined, 'any'], queryFn: ({ signal }) => ask('get', '/v1/past-calls', { query: { limit: 1 }, signal }) });
  if (calls.isPending) return <Loading />;
  return <Navigate to={calls.data?.items.length === 0 ? '/start' : '/calls'} replace />;
}
