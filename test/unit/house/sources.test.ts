import { describe, expect, it } from 'vitest';
import { sourceFaults, wayTo } from '../../../build/check-sources.ts';

describe('words that must not stand in some places', () => {
  const faults = (file: string, text: string) => sourceFaults(file, text).length;

  it('finds certificate verification switched off outside engine/wire/tls', () => {
    expect(sourceFaults('engine/wire/http.ts', 'a;\nconnect({ rejectUnauthorized: false });')).toEqual([
      'engine/wire/http.ts:2: certificates are always verified: rejectUnauthorized: false belongs into engine/wire/tls',
    ]);
    expect(faults('lab/emr.ts', 'rejectUnauthorized: insist')).toBe(0);
    expect(faults('cli/main.ts', "process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'")).toBe(1);
  });

  it('wants the reason on the line where it is allowed', () => {
    expect(faults('engine/wire/tls/handshake.ts', 'rejectUnauthorized: false,')).toBe(1);
    expect(faults('engine/wire/tls/handshake.ts', 'rejectUnauthorized: false, // judged by our own chain check')).toBe(
      0,
    );
  });

  it("finds a page without Electron's protections, and markup given as a string", () => {
    expect(faults('electron/window.ts', 'webPreferences: { sandbox: false }')).toBe(1);
    expect(faults('electron/main.ts', "app.commandLine.appendSwitch('no-sandbox')")).toBe(1);
    expect(faults('electron/window.ts', 'contextIsolation: false, nodeIntegration: true')).toBe(1);
    expect(faults('renderer/pages/walk.tsx', '<div dangerouslySetInnerHTML={{ __html: text }} />')).toBe(1);
    expect(faults('electron/handlers/walk.ts', 'ipcRenderer.invoke(channel)')).toBe(1);
    expect(faults('electron/preload.cts', 'ipcRenderer.invoke(channel)')).toBe(0);
  });

  it('finds a clock and randomness in core only', () => {
    for (const text of ['Date.now()', 'new Date()', 'Math.random()', 'crypto.randomUUID()']) {
      expect(faults('core/verdict/expiry.ts', text)).toBe(1);
      expect(faults('engine/run.ts', text)).toBe(0);
    }
    expect(faults('core/verdict/expiry.ts', 'new Date(at)')).toBe(0);
  });
});

describe('what the verifier reaches', () => {
  const read = (files: Record<string, string>) => (file: string) => files[file];

  it('gives the chain of imports to a forbidden module', () => {
    const files = {
      'cli/verify.ts': "import { a } from './keys.ts';\nimport type { T } from '../engine/wire/ldap.ts';",
      'cli/keys.ts': "export { b } from '../engine/more.ts';",
      'engine/more.ts': "const x = await import('./wire/ldap.ts');",
    };
    expect(wayTo('cli/verify.ts', [/^engine\/wire\//], read(files))).toEqual([
      'cli/verify.ts',
      'cli/keys.ts',
      'engine/more.ts',
      'engine/wire/ldap.ts',
    ]);
    expect(wayTo('cli/verify.ts', [/^ldapts$/], read(files))).toBeUndefined();
  });

  it('ends where modules import each other, and reads imports over several lines', () => {
    const files = {
      'a.ts': "import {\n  one,\n  two,\n} from './b.ts';",
      'b.ts': "import './a.ts';\nimport tls from 'node:tls';",
    };
    expect(wayTo('a.ts', [/^ldapts$/], read(files))).toBeUndefined();
    expect(wayTo('a.ts', [/^node:tls$/], read(files))).toEqual(['a.ts', 'b.ts', 'node:tls']);
  });
});
