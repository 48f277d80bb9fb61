import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { suiteName } from '../../engine/wire/tls/suites.ts';

const run = promisify(execFile);

const FIELDS: Readonly<Record<string, string>> = {
  SSLv3: 'ssl30',
  'TLSv1.0': 'tls10',
  'TLSv1.1': 'tls11',
  'TLSv1.2': 'tls12',
  'TLSv1.3': 'tls13',
};
export type Lists = Record<string, string[]>;
export const sorted = (lists: Lists): Lists =>
  Object.fromEntries(
    Object.entries(lists)
      .filter(([, names]) => names.length > 0)
      .map(([version, names]) => [version, [...names].sort()]),
  );

/** What nmap's ssl-enum-ciphers lists. */
export async function nmap(port: number): Promise<Lists> {
  const args = ['-Pn', '-n', '-p', String(port), '--script', 'ssl-enum-ciphers', '127.0.0.1'];
  const { stdout } = await run('nmap', args, { timeout: 60_000 });
  const lists: Lists = {};
  let current: string[] = [];
  for (const line of stdout.split('\n')) {
    const version = /^\|\s+(SSLv3|TLSv1\.[0-3]):/.exec(line)?.[1];
    if (version !== undefined) current = lists[FIELDS[version] ?? version] = [];
    const suite = /^\|\s+(TLS_[A-Za-z0-9_]+)/.exec(line)?.[1];
    // nmap names those of TLS 1.3 after its older habit.
    if (suite !== undefined) current.push(suite.replace('TLS_AKE_WITH_', 'TLS_'));
  }
  return sorted(lists);
}

/** What sslscan lists, by number, and so under the names of the RFCs. */
export async function sslscan(port: number, name: string): Promise<Lists> {
  const args = ['--no-colour', '--show-cipher-ids', `--sni-name=${name}`, `127.0.0.1:${port}`];
  const { stdout } = await run('sslscan', args, { timeout: 60_000 });
  const lists: Lists = {};
  for (const line of stdout.split('\n')) {
    const [, version = '', suite = ''] = /^(?:Preferred|Accepted)\s+(\S+)\s+\d+ bits\s+0x(\S+)/.exec(line) ?? [];
    if (suite !== '') (lists[FIELDS[version] ?? version] ??= []).push(suiteName(Number.parseInt(suite, 16)));
  }
  return sorted(lists);
}

/** With which schemes sslscan sees a server sign, version by version. */
export async function sslscanSchemes(port: number, name: string): Promise<Lists> {
  const args = ['--no-colour', '--show-sigs', '--no-ciphersuites', `--sni-name=${name}`, `127.0.0.1:${port}`];
  const { stdout } = await run('sslscan', args, { timeout: 60_000 });
  const lists: Record<string, string[]> = {};
  for (const [, version = '', scheme = ''] of stdout.matchAll(
    /^(TLSv1\.[23])\s+([a-z]+_[a-z0-9_]+|ed25519|ed448)\s*$/gim,
  ))
    (lists[FIELDS[version] ?? version] ??= []).push(scheme.toLowerCase());
  return sorted(lists);
}
