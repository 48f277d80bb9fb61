import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export type TimeAuthority = {
  readonly folder: string;
  /** File with the root certificate, and its PEM. */
  readonly rootFile: string;
  readonly root: string;
  /** Answers a query as RFC 3161 has it; DER. */
  readonly reply: (query: Uint8Array, extra?: readonly string[]) => Promise<Uint8Array<ArrayBuffer>>;
  /** The same over HTTP on loopback. */
  readonly serve: () => Promise<{ url: string; close: () => Promise<void> }>;
  readonly remove: () => Promise<void>;
};

/**
 * A time-stamp authority of stock OpenSSL, at the clock's time.
 * @param options `days`: how long its certificate lives; `usage`: another extended key usage than it should have;
 *   `ess`: digest that names the certificate (sha1: the first version of the attribute)
 */
export async function createTimeAuthority(
  options: { days?: number; usage?: string; ess?: 'sha1' | 'sha256' } = {},
): Promise<TimeAuthority> {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-tsa-'));
  const at = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => run('openssl', args, { cwd: folder });
  const usage = options.usage ?? 'critical,timeStamping';
  await writeFile(at('leaf.ext'), `keyUsage=critical,digitalSignature\nextendedKeyUsage=${usage}\n`);
  await writeFile(at('serial'), '01\n');
  await writeFile(
    at('tsa.cnf'),
    `[tsa]
default_tsa = a
[a]
serial = ${at('serial')}
crypto_device = builtin
signer_cert = ${at('leaf.pem')}
certs = ${at('leaf.pem')}
signer_key = ${at('leaf.key')}
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_alg = ${options.ess ?? 'sha256'}
`,
  );
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  await openssl(
    'req',
    '-x509',
    ...curve,
    '-keyout',
    'root.key',
    '-out',
    'root.pem',
    '-days',
    '7300',
    '-subj',
    '/CN=Time root',
  );
  await openssl('req', ...curve, '-keyout', 'leaf.key', '-out', 'leaf.csr', '-subj', '/CN=Test time authority');
  const issue = ['x509', '-req', '-in', 'leaf.csr', '-CA', 'root.pem', '-CAkey', 'root.key', '-CAcreateserial'];
  await openssl(...issue, '-days', String(options.days ?? 3650), '-extfile', 'leaf.ext', '-out', 'leaf.pem');
  const reply: TimeAuthority['reply'] = async (query, extra = []) => {
    await writeFile(at('q.tsq'), query);
    await openssl('ts', '-reply', '-config', 'tsa.cnf', '-queryfile', 'q.tsq', '-out', 'r.tsr', ...extra);
    return new Uint8Array(await readFile(at('r.tsr')));
  };
  return {
    folder,
    rootFile: at('root.pem'),
    root: await readFile(at('root.pem'), 'utf8'),
    reply,
    serve: async () => {
      const server = createServer((request, response) => {
        const parts: Buffer[] = [];
        request.on('data', (part: Buffer) => parts.push(part));
        request.on('end', () => {
          reply(new Uint8Array(Buffer.concat(parts))).then(
            (bytes) => response.setHeader('content-type', 'application/timestamp-reply').end(bytes),
            () => response.writeHead(500).end(),
          );
        });
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return {
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
        close: () => new Promise((resolve) => server.close(() => resolve())),
      };
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
