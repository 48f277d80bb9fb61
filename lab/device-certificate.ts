import { createPrivateKey, X509Certificate } from 'node:crypto';
import { certificateTemplateSchema } from '../core/certificate-template.ts';
import { makeRequest } from '../engine/keys/certificate-request.ts';
import type { DeviceState } from './device-state.ts';

type Answer = { readonly status: number; readonly body: unknown };

/** The request that waits on the device, or 404. */
export function shownRequest({ waiting }: DeviceState): Answer {
  return waiting === undefined
    ? { status: 404, body: { error: 'no request waits' } }
    : { status: 200, body: { csr: waiting.requestPem } };
}

/** Makes a key, which stays here, and a request for it. */
export async function makeDeviceRequest(state: DeviceState, body: unknown): Promise<Answer> {
  const template = certificateTemplateSchema.safeParse(body);
  if (!template.success) return { status: 400, body: { error: 'commonName, names and key are wanted' } };
  if (state.waiting !== undefined) return { status: 409, body: { error: 'a request waits already' } };
  const { requestPem, pkcs8 } = await makeRequest(template.data);
  const key = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
  state.waiting = { requestPem, keyPem: key.export({ format: 'pem', type: 'pkcs8' }).toString() };
  return { status: 201, body: { csr: requestPem } };
}

/** Drops the key and the request that wait. */
export function dropDeviceRequest(state: DeviceState): Answer {
  delete state.waiting;
  return { status: 200, body: { dropped: true } };
}

/** Takes a certificate for the key that waits, or for one that comes along, and keeps the pair before. */
export function installCertificate(state: DeviceState, body: unknown): Answer {
  const { chain, key } = (typeof body === 'object' && body !== null ? body : {}) as { chain?: unknown; key?: unknown };
  const keyPem = typeof key === 'string' ? key : state.waiting?.keyPem;
  if (typeof chain !== 'string' || keyPem === undefined)
    return { status: 400, body: { error: 'chain is wanted, and a key where none waits' } };
  try {
    if (!new X509Certificate(chain).checkPrivateKey(createPrivateKey(keyPem)))
      return { status: 400, body: { error: 'the certificate is not for the key' } };
  } catch {
    return { status: 400, body: { error: 'chain or key cannot be read' } };
  }
  const { installed, waiting } = state;
  state.former = { ...(installed === undefined ? {} : { installed }), ...(waiting === undefined ? {} : { waiting }) };
  state.installed = { certificatePem: chain, keyPem };
  delete state.waiting;
  return { status: 200, body: { installed: new X509Certificate(chain).subject } };
}

/** Puts the pair before back, once, and the request that it answered. */
export function restoreCertificate(state: DeviceState): Answer {
  if (state.former === undefined) return { status: 409, body: { error: 'nothing is kept' } };
  delete state.installed;
  if (state.former.installed !== undefined) state.installed = state.former.installed;
  if (state.former.waiting !== undefined) state.waiting = state.former.waiting;
  delete state.former;
  return { status: 200, body: { restored: true } };
}
