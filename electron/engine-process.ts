import type { Push } from '../core/ipc.ts';
import { type AppError, appError } from '../core/result.ts';
import type { ServiceInputs, ServiceMethod, ServiceOptions, ServiceOutput } from '../engine/service-contract.ts';
import type { FromEngine, ToEngine } from './engine-messages.ts';

/** What is used of Electron's UtilityProcess. */
export type ChildProcess = {
  readonly postMessage: (message: unknown) => void;
  readonly on: {
    (event: 'message', listener: (message: unknown) => void): unknown;
    (event: 'exit', listener: (code: number) => void): unknown;
  };
  readonly kill: () => boolean;
};

export type EngineOptions = {
  /** Starts dist/electron/engine-host.js. */
  readonly fork: () => ChildProcess;
  readonly service: ServiceOptions;
  readonly onPush: (push: Push) => void;
  readonly report: (line: string) => void;
  readonly now?: () => number;
};

/** The engine as main sees it. Every failure, a dead process included, is a Result. */
export type Engine = {
  readonly call: <M extends ServiceMethod>(method: M, input: ServiceInputs[M]) => Promise<ServiceOutput<M>>;
  /** Closes the journal and ends the process; kills it when that takes too long. */
  readonly close: () => Promise<void>;
};

const MOST_STARTS = 5;
const STARTS_WITHIN_MS = 60_000;
const CLOSE_MS = 5_000;

type Running = {
  readonly child: ChildProcess;
  readonly waiting: Map<number, (result: ServiceOutput<ServiceMethod>) => void>;
  closed?: () => void;
};

/** Starts the engine with the first call, and again with the first call after it died, unless it keeps dying. */
export function createEngine({ fork, service, onPush, report, now = Date.now }: EngineOptions): Engine {
  let running: Running | undefined;
  let closing = false;
  let nextId = 1;
  const starts: number[] = [];

  const start = (): Running | AppError => {
    while (starts.length > 0 && now() - (starts[0] as number) > STARTS_WITHIN_MS) starts.shift();
    if (starts.length >= MOST_STARTS) {
      return appError(
        'internal',
        'The engine keeps stopping and was not started again. Wait a minute, or restart Lockstep.',
      );
    }
    starts.push(now());
    const child = fork();
    const made: Running = { child, waiting: new Map() };
    child.on('message', (message) => receive(made, message as FromEngine));
    child.on('exit', (code) => ended(made, code));
    send(child, { type: 'start', options: service });
    return made;
  };

  const receive = (from: Running, message: FromEngine) => {
    if (message.type === 'push') onPush(message.push);
    else if (message.type === 'closed') from.closed?.();
    else {
      from.waiting.get(message.id)?.(message.result);
      from.waiting.delete(message.id);
    }
  };

  const ended = (which: Running, code: number) => {
    if (running === which) running = undefined;
    which.closed?.();
    const wasAsked = which.waiting.size > 0;
    if (!closing) report(`the engine's process ended with code ${code}`);
    const error = appError('internal', 'The engine stopped while it worked. The journal is safe: resume the session.', {
      cause: `exit code ${code}`,
    });
    for (const answer of which.waiting.values()) answer({ ok: false, error });
    which.waiting.clear();
    if (wasAsked && !closing) onPush({ kind: 'running', running: false });
  };

  return {
    call: async (method, input) => {
      if (closing) return { ok: false, error: appError('internal', 'Lockstep is closing.') } as never;
      if (running === undefined) {
        const made = start();
        if ('code' in made) return { ok: false, error: made } as never;
        running = made;
      }
      const { child, waiting } = running;
      const id = nextId++;
      return new Promise((resolve) => {
        waiting.set(id, resolve as (result: ServiceOutput<ServiceMethod>) => void);
        send(child, { type: 'call', id, method, input } as ToEngine);
      });
    },
    close: async () => {
      closing = true;
      const present = running;
      if (present === undefined) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, CLOSE_MS);
        present.closed = () => {
          clearTimeout(timer);
          resolve();
        };
        send(present.child, { type: 'close' });
      });
      present.child.kill();
    },
  };
}

function send(child: ChildProcess, message: ToEngine): void {
  child.postMessage(message);
}
