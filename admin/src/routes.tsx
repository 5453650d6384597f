// Where each page is, and what of the program it needs: a page's own part is loaded when it is opened first.
import type { ComponentType } from 'react';
import { createBrowserRouter, type RouteObject } from 'react-router';
import { Shell } from './shell/shell';
import { Broken } from './shell/broken';

type Loader = () => Promise<{ default: ComponentType }>;

function page(path: string, load: Loader): RouteObject {
  return { path, lazy: async () => ({ Component: (await load()).default }), hydrateFallbackElement: <></> };
}

export const router = createBrowserRouter(
  [
    {
      path: '/',
      element: <Shell />,
      errorElement: <Broken />,
      children: [
        { index: true, lazy: async () => ({ Component: (await import('./pages/home')).default }) },
        page('calls', () => import('./pages/calls')),
        page('calls/:call', () => import('./pages/call')),
        page('search', () => import('./pages/search')),
        page('t/:tenant', () => import('./pages/tenant')),
        page('t/:tenant/calls', () => import('./pages/calls')),
        page('self', () => import('./pages/self')),
        page('*', () => import('./pages/nowhere')),
      ],
    },
  ],
  { basename: '/admin' },
);
