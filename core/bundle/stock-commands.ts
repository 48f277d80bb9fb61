import { metaName } from './layout.ts';

/** Ties the signed manifests to SHA256SUMS: one line for each manifest that lists the sums as they are. */
export const SUMS_COMMAND =
  'grep -F "$(openssl dgst -sha256 -binary SHA256SUMS | openssl base64)" META-INF/ASiCManifest*.xml';

/**
 * The line with which stock OpenSSL checks the nth signature over its manifest.
 * @param root file with the root certificate (PEM) of whose signature it is
 */
export function opensslCommand(number: number, root: string): string {
  const [signature, manifest] = [metaName('signature', number), metaName('manifest', number)];
  return `openssl cms -verify -binary -cades -inform DER -in ${signature} -content ${manifest} -CAfile ${root} -out /dev/null`;
}

/**
 * Everything that checks a bundle without Lockstep, line by line, in the order in which it is typed.
 * @param bundle file name or path
 * @param roots files with the root certificates, in the order of the signatures
 */
export function stockCommands(bundle: string, roots: readonly string[]): readonly string[] {
  const quoted = (name: string) => (/^[A-Za-z0-9._/-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`);
  return [
    `unzip -q ${quoted(bundle)} -d unpacked && cd unpacked`,
    'sha256sum -c SHA256SUMS',
    SUMS_COMMAND,
    ...roots.map((root, index) => opensslCommand(index + 1, quoted(root))),
  ];
}
