import { useEffect } from 'react';
import { useParams } from 'react-router';
import { useSelf } from '../session';

const key = 'tandem-tenant';

// useTenant is the tenant that the page is about; undefined: all that one may see.
export function useTenant(): string | undefined {
  const { tenant } = useParams();
  const self = useSelf();
  const home = self.acting_as ?? self.tenant;
  const at = tenant ?? home;
  useEffect(() => {
    if (tenant) sessionStorage.setItem(key, tenant);
  }, [tenant]);
  return at;
}

// useTheTenant is the same on pages that are a tenant's.
export function useTheTenant(): string {
  const tenant = useTenant();
  if (!tenant) throw new Error('this page is of a tenant');
  return tenant;
}

// lastTenant is the one that was looked at last in this window.
export function lastTenant(): string | undefined {
  return sessionStorage.getItem(key) ?? undefined;
}
