// The brand of the domain under which the admin was opened: its name, logo and colours are those of all pages, also before anybody has signed in.
import { MantineProvider, localStorageColorSchemeManager } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';
import { ask, type Schemas } from '../api/client';
import { isColour, shadesOf } from '../parts/colours';
import { theme } from '../theme';

export type Brand = Schemas['PublicBrand'];

const platform: Brand = { name: 'Tandem', primary_color: '#1c4e80', primary_text: '#ffffff', accent_color: '#c2571a', accent_text: '#ffffff' };
const key = 'tandem-brand'; // what was shown last, so that a page does not change its looks while it loads

function last(): Brand | undefined {
  try {
    const kept = JSON.parse(localStorage.getItem(key) ?? '') as Brand;
    return isColour(kept.primary_color) ? kept : undefined;
  } catch {
    return undefined;
  }
}

const Context = createContext<Brand>(platform);

// useBrand is what the pages are called and look like.
export function useBrand(): Brand {
  return useContext(Context);
}

const colourSchemes = localStorageColorSchemeManager({ key: 'tandem-colours' });

export function Branded({ nonce, children }: { nonce: string; children: ReactNode }) {
  const [before] = useState(last);
  const read = useQuery({ queryKey: ['self', 'brand'], queryFn: ({ signal }): Promise<Brand> => ask('get', '/v1/brand', { signal }), staleTime: 5 * 60_000 });
  const brand = read.data ?? before ?? platform;
  useEffect(() => {
    if (read.data) localStorage.setItem(key, JSON.stringify(read.data));
  }, [read.data]);
  const own = isColour(brand.primary_color) && brand.primary_color !== platform.primary_color;
  const branded = useMemo(() => (own ? { ...theme, primaryColor: 'brand', colors: { ...theme.colors, brand: shadesOf(brand.primary_color) } } : theme), [own, brand.primary_color]);
  return (
    <Context.Provider value={brand}>
      <MantineProvider theme={branded} defaultColorScheme="auto" colorSchemeManager={colourSchemes} getStyleNonce={() => nonce}>
        {children}
      </MantineProvider>
    </Context.Provider>
  );
}

// Mark is its logo, or its name where it has none.
export function Mark({ height, of: b }: { height: number; of: Pick<Brand, 'name' | 'logo'> }) {
  if (!b.logo) return <>{b.name}</>;
  return <img src={b.logo} alt={b.name} style={{ display: 'block', height, maxWidth: '100%', objectFit: 'contain', objectPosition: 'left' }} />;
}
