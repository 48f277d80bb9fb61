import type { InputValues } from '../core/guide/inputs.ts';
import type { Guide } from '../core/guide/schema.ts';
import { appError, type AppError } from '../core/result.ts';
import type { Device } from '../core/site/schema.ts';

/** What a guide allows towards one host. */
export type Budget = { readonly connections: number; readonly perSecond: number };

/** Thrown inside a probe when it may not connect (any more); the runner turns it into the probe's error. */
export class ConnectionRefusedByBudget extends Error {
  readonly error: AppError;
  constructor(error: AppError) {
    super(error.message);
    this.error = error;
  }
}

export type ConnectionBudget = {
  /** Runs `work` alone on `host`; rejects with ConnectionRefusedByBudget when the budget is used up or `signal` aborts. */
  readonly connection: <T>(host: string, work: () => Promise<T>, signal: AbortSignal) => Promise<T>;
  /** Connections opened so far, over all hosts. */
  readonly used: () => number;
};

/**
 * One socket per host at a time, at most `connections` in a session and `perSecond` in a second: medical devices have
 * lost their network interface under less.
 * @param forHost what a host is allowed where that is not the general budget
 * @param machineOf one name for all the names of a machine, so that each of them draws on the same budget
 */
export function createConnectionBudget(
  general: Budget,
  now: () => number = Date.now,
  forHost: (host: string) => Budget = () => general,
  machineOf: (host: string) => string = (host) => host.toLowerCase(),
): ConnectionBudget {
  const tails = new Map<string, Promise<unknown>>();
  const counts = new Map<string, number>();
  const lastStart = new Map<string, number>();
  let used = 0;

  async function turn<T>(host: string, work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const budget = forHost(host);
    const count = (counts.get(host) ?? 0) + 1;
    if (count > budget.connections) {
      throw new ConnectionRefusedByBudget(
        appError(
          'probe.budget',
          `The guide allows ${budget.connections} connections to ${host} in one session; they are used up.`,
          { place: host },
        ),
      );
    }
    const wait = (lastStart.get(host) ?? Number.NEGATIVE_INFINITY) + 1000 / budget.perSecond - now();
    if (wait > 0) await pause(wait, signal);
    counts.set(host, count);
    lastStart.set(host, now());
    used += 1;
    return work();
  }

  return {
    connection(name, work, signal) {
      const host = machineOf(name);
      const before = tails.get(host) ?? Promise.resolve();
      const mine = before.then(
        () => turn(host, work, signal),
        () => turn(host, work, signal),
      );
      // What the work gave, a socket among it, must not stay with its host for the rest of the session.
      tails.set(host, mine.then(nothing, nothing));
      return mine;
    },
    used: () => used,
  };
}

/**
 * What a guide allows towards each host: its general budget, or the one for the devices of an input. A device in two
 * inputs gets the smaller of each number.
 * @param values the guide's inputs at the site
 */
export function budgetOfHost(guide: Pick<Guide, 'budget'>, values: InputValues): (host: string) => Budget {
  const hosts = new Map<string, Budget>();
  for (const [input, own] of Object.entries(guide.budget.devices ?? {})) {
    const given = values[input];
    for (const device of (Array.isArray(given) ? given : given === undefined ? [] : [given]) as Device[]) {
      const known = hosts.get(device.host.toLowerCase());
      const { connections, perSecond } = { ...guide.budget, ...own };
      hosts.set(device.host.toLowerCase(), {
        connections: Math.min(connections, known?.connections ?? Number.POSITIVE_INFINITY),
        perSecond: Math.min(perSecond, known?.perSecond ?? Number.POSITIVE_INFINITY),
      });
    }
  }
  return (host) => hosts.get(host.toLowerCase()) ?? guide.budget;
}

function nothing(): void {}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', done);
      resolve();
    }, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}
