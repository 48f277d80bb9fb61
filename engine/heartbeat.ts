import { type AppError, appError, fail, ok, type Result } from '../core/result.ts';
import type { FactsFile } from '../core/session/events.ts';
import type { Device, Site } from '../core/site/schema.ts';
import { type ConnectionBudget, ConnectionRefusedByBudget } from './budget.ts';
import { belongsTo } from './devices.ts';
import { askWhetherAlive, hostOfUrl } from './wire/http.ts';
import { abortError, dial } from './wire/tcp.ts';

/** Asks one device once, by `budget`; `ok` when it is well. */
export type AskDevice = (device: Device, budget: ConnectionBudget, signal: AbortSignal) => Promise<Result<unknown>>;

/** The heartbeats around one probe. */
export type Watch = {
  /**
   * What the probe connects through: asks a device before its first connection, and refuses those to a stopped one. Its
   * `used` counts what this probe and the heartbeats around it opened.
   */
  readonly budget: ConnectionBudget;
  /**
   * To be called when the probe has ended: asks every device it touched. Errors: `device.no-heartbeat` where one did not
   * answer, before or now, because what was seen of a device that was dying proves nothing.
   */
  readonly finish: () => Promise<Result<NonNullable<FactsFile['heartbeats']>>>;
};

export type Heartbeats = {
  readonly watch: (cancel: AbortSignal) => Watch;
  /** Why a device is left alone, by the ids in `devices`; undefined while all of them are well. */
  readonly stopped: (devices: Iterable<string>) => AppError | undefined;
};

const ANSWER_MS = 5_000;
const PAUSE_MS = 500;
const ATTEMPTS = 2;

/**
 * Known-good questions between probes, for one walk. A device that names a `heartbeat` is asked before the first probe
 * that touches its host and after each; when it does not answer twice, it is left alone for the rest of the walk. How a
 * device treats a probe's own connections (a reset to a hostile ClientHello) does not count, only the heartbeat does.
 */
export function createHeartbeats(
  site: Site,
  budget: ConnectionBudget,
  now: () => Date,
  ask: AskDevice = (device, counted, signal) => askDevice(device, site, counted, signal),
): Heartbeats {
  const devices = site.devices.filter((device) => device.heartbeat !== undefined);
  const answered = new Map<string, string>();
  const stopped = new Map<string, AppError>();
  const first = new Map<string, Promise<void>>();

  async function check(device: Device, when: string, counted: ConnectionBudget, signal: AbortSignal): Promise<void> {
    let answer = await ask(device, counted, signal);
    for (let attempt = 1; attempt < ATTEMPTS && !answer.ok && !signal.aborted; attempt += 1) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      answer = await ask(device, counted, signal);
    }
    if (answer.ok) answered.set(device.id, now().toISOString());
    else if (!signal.aborted) stopped.set(device.id, noHeartbeat(device, when, answer.error));
  }

  async function admit(device: Device, counted: ConnectionBudget, signal: AbortSignal): Promise<void> {
    if (!answered.has(device.id) && !stopped.has(device.id)) {
      const asking = first.get(device.id) ?? check(device, 'before the first probe', counted, signal);
      first.set(device.id, asking);
      try {
        await asking;
      } finally {
        first.delete(device.id);
      }
    }
    signal.throwIfAborted();
    const error = stopped.get(device.id);
    if (error !== undefined) throw new ConnectionRefusedByBudget(error);
  }

  return {
    stopped: (ids) => {
      for (const id of ids) if (stopped.has(id)) return stopped.get(id);
      return undefined;
    },
    watch(cancel) {
      const touched = new Map<string, { device: Device; before: string }>();
      let refused: AppError | undefined;
      const counted = countConnections(budget);
      return {
        budget: {
          used: counted.used,
          async connection(host, work, signal) {
            for (const device of devices.filter((one) => belongsTo(host, one, site))) {
              try {
                await admit(device, counted, signal);
              } catch (error) {
                if (error instanceof ConnectionRefusedByBudget) refused ??= error.error;
                throw error;
              }
              if (!touched.has(device.id)) touched.set(device.id, { device, before: answered.get(device.id) ?? '' });
            }
            return counted.connection(host, work, signal);
          },
        },
        async finish() {
          const heartbeats: NonNullable<FactsFile['heartbeats']> = [];
          for (const { device, before } of touched.values()) {
            try {
              if (!stopped.has(device.id)) await check(device, 'after a probe', counted, cancel);
            } catch (error) {
              if (error instanceof ConnectionRefusedByBudget) return { ok: false, error: error.error };
              if (!cancel.aborted) throw error;
            }
            if (cancel.aborted) return { ok: false, error: abortError(cancel, device.host) };
            refused ??= stopped.get(device.id);
            heartbeats.push({ device: device.id, before, after: answered.get(device.id) ?? before });
          }
          return refused === undefined ? ok(heartbeats) : { ok: false, error: refused };
        },
      };
    },
  };
}

/** The same budget with a count of its own: others connect at the same time. */
function countConnections(budget: ConnectionBudget): ConnectionBudget {
  let used = 0;
  return {
    connection: (host, work, signal) =>
      budget.connection(
        host,
        () => {
          used += 1;
          return work();
        },
        signal,
      ),
    used: () => used,
  };
}

/** One question to a device, within the budget of its host. */
export async function askDevice(
  device: Device,
  site: Site,
  budget: ConnectionBudget,
  signal: AbortSignal,
): Promise<Result<unknown>> {
  const { heartbeat } = device;
  if (heartbeat === undefined) return ok(undefined);
  const options = { hosts: site.hosts, signal, timeoutMs: ANSWER_MS, answerMs: ANSWER_MS };
  if (!('url' in heartbeat)) {
    const host = heartbeat.host ?? device.host;
    return budget.connection(
      host,
      async () => {
        const dialled = await dial(host, heartbeat.port, options);
        if (dialled.ok) dialled.value.destroy();
        return dialled;
      },
      signal,
    );
  }
  const { url } = heartbeat;
  const host = hostOfUrl(url);
  const answer = await budget.connection(host, () => askWhetherAlive(url, options), signal);
  if (!answer.ok || answer.value.status < 500) return answer;
  return fail('http.protocol', `It answers HTTP ${answer.value.status}.`, { place: url });
}

function noHeartbeat(device: Device, when: string, cause: AppError): AppError {
  const { heartbeat } = device;
  const place =
    heartbeat === undefined
      ? device.host
      : 'url' in heartbeat
        ? heartbeat.url
        : `${heartbeat.host ?? device.host}:${heartbeat.port}`;
  return appError(
    'device.no-heartbeat',
    `${device.name} did not answer its heartbeat ${when}, so it is left alone for the rest of this walk. See that it is well, then run again.`,
    { place, cause: cause.message },
  );
}
