import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// nonceMark is what the worker puts a nonce in the place of, with each page that it serves (admin.go).
const nonceMark = 'TANDEM-NONCE';

export default defineConfig({
  base: '/admin/',
  plugins: [react()],
  html: { cspNonce: nonceMark },
  build: { target: 'es2022', assetsInlineLimit: 0, manifest: true, modulePreload: { polyfill: false }, chunkSizeWarningLimit: 600 },
  // For work on the pages: a worker's API beside.
  server: { proxy: { '/v1': process.env.TANDEM_API ?? 'http://127.0.0.1:8080' } },
});
