import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { crlBytes } from '../engine/keys/crl.ts';
import type { LabCertificates, Revoked } from './certificates.ts';
import { type Door, openDoor } from './door.ts';
import { answerOcsp } from './ocsp.ts';

const IDLE_MS = 30_000;
const MAX_REQUEST = 16 * 1024;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

export const CRL_HOST = 'pki.hospital.example';
export const OCSP_HOST = 'ocsp.hospital.example';
const CRL_PATHS = { root: '/hospital-root.crl', issuing: '/hospital-issuing.crl' } as const;

/** What is wrong with how the hospital's authority tells which certificates it revoked. */
export type RevocationState = {
  /** The list was last renewed long ago. */
  staleCrl: boolean;
  /** Somebody whom the authority does not know signs the answers. */
  strangerSigns: boolean;
  /** The certificate that the EMR presents was revoked. */
  emrRevoked: boolean;
};

/** Where the authority's certificates say that their status can be asked. */
export type StatusAddresses = { readonly rootCrl: string; readonly issuingCrl: string; readonly ocsp: string };

export type Revocation = {
  readonly state: RevocationState;
  readonly crl: Door;
  readonly ocsp: Door;
  readonly addresses: StatusAddresses;
  /** Until then nothing is answered. `more` is asked at every request for what was revoked beside the trial certificates. */
  readonly open: (certificates: LabCertificates, more: () => Promise<readonly Revoked[]>) => void;
};

/**
 * Opens the CRL distribution point and the OCSP responder (RFC 5280, RFC 6960) of the hospital's authority, over HTTP, each on
 * its own port: certificates name these addresses, so they stand before the first one is issued.
 */
export async function startRevocation(now: () => Date): Promise<Revocation> {
  const state: RevocationState = { staleCrl: false, strangerSigns: false, emrRevoked: false };
  let answering: { certificates: LabCertificates; more: () => Promise<readonly Revoked[]> } | undefined;
  const listOf = async (authority: 'root' | 'issuing'): Promise<Buffer> => {
    if (answering === undefined) throw new Error('the authority has not opened');
    const [from, to] = state.staleCrl ? [-9 * DAY, -2 * DAY] : [-HOUR, 7 * DAY];
    return crlBytes(
      Buffer.from(
        await answering.certificates.crl(authority, {
          more: await answering.more(),
          thisUpdate: new Date(now().getTime() + from),
          nextUpdate: new Date(now().getTime() + to),
        }),
      ),
    );
  };
  const answer = async (request: Buffer): Promise<Buffer> => {
    if (answering === undefined) throw new Error('the authority has not opened');
    const { certificates, more } = answering;
    const at = now().getTime();
    const issuers = certificates.ocspIssuers(await more()).map((issuer) => ({
      ...issuer,
      responder: state.strangerSigns ? certificates.strangeResponder : issuer.responder,
    }));
    return answerOcsp(request, issuers, { thisUpdate: new Date(at - HOUR), nextUpdate: new Date(at + DAY) });
  };
  const crl = await openHttp(async (request, response) => {
    const authority = (['root', 'issuing'] as const).find((one) => CRL_PATHS[one] === request.url);
    if (authority === undefined || request.method !== 'GET') return void response.writeHead(404).end();
    response.writeHead(200, { 'content-type': 'application/pkix-crl' }).end(await listOf(authority));
  });
  const ocsp = await openHttp(async (request, response) => {
    const asked = await readRequest(request);
    if (asked === undefined) return void response.writeHead(404).end();
    response.writeHead(200, { 'content-type': 'application/ocsp-response' }).end(await answer(asked));
  });
  return {
    state,
    crl,
    ocsp,
    addresses: {
      rootCrl: `http://${CRL_HOST}:${crl.port}${CRL_PATHS.root}`,
      issuingCrl: `http://${CRL_HOST}:${crl.port}${CRL_PATHS.issuing}`,
      ocsp: `http://${OCSP_HOST}:${ocsp.port}/ocsp`,
    },
    open: (certificates, more) => {
      answering = { certificates, more };
    },
  };
}

/** By POST, or by GET with the request in the path (RFC 6960 appendix A.1). */
async function readRequest(request: IncomingMessage): Promise<Buffer | undefined> {
  const { method, url = '' } = request;
  if (method === 'POST' && url === '/ocsp') {
    if (Number(request.headers['content-length'] ?? MAX_REQUEST + 1) > MAX_REQUEST) return undefined;
    return buffer(request);
  }
  const given = method === 'GET' ? /^\/ocsp\/([A-Za-z0-9+/=%]{1,1000})$/.exec(url)?.[1] : undefined;
  return given === undefined ? undefined : Buffer.from(decodeURIComponent(given), 'base64');
}

function openHttp(handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>): Promise<Door> {
  const listener: RequestListener = (request, response) => {
    handle(request, response).catch(() => response.writeHead(500).end());
  };
  const server = createServer(listener);
  return openDoor((socket) => {
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    server.emit('connection', socket);
  });
}
