import { Navigate } from 'react-router';
import { useMay, useSelf } from '../session';

// Home leads each to the page that he needs most.
export default function Home() {
  const self = useSelf();
  const may = useMay();
  const home = self.acting_as ?? self.tenant;
  if (home && may('tenants:read')) return <Navigate to={`/t/${encodeURIComponent(home)}`} replace />;
  if (may('calls:read')) return <Navigate to="/calls" replace />;
  return <Navigate to="/self" replace />;
}
