import { join } from 'node:path';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const root = join(import.meta.dirname, '..');

export default defineConfig({
  root: join(root, 'renderer'),
  base: './',
  publicDir: false,
  plugins: [react(), tailwindcss()],
  // The app:// handler puts the response's own nonce in this word's place.
  html: { cspNonce: 'LOCKSTEP_CSP_NONCE' },
  build: {
    // The oldest runtime that the app is run on.
    target: 'chrome130',
    outDir: join(root, 'dist', 'renderer'),
    emptyOutDir: true,
    // The content security policy allows no data: addresses and no inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 2000,
  },
});
