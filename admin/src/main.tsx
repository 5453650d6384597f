import '@mantine/core/styles.css';
import './main.css';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { RouterProvider } from 'react-router';
import { Problem } from './api/client';
import { Told } from './parts/told';
import { router } from './routes';
import { Branded } from './shell/brand';

const most = 2; // tries of a question that may pass

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      refetchOnWindowFocus: false,
      // What was refused is refused again; what could not be reached may be there in a moment.
      retry: (count, error) => count < most && (!(error instanceof Problem) || error.status === 0 || error.status >= 502),
    },
  },
});

// Styles that are made while the page runs bear this answer's nonce: the security policy allows no others.
const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '';

// What stops a page from scrolling behind a dialog looks for it here.
(globalThis as { __webpack_nonce__?: string }).__webpack_nonce__ = nonce;

const root = document.getElementById('root');
if (!root) throw new Error('the page has no root');
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <Branded nonce={nonce}>
        <Told>
          <RouterProvider router={router} />
        </Told>
      </Branded>
    </QueryClientProvider>
  </StrictMode>,
);
