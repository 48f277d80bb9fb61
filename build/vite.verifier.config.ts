import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig, type Plugin } from 'vite';

const root = join(import.meta.dirname, '..');
const folder = join(root, 'renderer', 'verifier');
const PLACE = /<!-- the script[^>]*-->/;

export default defineConfig({
  root: folder,
  publicDir: false,
  plugins: [oneFile()],
  build: {
    // Raw DEFLATE in DecompressionStream is what asks for these.
    target: ['chrome103', 'firefox113', 'safari16.4'],
    outDir: join(root, 'dist', 'verifier'),
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { verifier: join(folder, 'main.ts') },
      output: { format: 'iife', codeSplitting: false, entryFileNames: '[name].js' },
    },
  },
});

/** Puts the script into the page, and into its policy the digests of script and style: nothing else may run or load. */
function oneFile(): Plugin {
  return {
    name: 'one-file',
    enforce: 'post',
    generateBundle(_options, bundle) {
      const chunks = Object.values(bundle).filter((part) => part.type === 'chunk');
      const [chunk] = chunks;
      if (chunk === undefined || chunks.length !== 1) throw new Error('the page must be one script');
      // Inside a script element these would end it, or keep it from ending; in strings and patterns both are the same.
      const script = `\n${chunk.code.replace(/<(?=\/script|!--)/gi, '\\x3c')}`;
      const page = readFileSync(join(folder, 'page.html'), 'utf8');
      const style = /<style>([\s\S]*?)<\/style>/.exec(page)?.[1];
      if (style === undefined || !PLACE.test(page)) throw new Error('page.html is not as expected');
      const policy = `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; base-uri 'none'; form-action 'none'`;
      const whole = page.replace('POLICY', policy).replace(PLACE, () => `<script>${script}</script>`);
      for (const name of Object.keys(bundle)) delete bundle[name];
      this.emitFile({ type: 'asset', fileName: 'verifier.html', source: whole });
    },
  };
}

function hash(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
