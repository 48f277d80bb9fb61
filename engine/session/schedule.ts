import type { PlanItem } from '../../core/guide/plan.ts';
import { ok, type Result } from '../../core/result.ts';
import type { Site } from '../../core/site/schema.ts';
import { hostsOfDevice } from '../devices.ts';
import { hostOfUrl } from '../wire/http.ts';
import { addressOf } from '../wire/tcp.ts';

/** One piece of work, and what no other may use meanwhile. */
export type Job = {
  readonly uses: ReadonlySet<string>;
  readonly run: () => Promise<Result<unknown>>;
};

/** The operator, who can do one thing at a time. */
const OPERATOR = 'operator';
const NEEDS_OPERATOR = new Set(['tls.impostor']);
/** Whose servers may be known to DNS alone. */
const DIRECTORY = 'directory';

/**
 * Runs jobs in their order, up to `limit` at a time. One that uses what a running one uses waits for it, and those behind
 * it that use the same wait for it in turn; others overtake. The first failure or a cancel ends it once what runs has
 * ended. Errors: those of the jobs.
 */
export async function runJobs(jobs: readonly Job[], limit: number, cancel: AbortSignal): Promise<Result<number>> {
  const waiting = [...jobs];
  const running = new Set<Promise<void>>();
  const inUse = new Set<string>();
  let failed: Result<never> | undefined;
  let finished = 0;

  const start = (job: Job): void => {
    for (const one of job.uses) inUse.add(one);
    const work = job.run().then((result) => {
      if (result.ok) finished += 1;
      else failed ??= result;
      for (const one of job.uses) inUse.delete(one);
      running.delete(work);
    });
    running.add(work);
  };

  while (waiting.length > 0 || running.size > 0) {
    const reserved = new Set(inUse);
    for (let at = 0; at < waiting.length && running.size < limit && failed === undefined && !cancel.aborted; ) {
      const job = waiting[at] as Job;
      if ([...job.uses].some((one) => reserved.has(one))) at += 1;
      else {
        waiting.splice(at, 1);
        start(job);
      }
      for (const one of job.uses) reserved.add(one);
    }
    if (running.size === 0) break;
    await Promise.race(running);
  }
  return failed ?? ok(finished);
}

/**
 * What an item's probes touch, as far as its parameters tell: addresses, the directory, the operator. Two items that share
 * none of it never meet at a device, so that one's heartbeats are not the other's.
 */
export function usesOf(item: PlanItem, site: Site): ReadonlySet<string> {
  const uses = new Set<string>();
  const add = (host: string): void => void uses.add(addressOf(host, site.hosts).toLowerCase());
  for (const { probe, params } of item.checks) {
    if (NEEDS_OPERATOR.has(probe)) uses.add(OPERATOR);
    if (probe.startsWith('directory.')) {
      uses.add(DIRECTORY);
      for (const { host } of site.directory?.servers ?? []) add(host);
    }
    if (!params.ok) continue;
    for (const host of hostsIn(params.value)) add(host);
    for (const id of devicesIn(params.value)) {
      const device = site.devices.find((one) => one.id === id);
      if (device !== undefined) add(device.ssh?.host ?? device.host);
    }
  }
  // A device under another of its names, or at an address that its links know it by.
  for (const device of site.devices) {
    const hosts = hostsOfDevice(device);
    if (hosts.some((host) => uses.has(addressOf(host, site.hosts).toLowerCase()))) hosts.forEach(add);
  }
  return uses;
}

/** Every `host`, and the host of every URL, in a value of any depth. */
function hostsIn(value: unknown): string[] {
  return textsIn(value).flatMap(([key, text]) => {
    if (key === 'host') return [text];
    return /^https?:\/\//i.test(text) && URL.canParse(text) ? [hostOfUrl(text)] : [];
  });
}

/** Every device that is named by its id, to be reached over SSH. */
function devicesIn(value: unknown): string[] {
  return textsIn(value).flatMap(([key, text]) => (key === 'device' ? [text] : []));
}

function textsIn(value: unknown, key = ''): [key: string, text: string][] {
  if (typeof value === 'string') return [[key, value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => textsIn(inner, name));
}
