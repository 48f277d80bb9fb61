import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { declareProbe } from '../../../core/probes/declaration.ts';
import { ok } from '../../../core/result.ts';
import { siteSchema } from '../../../core/site/schema.ts';
import { createConnectionBudget } from '../../../engine/budget.ts';
import { defineProbe, type Probe } from '../../../engine/context.ts';
import { type RunEnvironment, runProbe } from '../../../engine/run.ts';

const declaration = declareProbe({
  id: 'test.probe',
  title: 'Test',
  version: 1,
  params: z.strictObject({ host: z.string() }),
  facts: z.strictObject({ open: z.boolean() }),
  visible: () => [],
  rights: 'none',
  deadlineMs: 60,
});

const environment: RunEnvironment = {
  site: siteSchema.parse({ site: 'test', name: 'Test' }),
  now: () => new Date('2026-11-23T10:00:00Z'),
  secret: async () => ok('secret'),
  ask: async () => false,
  progress: () => {},
  budget: createConnectionBudget({ connections: 1, perSecond: 200 }),
  runtime: { node: 'test' },
};
const never = new AbortController().signal;
const probe = (run: Probe<typeof declaration.params, typeof declaration.facts>['run']): Probe =>
  defineProbe(declaration, run);

describe('running a probe', () => {
  it('gives a facts file with what was seen', async () => {
    const result = await runProbe(
      probe(async () => ok({ kind: 'facts', facts: { open: true }, absent: [] })),
      { host: 'a' },
      environment,
      never,
    );
    expect(result).toMatchObject({
      ok: true,
      value: { probe: 'test.probe', params: { host: 'a' }, facts: { open: true }, absent: [], connections: 0 },
    });
  });

  it('keeps the word of a probe that the question does not arise', async () => {
    const result = await runProbe(
      probe(async () => ok({ kind: 'not-applicable', reason: 'No directory.' })),
      { host: 'a' },
      environment,
      never,
    );
    expect(result).toMatchObject({ ok: true, value: { notApplicable: 'No directory.' } });
    expect(result.ok && 'facts' in result.value).toBe(false);
  });

  it.each([
    [
      'unfit parameters',
      probe(async () => ok({ kind: 'facts', facts: { open: true }, absent: [] })),
      { port: 1 },
      'guide.invalid',
    ],
    ['a throw', probe(async () => Promise.reject(new Error('boom'))), { host: 'a' }, 'probe.fault'],
    ['silence', probe(() => new Promise(() => {})), { host: 'a' }, 'probe.deadline'],
    [
      'facts that do not fit',
      probe(async () => ok({ kind: 'facts', facts: { open: null as unknown as boolean }, absent: [] })),
      { host: 'a' },
      'probe.fault',
    ],
    [
      'more connections than the guide allows',
      probe(async (params, context) => {
        for (let i = 0; i < 3; i += 1) await context.connection(params.host, async () => undefined);
        return ok({ kind: 'facts', facts: { open: true }, absent: [] });
      }),
      { host: 'a' },
      'probe.budget',
    ],
  ])('turns %s into an error, never a verdict', async (_, failing, params, code) => {
    const result = await runProbe(failing, params as Record<string, unknown>, environment, never);
    expect(result).toMatchObject({ ok: false, error: { code } });
  });

  it('is cancelled promptly, and aborts the signal that the probe holds', async () => {
    const cancel = new AbortController();
    let aborted = false;
    const hanging = probe(
      (_, context) =>
        new Promise(() => {
          context.signal.addEventListener('abort', () => {
            aborted = true;
          });
        }),
    );
    const running = runProbe(hanging, { host: 'a' }, environment, cancel.signal);
    cancel.abort();
    expect(await running).toMatchObject({ ok: false, error: { code: 'probe.cancelled' } });
    expect(aborted).toBe(true);
  });
});
