import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { PROBES } from '../../engine/probes/index.ts';
import { impostorOperator } from './impostor-operator.ts';
import { type ContextOptions, probeContext, runProbe } from './probe.ts';

/** One probe run, given on standard input; the outcome is printed as JSON. Lets a test run the same code on another runtime. */
export type ProbeJob = {
  readonly probe: string;
  readonly params: Record<string, unknown>;
  readonly site: ContextOptions['site'];
  readonly device?: readonly string[];
};

const { probe: id, params, site, device } = JSON.parse(await text(process.stdin)) as ProbeJob;
const probe = PROBES.find((one) => one.declaration.id === id);
if (probe === undefined) throw new Error(`no probe ${id}`);
/** The device connects by a program; PORT in its arguments stands for the port in the question. */
const ask = impostorOperator(
  (port) =>
    new Promise<void>((resolve) => {
      const [program = 'false', ...args] = (device ?? []).map((part) => part.replaceAll('PORT', String(port)));
      spawn(program, args, { stdio: 'ignore' }).on('exit', () => resolve());
    }),
);
const context = probeContext({ ask, ...(site === undefined ? {} : { site }) });
const result = await runProbe(probe, params, context);
process.stdout.write(JSON.stringify({ runtime: process.versions, result }));
