import { describe, expect, it } from 'vitest';
import type { PlanItem } from '../../../core/guide/plan.ts';
import { fail, ok, type Result } from '../../../core/result.ts';
import { siteSchema } from '../../../core/site/schema.ts';
import { type Job, runJobs, usesOf } from '../../../engine/session/schedule.ts';

const never = new AbortController().signal;

/** Jobs that end when told, and what has started so far. */
function jobs(uses: Readonly<Record<string, readonly string[]>>) {
  const started: string[] = [];
  const ends = new Map<string, (result: Result<unknown>) => void>();
  const list: Job[] = Object.entries(uses).map(([name, own]) => ({
    uses: new Set(own),
    run: () => {
      started.push(name);
      return new Promise((resolve) => ends.set(name, resolve));
    },
  }));
  const end = async (name: string, result: Result<unknown> = ok(undefined)): Promise<void> => {
    ends.get(name)?.(result);
    // What waits is started after a few turns of the microtask queue, and one of the timers' comes later than all of them.
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { started, end, list };
}

describe('runJobs', () => {
  it('lets those overtake that meet nobody, and keeps the order of those that do', async () => {
    const { started, end, list } = jobs({ a: ['pump'], b: ['pump', 'emr'], c: ['emr'], d: ['lamp'] });
    const all = runJobs(list, 32, never);
    expect(started).toEqual(['a', 'd']);
    await end('a');
    // c wants what b, which stands before it, waits for.
    expect(started).toEqual(['a', 'd', 'b']);
    await end('b');
    expect(started).toEqual(['a', 'd', 'b', 'c']);
    await end('c');
    await end('d');
    expect(await all).toEqual(ok(4));
  });

  it('runs no more at a time than it may', async () => {
    const { started, end, list } = jobs({ a: ['1'], b: ['2'], c: ['3'] });
    const all = runJobs(list, 2, never);
    expect(started).toEqual(['a', 'b']);
    await end('b');
    expect(started).toEqual(['a', 'b', 'c']);
    await end('a');
    await end('c');
    expect(await all).toEqual(ok(3));
  });

  it('starts nothing after a failure or a cancel, and waits for what runs', async () => {
    const first = jobs({ a: ['1'], b: ['2'], c: ['1'] });
    const failing = runJobs(first.list, 32, never);
    await first.end('a', fail('journal.write', 'The disk is full.'));
    await first.end('b');
    expect(await failing).toMatchObject({ ok: false, error: { code: 'journal.write' } });
    expect(first.started).toEqual(['a', 'b']);
    const second = jobs({ a: ['1'], b: ['1'] });
    const cancel = new AbortController();
    const cancelled = runJobs(second.list, 32, cancel.signal);
    cancel.abort();
    await second.end('a');
    expect(await cancelled).toEqual(ok(1));
    expect(second.started).toEqual(['a']);
  });
});

describe('usesOf', () => {
  const site = siteSchema.parse({
    site: 'test',
    name: 'Test',
    hosts: { 'pump.example': '10.0.0.7' },
    anchors: [{ id: 'root', pem: 'any' }],
    directory: {
      kind: 'active-directory',
      baseDn: 'DC=example',
      servers: [{ id: 'dc1', host: 'dc1.example', ldaps: 636 }],
      anchors: ['root'],
      bindAccount: 'reader@example',
    },
    devices: [{ id: 'pump', name: 'Pump', host: 'pump.example', endpoints: { web: { host: '10.9.9.9', port: 443 } } }],
  });
  const uses = (probe: string, params: Record<string, unknown>): string[] =>
    [...usesOf({ checks: [{ probe, params: ok(params) }] } as unknown as PlanItem, site)].sort((a, b) =>
      a.localeCompare(b),
    );

  it('finds hosts and URLs at any depth, under the address that the site gives', () => {
    expect(uses('tcp.ports', { host: 'Other.example', list: [{ url: 'https://[::1]:8443/x' }] })).toEqual([
      '::1',
      'other.example',
    ]);
    expect(uses('http.request', { url: 'https://pump.example/api' })).toEqual(['10.0.0.7', '10.9.9.9']);
  });

  it('finds a device that is named by its id, by which SSH reaches it', () => {
    expect(uses('certificate.pinned', { pinned: { device: 'pump', path: '/etc/emr.pem' } })).toEqual(
      uses('tcp.ports', { host: 'pump.example' }),
    );
    expect(uses('certificate.pinned', { pinned: { device: 'nobody', path: '/etc/emr.pem' } })).toEqual([]);
  });

  it('takes the directory for its servers, and the operator for one person', () => {
    expect(uses('directory.group', { group: 'Domain Users' })).toEqual(['dc1.example', 'directory']);
    expect(uses('tls.impostor', { as: { host: 'emr.example', port: 6661 } })).toEqual(['emr.example', 'operator']);
  });
});
