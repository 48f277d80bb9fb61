import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createPracticeCa,
  type IssueOptions,
  type PracticeCa,
  type PracticeCertificate,
} from '../../engine/keys/practice-ca.ts';

export type IssuedFiles = PracticeCertificate & { readonly certificate: string; readonly key: string };
export type ThrowawayCa = {
  readonly folder: string;
  /** PEM of the root, and the file that holds it. */
  readonly root: string;
  readonly rootFile: string;
  readonly ca: PracticeCa;
  /** Issues and writes `<name>.crt` (with the chain) and `<name>.key`. */
  readonly issue: (name: string, options: IssueOptions) => Promise<IssuedFiles>;
  readonly remove: () => Promise<void>;
};

/** A certification authority in a temporary folder that dies with the test. */
export async function createThrowawayCa(now = new Date()): Promise<ThrowawayCa> {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-ca-'));
  const ca = await createPracticeCa({ now });
  const rootFile = join(folder, 'root.crt');
  await writeFile(rootFile, ca.roots.hospital);
  return {
    folder,
    root: ca.roots.hospital,
    rootFile,
    ca,
    issue: async (name, options) => {
      const issued = await ca.issue(options);
      const [certificate, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
      await writeFile(certificate, issued.chainPem);
      await writeFile(key, issued.keyPem, { mode: 0o600 });
      return { ...issued, certificate, key };
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
