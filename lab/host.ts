import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { appError, type AppError, ok, type Result } from '../core/result.ts';
import { loadIdentity } from '../engine/keys/identity.ts';
import { signGuideFile } from '../engine/session/load-guide.ts';
import { type Lab, startLab } from './index.ts';
import { REFERENCE_INPUTS } from './site.ts';

/**
 * The practice hospital as a process of its own: nobody imports lab. It speaks plain JSON over the parent's port, of
 * Electron's utilityProcess or of child_process.fork.
 */
const requestSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('start'), dir: z.string(), assetsDir: z.string(), shipped: z.boolean() }),
  z.strictObject({ type: z.literal('fault'), id: z.string(), on: z.boolean() }),
  z.strictObject({ type: z.literal('harden'), ids: z.array(z.string()).optional() }),
  z.strictObject({ type: z.literal('stop') }),
]);

const GUIDE = 'reference-mdip';

type Request = z.output<typeof requestSchema>;
type ParentPort = {
  on: (event: 'message', listener: (event: { data: unknown }) => void) => void;
  postMessage: (message: unknown) => void;
};

const parentPort = (process as unknown as { parentPort?: ParentPort }).parentPort;
let lab: Lab | undefined;
let queue: Promise<unknown> = Promise.resolve();

function send(message: { type: 'ready'; lab: unknown } | { type: 'done' } | { type: 'failed'; error: AppError }): void {
  if (parentPort === undefined) process.send?.(message);
  else parentPort.postMessage(message);
}

function receive(message: unknown): void {
  queue = queue
    .then(() => answer(message))
    .catch((error: unknown) => {
      send({
        type: 'failed',
        error: appError('internal', 'The practice hospital broke down.', {
          cause: error instanceof Error ? (error.stack ?? error.message) : String(error),
        }),
      });
    });
}

async function answer(message: unknown): Promise<void> {
  const request = requestSchema.parse(message);
  if (request.type === 'stop') {
    await lab?.stop();
    process.exit(0);
  }
  const result = request.type === 'start' ? await start(request) : await change(request);
  if (result.ok) send(result.value === undefined ? { type: 'done' } : { type: 'ready', lab: result.value });
  else send({ type: 'failed', error: result.error });
}

async function change(request: Extract<Request, { type: 'fault' | 'harden' }>): Promise<Result<undefined>> {
  if (lab === undefined)
    return { ok: false, error: appError('session.state', 'The practice hospital has not started.') };
  if (request.type === 'fault') await lab.setFault(request.id, request.on);
  else await lab.harden(request.ids);
  return ok(undefined);
}

async function start({ dir, assetsDir, shipped }: Extract<Request, { type: 'start' }>): Promise<Result<unknown>> {
  if (lab !== undefined)
    return { ok: false, error: appError('session.state', 'The practice hospital stands already.') };
  const started = await startLab({ dir, shipped, inputs: REFERENCE_INPUTS });
  lab = started;
  const guide = await signGuide(started, dir, join(assetsDir, 'guides'));
  if (!guide.ok) return guide;
  const open = (path: string) => ({ path, passphrase: started.passphrase });
  return ok({
    siteFile: started.siteFile,
    guides: [guide.value],
    secrets: started.secrets,
    siteKey: started.siteKey,
    writeCredential: started.writeCredential,
    deviceCredential: { user: 'lockstep', password: started.secrets['device-admin'] ?? '' },
    identities: {
      engineer: open(started.identities.engineer),
      hospital: open(started.identities.hospital),
      publisher: open(started.identities.publisher),
    },
    trust: started.trust,
    faults: started.faults().map(({ id, title, control, on }) => ({ id, title, control, on })),
  });
}

/** The guide for the product that stands here, signed by the PRACTICE publisher, so that a newcomer's first walk may change what it names. */
async function signGuide(started: Lab, dir: string, from: string): Promise<Result<{ id: string; path: string }>> {
  const publisher = await loadIdentity(started.identities.publisher, started.passphrase);
  if (!publisher.ok) return publisher;
  const path = join(dir, `${GUIDE}.asice`);
  const signed = await signGuideFile(
    await readFile(join(from, `${GUIDE}.yaml`), 'utf8'),
    publisher.value,
    path,
    new Date(),
  );
  return signed.ok ? ok({ id: GUIDE, path }) : signed;
}

if (parentPort === undefined) {
  process.on('message', receive);
  // A parent that is gone leaves nothing behind.
  process.on('disconnect', () => receive({ type: 'stop' }));
} else parentPort.on('message', (event) => receive(event.data));
