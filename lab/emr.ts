import type { Duplex } from 'node:stream';
import type { Server, TLSSocket } from 'node:tls';
import {
  type CertificateSpec,
  DEVICE_NAME,
  goodCertificate,
  type KeyAndCertificate,
  type LabCertificates,
  EMR_NAME,
  TRIAL_NAME,
} from './certificates.ts';
import { openDoor, type Door } from './door.ts';
import { acknowledge, frame, readFrames } from './mllp.ts';
import { tlsOptions, tlsWrapper } from './tls-settings.ts';

const IDLE_MS = 30_000;

/** What the EMR asks of a client's certificate; every leniency is a fault. */
export type ClientPolicy = {
  ask: boolean;
  anyCa: boolean;
  expiredOk: boolean;
  revokedOk: boolean;
  anySubject: boolean;
};

/** The EMR's configuration. Call `refresh` after a change of it. */
export type EmrState = { certificate: CertificateSpec; oldVersions: boolean; client: ClientPolicy; silent: boolean };

export type Emr = {
  readonly state: EmrState;
  readonly secure: Door;
  readonly clear: Door;
  readonly refresh: () => Promise<void>;
  /** HL7 messages received, over TLS and in clear. */
  readonly received: () => { readonly secure: number; readonly clear: number };
};

const UNKNOWN_CA = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_CRL',
  'CERT_SIGNATURE_FAILURE',
];

/** Starts the EMR, hardened: HL7 v2 over MLLP over TLS with mutual certificates, and the (shut) clear-text twin. */
export async function startEmr(certificates: LabCertificates, now: () => Date): Promise<Emr> {
  const state: EmrState = {
    certificate: goodCertificate(),
    oldVersions: false,
    client: { ask: true, anyCa: false, expiredOk: false, revokedOk: false, anySubject: false },
    silent: false,
  };
  const received = { secure: 0, clear: 0 };
  const listen = (stream: Duplex, kind: 'secure' | 'clear'): void => {
    readFrames(stream, (message) => {
      received[kind] += 1;
      stream.write(frame(acknowledge(message, now())));
    });
  };
  const build = (face: KeyAndCertificate): Server => {
    const { client } = state;
    const lenient = client.anyCa || client.expiredOk || client.revokedOk;
    const demand = client.ask
      ? { caPem: certificates.hospitalRoot, crlPem: certificates.crlPem, insist: !lenient }
      : undefined;
    return tlsWrapper(tlsOptions({ ...face, oldVersions: state.oldVersions }, demand), (socket) => {
      if (client.ask && !isWelcome(socket, client)) socket.destroy();
      else listen(socket, 'secure');
    });
  };
  let server = build(await certificates.server([EMR_NAME], state.certificate));
  const secure = await openDoor((socket) => {
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    if (!state.silent) server.emit('connection', socket);
  });
  const clear = await openDoor((socket) => {
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    listen(socket, 'clear');
  });
  await clear.setOpen(false);
  return {
    state,
    secure,
    clear,
    refresh: async () => {
      server = build(await certificates.server([EMR_NAME], state.certificate));
    },
    received: () => ({ ...received }),
  };
}

function isWelcome(socket: TLSSocket, policy: ClientPolicy): boolean {
  const certificate = socket.getPeerCertificate();
  if (certificate === null || certificate.raw === undefined) return false;
  const fault =
    socket.authorizationError === undefined || socket.authorizationError === null
      ? undefined
      : String(socket.authorizationError);
  if (fault !== undefined) {
    if (UNKNOWN_CA.includes(fault)) return policy.anyCa;
    if (!(fault === 'CERT_HAS_EXPIRED' && policy.expiredOk) && !(fault === 'CERT_REVOKED' && policy.revokedOk))
      return false;
  }
  const name: unknown = certificate.subject.CN;
  return policy.anySubject || name === DEVICE_NAME || name === TRIAL_NAME;
}
