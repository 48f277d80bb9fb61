import { watch } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readRequest } from '../engine/keys/certificate-request.ts';
import type { LabCertificates } from './certificates.ts';

/** Folder beside the site file: whoever runs the practice hospital's authority looks in here. */
export const AUTHORITY_FOLDER = 'authority';
const MAX_REQUEST = 65_536;

/**
 * The practice hospital's certification authority: each request (`NAME.csr`) that is put into its folder is answered beside it
 * by `NAME.crt`, the certificate with the names that were asked for and the authorities above it.
 * @returns how to close it
 */
export async function openAuthority(
  dir: string,
  certificates: LabCertificates,
  save: (path: string, text: string) => Promise<void>,
): Promise<() => Promise<void>> {
  const folder = join(dir, AUTHORITY_FOLDER);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const refused = new Set<string>();
  let work = Promise.resolve();
  const look = async (): Promise<void> => {
    const names = await readdir(folder).catch((): string[] => []);
    for (const name of names.filter((one) => one.endsWith('.csr'))) {
      const answer = `${name.slice(0, -'.csr'.length)}.crt`;
      if (names.includes(answer)) continue;
      const pem = await readFile(join(folder, name), 'utf8').catch(() => '');
      if (refused.has(pem) || pem.length > MAX_REQUEST) continue;
      const request = await readRequest(pem);
      const issued = request.ok ? await certificates.sign(request.value.pem, request.value.names) : undefined;
      if (issued === undefined) refused.add(pem);
      else await save(join(folder, answer), issued);
    }
  };
  const watcher = watch(folder, () => {
    work = work.then(look).catch(() => undefined);
  });
  watcher.on('error', () => watcher.close());
  return async () => {
    watcher.close();
    await work;
  };
}
