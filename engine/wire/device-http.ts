import { fail, ok, type Result } from '../../core/result.ts';
import type { ProbeContext } from '../context.ts';
import { type HttpAnswer, type HttpRequest, hostOfUrl, requestHttp } from './http.ts';
import { anchorPems } from './tls/anchors.ts';

/** How a device's administration interface is reached for reading. */
export type DeviceReach = {
  readonly anchors?: readonly string[] | undefined;
  readonly credential?: { readonly user: string; readonly secret: string } | undefined;
};

/** Who writes: the account that was asked for this one change. */
type Login = { readonly user: string; readonly password: string };

/**
 * One request to a device's administration interface, with the write credential or with the account that reads. TLS is always
 * verified. Errors: `secret.missing` (also where the device does not let the account in), those of `requestHttp`.
 */
export async function sendToDevice(
  message: Pick<HttpRequest, 'url' | 'method' | 'body'> & { readonly type?: string },
  reach: DeviceReach,
  who: Login | undefined,
  context: ProbeContext,
): Promise<Result<HttpAnswer>> {
  const { url, method, body, type = 'application/json' } = message;
  const pems = anchorPems(reach.anchors as string[] | undefined, context);
  if (!pems.ok) return pems;
  let login = who;
  if (login === undefined && reach.credential !== undefined) {
    const password = await context.secret(reach.credential.secret);
    if (!password.ok) return password;
    login = { user: reach.credential.user, password: password.value };
  }
  const headers = {
    ...(login === undefined
      ? {}
      : { authorization: `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}` }),
    ...(body === undefined ? {} : { 'content-type': type }),
  };
  const host = hostOfUrl(url);
  const answer = await context.connection(host, () =>
    requestHttp(
      { url, method, headers, ...(body === undefined ? {} : { body }) },
      { anchors: pems.value, hosts: context.site.hosts, signal: context.signal },
    ),
  );
  if (!answer.ok) return answer;
  const { status } = answer.value;
  if (status !== 401 && status !== 403) return ok(answer.value);
  return fail('secret.missing', `The device did not let ${login?.user ?? 'nobody'} in (status ${status}).`, {
    place: url,
  });
}

/**
 * The body of what a device shows at a URL. Errors: `http.protocol` (it does not show it, or more than is read), those of
 * `sendToDevice`.
 * @param what it is to show, for the error's sentence
 */
export async function bodyFromDevice(
  reach: DeviceReach & { readonly url: string },
  what: string,
  who: Login | undefined,
  context: ProbeContext,
): Promise<Result<Buffer>> {
  const { url } = reach;
  const answer = await sendToDevice({ url, method: 'GET' }, reach, who, context);
  if (!answer.ok) return answer;
  const { status, body, truncated } = answer.value;
  return status === 200 && !truncated
    ? ok(body)
    : fail('http.protocol', `The device does not show ${what} (status ${status}).`, { place: url });
}

/**
 * What a device shows at a URL: JSON, or plain text where `at` asks for the whole answer. Errors: `http.protocol`, those of
 * `sendToDevice`.
 */
export async function readFromDevice(
  reach: DeviceReach & { readonly url: string; readonly at: string },
  who: Login | undefined,
  context: ProbeContext,
): Promise<Result<unknown>> {
  const { url, at } = reach;
  const body = await bodyFromDevice(reach, 'its settings', who, context);
  if (!body.ok) return body;
  const text = body.value.toString('utf8');
  try {
    return ok(JSON.parse(text) as unknown);
  } catch {
    return at === '' ? ok(text) : fail('http.protocol', 'The settings of the device are not JSON.', { place: url });
  }
}
