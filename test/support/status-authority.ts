import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import type { IssuedFiles, ThrowawayCa } from './throwaway-ca.ts';

const run = promisify(execFile);

/** What the authority says of a certificate; the index file of `openssl ocsp` is written from it. */
export type Entry = { readonly serialNumber: string; readonly revoked?: boolean };

export type StatusAuthority = {
  readonly crlUrl: string;
  readonly ocspUrl: string;
  /** Sets the CRL that is served; text or bytes as they are. */
  readonly serveCrl: (crl: string | Buffer) => void;
  readonly setEntries: (entries: readonly Entry[]) => Promise<void>;
  /** Who signs OCSP answers, and further arguments of `openssl ocsp` such as `-nmin 90`. */
  readonly answerAs: (responder: IssuedFiles, ...args: readonly string[]) => void;
  /** The answer that openssl gives to a request, for stapling. */
  readonly answer: (request: Buffer) => Promise<Buffer>;
  readonly requests: () => readonly string[];
  readonly stop: () => Promise<void>;
};

/** A CRL over HTTP, and openssl's own OCSP responder behind a small HTTP server. */
export async function startStatusAuthority(ca: ThrowawayCa, first: IssuedFiles): Promise<StatusAuthority> {
  let crl: string | Buffer | undefined;
  let responder = first;
  let extra: readonly string[] = ['-nmin', '90'];
  let count = 0;
  const requests: string[] = [];
  const index = join(ca.folder, 'index.txt');
  const answer = async (request: Buffer): Promise<Buffer> => {
    count += 1;
    const [reqFile, respFile] = [join(ca.folder, `${count}.req`), join(ca.folder, `${count}.resp`)];
    await writeFile(reqFile, request);
    const signer = ['-rsigner', responder.certificate, '-rkey', responder.key];
    const args = ['ocsp', '-index', index, '-CA', ca.rootFile, ...signer, '-reqin', reqFile, '-respout', respFile];
    await run('openssl', [...args, ...extra]);
    return readFile(respFile);
  };
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    void (async () => {
      if (request.url === '/crl' && crl !== undefined) response.end(crl);
      else if (request.url === '/ocsp') response.end(await answer(await buffer(request)));
      else response.writeHead(404).end();
    })().catch((error: Error) => response.writeHead(500).end(error.message));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://pki.hospital.test:${(server.address() as AddressInfo).port}`;
  return {
    crlUrl: `${base}/crl`,
    ocspUrl: `${base}/ocsp`,
    serveCrl: (next) => {
      crl = next;
    },
    setEntries: (entries) =>
      writeFile(
        index,
        entries
          .map(({ serialNumber, revoked }) => {
            const serial = serialNumber.toUpperCase();
            return `${revoked === true ? 'R\t490101000000Z\t260101000000Z,keyCompromise' : 'V\t490101000000Z\t'}\t${serial}\tunknown\t/CN=${serial}\n`;
          })
          .join(''),
      ),
    answerAs: (next, ...args) => {
      [responder, extra] = [next, args];
    },
    answer,
    requests: () => requests.splice(0),
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
