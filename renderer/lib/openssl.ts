/** Where the commands are to find the roots; the reader puts in the files that they trust. */
const ROOTS = { engineer: 'engineer-root.pem', hospital: 'hospital-root.pem' } as const;

/** Stock commands that check a bundle without Lockstep, as its README says them. */
export function opensslLines(bundle: string, countersigned: boolean): string {
  const name = `'${bundle.replaceAll("'", "'\\''")}'`;
  const signature = (number: string, root: string) =>
    `openssl cms -verify -binary -cades -purpose any -inform DER -in META-INF/signature${number}.p7s -content META-INF/ASiCManifest${number}.xml -CAfile ${root} -out /dev/null`;
  return [
    `unzip -d bundle ${name} && cd bundle`,
    signature('001', ROOTS.engineer),
    ...(countersigned ? [signature('002', ROOTS.hospital)] : []),
    'sha256sum -c SHA256SUMS',
  ].join('\n');
}
