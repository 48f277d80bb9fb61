import { execFileSync } from 'node:child_process';

/** Unpacks a bundle and checks its sums; throws with the tool's words where something does not fit. */
export function unpack(bundle: string, into: string): void {
  execFileSync('unzip', ['-q', bundle, '-d', into], { stdio: 'pipe' });
  execFileSync('sha256sum', ['-c', '--quiet', 'SHA256SUMS'], { cwd: into, stdio: 'pipe' });
}

/** Checks the nth signature of an unpacked bundle against a root certificate, as its README says; throws where it does not hold. */
export function verifySignature(unpacked: string, number: number, root: string): void {
  const digits = String(number).padStart(3, '0');
  const [signature, manifest] = [`META-INF/signature${digits}.p7s`, `META-INF/ASiCManifest${digits}.xml`];
  const how = ['cms', '-verify', '-binary', '-cades', '-inform', 'DER', '-in', signature, '-content', manifest];
  execFileSync('openssl', [...how, '-CAfile', root, '-out', '/dev/null'], { cwd: unpacked, stdio: 'pipe' });
}
