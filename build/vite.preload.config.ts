import { join } from 'node:path';
import { defineConfig } from 'vite';

const root = join(import.meta.dirname, '..');

export default defineConfig({
  root,
  publicDir: false,
  ssr: { noExternal: true, target: 'node' },
  build: {
    ssr: true,
    target: 'chrome130',
    outDir: join(root, 'dist', 'electron'),
    emptyOutDir: false,
    minify: false,
    rolldownOptions: {
      input: { preload: join(root, 'electron', 'preload.cts') },
      external: ['electron'],
      // A sandboxed preload script is CommonJS in one file: it can require nothing but Electron.
      output: { format: 'cjs', entryFileNames: '[name].cjs', codeSplitting: false },
    },
  },
});
