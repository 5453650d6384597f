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
        page('start', () => import('./pages/start')),
        page('calls', () => import('./pages/calls')),
        page('calls/:call', () => import('./pages/call')),
        page('search', () => import('./pages/search')),
        page('t/:tenant', () => import('./pages/tenant')),
        page('t/:tenant/calls', () => import('./pages/calls')),
        page('live', () => import('./pages/live')),
        page('tenants', () => import('./pages/tenants')),
        page('nodes', () => import('./pages/nodes')),
        page('numbers', () => import('./pages/numbers')),
        page('numbers/:number', () => import('./pages/number')),
        page('trunks', () => import('./pages/trunks')),
        page('orders', () => import('./pages/orders')),
        page('orders/:order', () => import('./pages/order')),
        page('keys', () => import('./pages/keys')),
        page('people', () => import('./pages/people')),
        page('audit', () => import('./pages/audit')),
        page('t/:tenant/live', () => import('./pages/live')),
        page('t/:tenant/users', () => import('./pages/users')),
        page('t/:tenant/users/:user', () => import('./pages/user')),
        page('t/:tenant/devices', () => import('./pages/devices')),
        page('t/:tenant/devices/:device', () => import('./pages/device')),
        page('t/:tenant/numbers', () => import('./pages/numbers')),
        page('t/:tenant/numbers/:number', () => import('./pages/number')),
        page('t/:tenant/orders', () => import('./pages/orders')),
        page('t/:tenant/orders/:order', () => import('./pages/order')),
        page('t/:tenant/voicemail', () => import('./pages/voicemail')),
        page('t/:tenant/voicemail/:box', () => import('./pages/box')),
        page('t/:tenant/recordings', () => import('./pages/recordings')),
        page('t/:tenant/media', () => import('./pages/media')),
        page('t/:tenant/media/:media', () => import('./pages/medium')),
        page('t/:tenant/flows', () => import('./pages/flows')),
        page('t/:tenant/flows/:flow', () => import('./pages/flow')),
        page('t/:tenant/schedules', () => import('./pages/schedules')),
        page('t/:tenant/schedules/:schedule', () => import('./pages/schedule')),
        page('t/:tenant/lists', () => import('./pages/lists')),
        page('t/:tenant/lists/:list', () => import('./pages/list')),
        page('t/:tenant/versions/:version', () => import('./pages/version')),
        page('t/:tenant/trunks', () => import('./pages/trunks')),
        page('t/:tenant/webhooks', () => import('./pages/webhooks')),
        page('t/:tenant/webhooks/:webhook', () => import('./pages/webhook')),
        page('t/:tenant/keys', () => import('./pages/keys')),
        page('t/:tenant/people', () => import('./pages/people')),
        page('t/:tenant/portings', () => import('./pages/portings')),
        page('t/:tenant/portings/:porting', () => import('./pages/porting')),
        page('portings', () => import('./pages/portings')),
        page('t/:tenant/brand', () => import('./pages/brand')),
        page('t/:tenant/audit', () => import('./pages/audit')),
        page('registrations', () => import('./pages/registrations')),
        page('t/:tenant/registrations', () => import('./pages/registrations')),
        page('self', () => import('./pages/self')),
        page('*', () => import('./pages/nowhere')),
      ],
    },
  ],
  { basename: '/admin' },
);
