import { createServer, type Server } from 'node:net';
import type { SecureContext } from 'node:tls';
import { fail, ok, type Result } from '../../../core/result.ts';
import type { ClientIdentity } from '../../keys/trial-identity.ts';
import { impostorContext, type ImpostorVisit, receiveVisit, visitVerdict } from './impostor-visit.ts';

export type Impostor = {
  readonly port: number;
  /** Ends open connections, returns every visit so far, and shows this identity to those who come from now on. */
  readonly present: (identity: ClientIdentity) => readonly ImpostorVisit[];
  /** Resolves when a visit decides (or after `milliseconds`). */
  readonly waitForVisit: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Stops listening, ends open connections and returns every visit since the last identity was presented. */
  readonly stop: () => Promise<readonly ImpostorVisit[]>;
};

const MAX_VISITS = 20;

/** Listens with an identity. Errors: `input.malformed` when the address or port cannot be used. */
export async function listenAsImpostor(
  address: string,
  port: number,
  first: ClientIdentity,
  startTls: boolean,
): Promise<Result<Impostor>> {
  let face = faceOf(first);
  let visits: ImpostorVisit[] = [];
  const open = new Set<() => void>();
  let wake: (() => void) | undefined;
  const server = createServer((socket) => {
    if (visits.length + open.size >= MAX_VISITS) return void socket.destroy();
    const mine = visits;
    const end = (): void => attend.end();
    const attend = receiveVisit(socket, face.context, startTls, face.certificateLength, (visit) => {
      open.delete(end);
      mine.push(visit);
      if (mine === visits && visitVerdict(visit) !== undefined) wake?.();
    });
    open.add(end);
  });
  const bound = await bind(server, address, port);
  if (!bound.ok) return bound;
  const takeVisits = (): readonly ImpostorVisit[] => {
    for (const end of open) end();
    const taken = visits;
    visits = [];
    return taken;
  };
  return ok({
    port: bound.value,
    present: (identity) => {
      const taken = takeVisits();
      face = faceOf(identity);
      return taken;
    },
    waitForVisit: (milliseconds, signal) =>
      new Promise((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', done);
          wake = undefined;
          resolve();
        };
        const timer = setTimeout(done, milliseconds);
        wake = done;
        if (signal.aborted || visits.some((visit) => visitVerdict(visit) !== undefined)) return done();
        signal.addEventListener('abort', done, { once: true });
      }),
    stop: () =>
      new Promise((resolve) => {
        const taken = takeVisits();
        server.close(() => resolve(taken));
      }),
  });
}

/** What a connection is shown, and how many bytes on the wire mean that its certificate was sent. */
function faceOf(identity: ClientIdentity): { context: SecureContext; certificateLength: number } {
  return { context: impostorContext(identity), certificateLength: Buffer.byteLength(identity.certificate) / 3 };
}

function bind(server: Server, address: string, port: number): Promise<Result<number>> {
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      resolve(
        fail(
          'input.malformed',
          'Lockstep cannot listen on this address and port: it is in use, or not an address of this computer.',
          { place: `${address}:${port}`, cause: error.code ?? error.message },
        ),
      ),
    );
    server.listen(port, address, () => resolve(ok((server.address() as { port: number }).port)));
  });
}
