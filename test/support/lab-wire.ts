import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect as netConnect } from 'node:net';
import { join } from 'node:path';
import { connect, type ConnectionOptions } from 'node:tls';
import { Client } from 'ldapts';
import type { Lab } from '../../lab/index.ts';

const WAIT_MS = 4_000;

/** The hospital's root, as the site holds it. */
export function hospitalRoot(lab: Lab): string {
  return readFileSync(join(lab.dir, 'hospital-ca.pem'), 'utf8');
}

/** Days that the server's certificate has left, seen in a verified handshake. */
export function daysLeft(lab: Lab, port: number, name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(
      {
        host: '127.0.0.1',
        port,
        servername: name,
        ca: hospitalRoot(lab),
        checkServerIdentity: () => undefined,
        timeout: WAIT_MS,
      },
      () => {
        resolve((Date.parse(socket.getPeerCertificate().valid_to) - Date.now()) / 86_400_000);
        socket.destroy();
      },
    );
    socket.on('timeout', () => socket.destroy(new Error('silence')));
    socket.on('error', reject);
  });
}

/** Why a verifying client refuses the server; undefined where it does not. */
export async function refusal(
  lab: Lab,
  port: number,
  name: string,
  options: ConnectionOptions = {},
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(
      { host: '127.0.0.1', port, servername: name, ca: hospitalRoot(lab), ...options, timeout: WAIT_MS },
      () => {
        socket.destroy();
        resolve(undefined);
      },
    );
    socket.on('timeout', () => socket.destroy(Object.assign(new Error('silence'), { code: 'SILENCE' })));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

/** Whether a TCP connection is accepted. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = netConnect({ host: '127.0.0.1', port, timeout: WAIT_MS }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
    socket.on('timeout', () => socket.destroy(new Error('silence')));
  });
}

const MESSAGE = '\x0bMSH|^~\\&|LOCKSTEP|TEST|EMR|PRACTICE|20260101000000||ORU^R01|ID7|T|2.5\r\x1c\r';

/** Sends one synthetic message; the answer as text, '' where the EMR hung up without one. */
export function exchange(lab: Lab, options: ConnectionOptions = {}, clear = false): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = clear
      ? netConnect({ host: '127.0.0.1', port: lab.ports.emr.clear })
      : connect({
          host: '127.0.0.1',
          port: lab.ports.emr.secure,
          servername: 'emr.hospital.example',
          ca: hospitalRoot(lab),
          ...options,
        });
    socket.setTimeout(WAIT_MS, () => socket.destroy());
    socket.on(clear ? 'connect' : 'secureConnect', () => socket.write(MESSAGE));
    socket.on('data', (chunk) => {
      answer += chunk.toString();
      if (answer.includes('\x1c\r')) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer));
  });
}

/** A client certificate of the hospital's trials. */
export function trial(lab: Lab, kind: string): ConnectionOptions {
  return {
    cert: readFileSync(join(lab.dir, `trial-${kind}.pem`)),
    key: readFileSync(join(lab.dir, `trial-${kind}.key`)),
  };
}

export type HttpAnswer = {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly text: string;
  readonly json: () => unknown;
};

/** One request to the gateway: over verified HTTPS, or to the clear-text twin. */
export function ask(
  lab: Lab,
  method: string,
  path: string,
  options: { user?: string; password?: string; body?: unknown; clear?: boolean } = {},
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const headers = {
      connection: 'close',
      ...(options.user === undefined
        ? {}
        : { authorization: `Basic ${Buffer.from(`${options.user}:${options.password}`).toString('base64')}` }),
      ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    const common = { host: '127.0.0.1', method, path, headers, agent: false as const, timeout: WAIT_MS * 2 };
    const outgoing = options.clear
      ? httpRequest({ ...common, port: lab.ports.device.adminClear })
      : httpsRequest({
          ...common,
          port: lab.ports.device.admin,
          servername: 'gateway.hospital.example',
          ca: hospitalRoot(lab),
        });
    outgoing.on('response', (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: () => JSON.parse(text) }),
      );
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('silence')));
    outgoing.on('error', reject);
    outgoing.end(
      options.body === undefined
        ? undefined
        : typeof options.body === 'string'
          ? options.body
          : JSON.stringify(options.body),
    );
  });
}

/** As `ask`, with the hospital's own account. */
export function askAsHospital(lab: Lab, method: string, path: string, body?: unknown): Promise<HttpAnswer> {
  return ask(lab, method, path, {
    user: 'lockstep',
    password: lab.secrets['device-admin'] ?? '',
    ...(body === undefined ? {} : { body }),
  });
}

/** Runs `work` with an LDAPS client bound as the bind account (or as given). */
export async function withLdap<T>(
  lab: Lab,
  work: (client: Client) => Promise<T>,
  as?: { user: string; password: string },
): Promise<T> {
  const client = new Client({
    url: `ldaps://127.0.0.1:${lab.ports.dc1.ldaps}`,
    timeout: WAIT_MS,
    connectTimeout: WAIT_MS,
    tlsOptions: { ca: hospitalRoot(lab), servername: 'dc1.hospital.example' },
  });
  try {
    await client.bind(as?.user ?? 'svc-lockstep@hospital.example', as?.password ?? lab.secrets['directory-bind'] ?? '');
    return await work(client);
  } finally {
    await client.unbind();
  }
}
