import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of this checkout or installation. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
export const ASSETS = join(ROOT, 'assets');

/** What ran: recorded in the journal and in every facts file. */
export const RUNTIME = {
  node: process.versions.node,
  tls: `OpenSSL ${process.versions.openssl}`,
  platform: `${process.platform}-${process.arch}`,
} as const;

/** Where sessions live: LOCKSTEP_DATA_DIR, or the platform's own place for a user's application data. */
export function dataDir(): string {
  const { LOCKSTEP_DATA_DIR, APPDATA, XDG_DATA_HOME } = process.env;
  if (LOCKSTEP_DATA_DIR !== undefined && LOCKSTEP_DATA_DIR !== '') return LOCKSTEP_DATA_DIR;
  if (process.platform === 'win32') return join(APPDATA ?? join(homedir(), 'AppData', 'Roaming'), 'Lockstep');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'Lockstep');
  return join(XDG_DATA_HOME ?? join(homedir(), '.local', 'share'), 'lockstep');
}

/** Exit codes of every command. */
export const EXIT = { done: 0, findings: 1, usage: 2, undecided: 3, cancelled: 130 } as const;
