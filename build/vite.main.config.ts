import { readdirSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { defineConfig } from 'vite';
import { nativeFree } from './native-free.ts';

const root = join(import.meta.dirname, '..');
const electron = join(root, 'electron');

// The main process, and each process of its own that it starts: electron/<name>-host.ts, and the practice hospital.
const hosts = readdirSync(electron).filter((name) => name.endsWith('-host.ts'));
const entries = {
  main: join(electron, 'main.ts'),
  'lab-host': join(root, 'lab', 'host.ts'),
  ...Object.fromEntries(hosts.map((name) => [name.slice(0, -'.ts'.length), join(electron, name)])),
};

export default defineConfig({
  root,
  publicDir: false,
  plugins: [nativeFree()],
  // Everything goes into the bundle: a packaged app has no node_modules, and a build is the same wherever it is made.
  ssr: { noExternal: true, target: 'node' },
  resolve: { conditions: ['node', 'import', 'module', 'default'], mainFields: ['module', 'main'] },
  build: {
    ssr: true,
    target: 'node20',
    outDir: join(root, 'dist', 'electron'),
    // The preload script is built into the same folder at the same time.
    emptyOutDir: false,
    sourcemap: true,
    minify: false,
    rolldownOptions: {
      input: entries,
      external: ['electron', /^node:/, ...builtinModules],
      output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'shared-[hash].js' },
    },
  },
});
