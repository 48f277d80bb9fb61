import { randomBytes } from 'node:crypto';
import type { HttpsEnrolment } from '../../core/changes/certificate-enroll.ts';
import type { CertificateTemplate } from '../../core/certificate-template.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import type { ProbeContext } from '../context.ts';
import { type HttpAnswer, type HttpRequest, hostOfUrl, requestHttp } from '../wire/http.ts';
import { anchorPems } from '../wire/tls/anchors.ts';
import { packPkcs12, pkcs12Lines } from './certificate-pkcs12.ts';
import type { Installation, Way } from './certificate-way.ts';
import type { WriteCredential } from './change.ts';

/** Placeholders of a body, with what stands for them; a list where the value is nothing but the placeholder. */
type Fillings = Readonly<Record<string, string | readonly string[] | boolean>>;

/** Over the device's own administration API, as the guide maps it. TLS is always verified. */
export function httpsWay(how: HttpsEnrolment, device: string, context: ProbeContext): Way {
  const { request, discard, install, pkcs12, restore } = how;
  const send = (call: Pick<HttpRequest, 'url' | 'method'>, body: unknown, who?: WriteCredential) =>
    sendJson(call, body, how, who, context);
  const write = async (
    call: { url: string; method: 'POST' | 'PUT'; body: Record<string, unknown> },
    fillings: Fillings,
    who: WriteCredential,
  ): Promise<Result<void>> => {
    const sent = await send(call, fill(call.body, fillings), who);
    return sent.ok ? accepted(sent.value, call.url) : sent;
  };
  return {
    device,
    requestLines: () => (request === undefined ? [] : [`POST ${request.url} (the device makes the key and keeps it)`]),
    installLines: () => [
      `${install.method} ${install.url}`,
      ...(pkcs12 === undefined ? [] : pkcs12Lines(pkcs12)),
      restore === undefined
        ? 'The device does not hand the former certificate back: there is no undo.'
        : `  undo: ${restore.method} ${restore.url}`,
    ],
    waiting: async () => {
      if (request === undefined) return ok(undefined);
      const shown = await send({ url: request.url, method: 'GET' }, undefined);
      if (!shown.ok) return shown;
      if (shown.value.status === 404) return ok(undefined);
      const right = accepted(shown.value, request.url);
      if (!right.ok) return right;
      const csr = fieldOf(shown.value.body, request.csr);
      return csr === undefined
        ? fail('http.protocol', `The device shows no request in the field ${request.csr}.`, { place: request.url })
        : ok(csr);
    },
    makeRequest: async (template, _stamp, sameKey, who) =>
      request === undefined
        ? fail('guide.invalid', 'The guide does not say how this device makes a request.')
        : write({ ...request, method: 'POST' }, { ...templateFillings(template), 'same-key': sameKey }, who),
    ...(discard === undefined
      ? {}
      : { discardRequest: (_stamp: string, _same: boolean, who: WriteCredential) => write(discard, {}, who) }),
    place: async () => ok({}),
    digest: () => undefined,
    install: async (what, who) => {
      const packed = await pkcs12Fillings(what, pkcs12, context);
      return packed.ok ? write(install, { ...installFillings(what), ...packed.value }, who) : packed;
    },
    ...(restore === undefined
      ? {}
      : { restore: (_what: Omit<Installation, 'key'>, who: WriteCredential) => write(restore, {}, who) }),
  };
}

function templateFillings(template: CertificateTemplate): Fillings {
  return {
    'common-name': template.commonName,
    organization: template.organization ?? '',
    unit: template.unit ?? '',
    names: template.names,
    'key-kind': template.key,
  };
}

function installFillings({ certificate, intermediates, key }: Installation): Fillings {
  return { certificate, intermediates, chain: certificate + intermediates, ...(key === undefined ? {} : { key }) };
}

/** The file in base64, and its password: that of the site, or one that is made for this request and known to nobody after it. */
async function pkcs12Fillings(
  what: Installation,
  pkcs12: HttpsEnrolment['pkcs12'],
  context: ProbeContext,
): Promise<Result<Fillings>> {
  if (pkcs12 === undefined) return ok({});
  const password =
    pkcs12.password === undefined ? ok(randomBytes(16).toString('hex')) : await context.secret(pkcs12.password);
  if (!password.ok) return password;
  const packed = await packPkcs12(what, pkcs12, password.value);
  return packed.ok
    ? ok({ pkcs12: Buffer.from(packed.value).toString('base64'), 'pkcs12-password': password.value })
    : packed;
}

/** What has nothing to stand for it is left out, so that a device with its own key is not sent an empty one. */
function fill(body: Record<string, unknown>, fillings: Fillings): Record<string, unknown> {
  const value = (given: unknown): unknown => {
    if (typeof given === 'string') {
      const whole = /^<([a-z0-9-]+)>$/.exec(given)?.[1];
      if (whole !== undefined) return fillings[whole];
      return given.replace(/<([a-z0-9-]+)>/g, (_, name: string) => String(fillings[name] ?? ''));
    }
    if (Array.isArray(given)) return given.map(value);
    return typeof given === 'object' && given !== null ? fill(given as Record<string, unknown>, fillings) : given;
  };
  return Object.fromEntries(
    Object.entries(body).flatMap(([name, given]) => {
      const filled = value(given);
      return filled === undefined ? [] : [[name, filled]];
    }),
  );
}

/** The device's own words are not repeated: an API may echo what it was sent, and that may be a key. */
function accepted({ status }: HttpAnswer, place: string): Result<void> {
  if (status >= 200 && status < 300) return ok(undefined);
  if (status === 401 || status === 403)
    return fail('secret.missing', `The device did not let us in (status ${status}).`, { place });
  if (status === 409)
    return fail('change.state-differs', 'The device is not in the state that this was planned for.', { place });
  return status >= 400 && status < 500
    ? fail('change.refused', `The device refused it with status ${status}.`, { place, fixBy: 'manufacturer' })
    : fail('change.failed', `The device answered with status ${status}.`, { place, fixBy: 'manufacturer' });
}

function fieldOf(body: Buffer, field: string): string | undefined {
  try {
    const json: unknown = JSON.parse(body.toString('utf8'));
    const value = typeof json === 'object' && json !== null ? (json as Record<string, unknown>)[field] : undefined;
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

async function sendJson(
  call: Pick<HttpRequest, 'url' | 'method'>,
  body: unknown,
  how: HttpsEnrolment,
  who: WriteCredential | undefined,
  context: ProbeContext,
): Promise<Result<HttpAnswer>> {
  const pems = anchorPems(how.anchors, context);
  if (!pems.ok) return pems;
  let login = who;
  if (login === undefined && how.credential !== undefined) {
    const password = await context.secret(how.credential.secret);
    if (!password.ok) return password;
    login = { user: how.credential.user, password: password.value };
  }
  const headers = {
    ...(login === undefined
      ? {}
      : { authorization: `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}` }),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  };
  const host = hostOfUrl(call.url);
  return context.connection(host, () =>
    requestHttp(
      { url: call.url, method: call.method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) },
      { anchors: pems.value, hosts: context.site.hosts, signal: context.signal },
    ),
  );
}
