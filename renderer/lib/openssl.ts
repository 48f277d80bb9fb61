/** Names of the files in which the reader keeps the roots that they trust, as the README of a bundle names them. */
const ROOTS = { '001': 'engineer-root.pem', '002': 'hospital-root.pem' } as const;

/** Stock commands that check a bundle without Lockstep, as its README says them. */
export function opensslLines(bundle: string, countersigned: boolean): string {
  const name = `'${bundle.replaceAll("'", "'\\''")}'`;
  const signature = (number: keyof typeof ROOTS) =>
    `openssl cms -verify -binary -cades -inform DER -in META-INF/signature${number}.p7s -content META-INF/ASiCManifest${number}.xml -CAfile ${ROOTS[number]} -out /dev/null`;
  return [
    `unzip -q ${name} -d unpacked && cd unpacked`,
    'sha256sum -c SHA256SUMS',
    'grep -F "$(openssl dgst -sha256 -binary SHA256SUMS | openssl base64)" META-INF/ASiCManifest*.xml',
    signature('001'),
    ...(countersigned ? [signature('002')] : []),
  ].join('\n');
}
