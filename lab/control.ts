import { randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { join } from 'node:path';
import { z } from 'zod';
import { fail, ok, type Result } from '../core/result.ts';
import type { FaultState, Lab } from './index.ts';
import type { SitePorts } from './site.ts';

const CONTROL_FILE = 'lab-control.json';
const MAX_BODY = 16 * 1024;
const MAX_ANSWER = 1024 * 1024;
const TIMEOUT_MS = 10_000;

const commandSchema = z.discriminatedUnion('command', [
  z.strictObject({ command: z.literal('status') }),
  z.strictObject({ command: z.literal('fault'), id: z.string().max(80), on: z.boolean() }),
  z.strictObject({ command: z.literal('harden'), ids: z.array(z.string().max(80)).max(100).optional() }),
  z.strictObject({ command: z.literal('reset') }),
  z.strictObject({ command: z.literal('secrets') }),
  z.strictObject({ command: z.literal('stop') }),
]);
/** What another process may ask of a running practice hospital. */
export type LabCommand = z.output<typeof commandSchema>;

const endpointSchema = z.strictObject({
  port: z.int().min(1).max(65535),
  token: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
});

export type LabStatus = {
  readonly siteFile: string;
  readonly ports: SitePorts;
  readonly faults: readonly FaultState[];
};
/** The practice passwords, for the command line's environment; they exist in memory only. */
export type LabSecrets = {
  readonly secrets: Readonly<Record<string, string>>;
  readonly writeCredential: Lab['writeCredential'];
  readonly siteKey: string;
  readonly passphrase: string;
};
/** `secrets` is there only where it was asked for. */
export type LabAnswer = LabStatus & { readonly secrets?: LabSecrets };

/**
 * Lets other processes of the same user steer the lab: HTTP on loopback, with a random token that lies in `lab.dir`
 * (mode 0600). `stopped` resolves when one of them asks for the end, after its answer has left.
 */
export async function openControl(lab: Lab): Promise<{ stopped: Promise<void>; close: () => Promise<void> }> {
  const token = randomBytes(32).toString('base64url');
  const expected = Buffer.from(`Bearer ${token}`);
  let stop: () => void = () => undefined;
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const server: Server = createServer((incoming, response) => {
    const given = Buffer.from(incoming.headers.authorization ?? '');
    const allowed = given.length === expected.length && timingSafeEqual(given, expected);
    void (allowed ? answer(lab, incoming) : Promise.resolve({ status: 401, body: { error: 'no token' } })).then(
      ({ status, body, ...more }) => {
        const text = JSON.stringify(body);
        response.writeHead(status, {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
          connection: 'close',
        });
        response.end(text, () => 'last' in more && stop());
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the control channel got no port');
  const file = join(lab.dir, CONTROL_FILE);
  await rm(file, { force: true });
  await writeFile(file, JSON.stringify({ port: address.port, token }), { mode: 0o600, flag: 'wx' });
  return {
    stopped,
    close: async () => {
      await rm(file, { force: true });
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function answer(lab: Lab, incoming: IncomingMessage): Promise<{ status: number; body: unknown; last?: true }> {
  const status = (): LabStatus => ({ siteFile: lab.siteFile, ports: lab.ports, faults: lab.faults() });
  try {
    const parsed = commandSchema.safeParse(JSON.parse(await readText(incoming, MAX_BODY)));
    if (!parsed.success || incoming.method !== 'POST') return { status: 400, body: { error: 'no such command' } };
    const command = parsed.data;
    const known = lab.faults().map((fault) => fault.id);
    const asked = command.command === 'fault' ? [command.id] : command.command === 'harden' ? (command.ids ?? []) : [];
    const unknown = asked.find((id) => !known.includes(id));
    if (unknown !== undefined) return { status: 404, body: { error: `there is no fault ${unknown}` } };
    if (command.command === 'fault') await lab.setFault(command.id, command.on);
    if (command.command === 'harden') await lab.harden(command.ids);
    if (command.command === 'reset') await lab.reset();
    if (command.command === 'stop') return { status: 200, body: status(), last: true };
    const { siteKey, writeCredential, passphrase } = lab;
    const secrets = { secrets: lab.secrets, siteKey, writeCredential, passphrase };
    return { status: 200, body: command.command === 'secrets' ? { ...status(), secrets } : status() };
  } catch (error) {
    return { status: 500, body: { error: error instanceof Error ? error.message : String(error) } };
  }
}

/**
 * Steers the practice hospital that runs with `dir` in another process. Errors: `session.not-found` where none runs,
 * `input.not-found` for an unknown fault, `input.malformed`.
 */
export async function controlLab(dir: string, command: LabCommand): Promise<Result<LabAnswer>> {
  let endpoint: z.output<typeof endpointSchema>;
  try {
    endpoint = endpointSchema.parse(JSON.parse(await readFile(join(dir, CONTROL_FILE), 'utf8')));
  } catch (error) {
    return fail('session.not-found', 'No practice hospital runs in this folder.', {
      place: dir,
      cause: error instanceof Error ? error.message : String(error),
    });
  }
  return new Promise((resolve) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port: endpoint.port,
        method: 'POST',
        path: '/',
        agent: false,
        timeout: TIMEOUT_MS,
        headers: { authorization: `Bearer ${endpoint.token}`, 'content-type': 'application/json' },
      },
      (response) => {
        readText(response, MAX_ANSWER)
          .then((text) => JSON.parse(text))
          .then((body) => {
            if (response.statusCode === 200) resolve(ok(body));
            else
              resolve(
                fail(
                  response.statusCode === 404 ? 'input.not-found' : 'input.malformed',
                  `The practice hospital refused: ${body.error}.`,
                ),
              );
          })
          .catch((error: unknown) =>
            resolve(fail('input.malformed', 'The practice hospital gave no answer.', { cause: String(error) })),
          );
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')));
    outgoing.on('error', (error) =>
      resolve(
        fail('session.not-found', 'The practice hospital of this folder does not answer; it has probably ended.', {
          place: dir,
          cause: error.message,
        }),
      ),
    );
    outgoing.end(JSON.stringify(command));
  });
}

async function readText(incoming: IncomingMessage, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw new Error('too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
