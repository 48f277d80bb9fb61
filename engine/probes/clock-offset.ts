import type { z } from 'zod';
import { clockOffset } from '../../core/probes/clock-offset.ts';
import { type AppError, fail, ok, type Result } from '../../core/result.ts';
import { defineProbe, type ProbeContext } from '../context.ts';
import { askWhetherAlive, hostOfUrl } from '../wire/http.ts';
import { askSntp } from '../wire/sntp.ts';
import { isAbort } from '../wire/tcp.ts';

type Clock = z.output<typeof clockOffset.facts>['clocks'][number];

const ANSWER_MS = 10_000;

export const clockOffsetProbe = defineProbe(clockOffset, async ({ http, ntp, enough }, context) => {
  const questions = [
    // Time servers first: theirs is the clock that the others follow.
    ...ntp.map(({ host, port }) => ({ place: `${host}:${port}`, ask: () => askNtp(host, port, context) })),
    ...http.map((url) => ({ place: url, ask: () => askHttp(url, context) })),
  ];
  const clocks: Clock[] = [];
  const silent: { place: string; reason: string }[] = [];
  let first: AppError | undefined;
  for (const { place, ask } of questions) {
    if (clocks.length === enough) break;
    context.progress(`Asking ${place} for the time`);
    const answer = await ask();
    if (answer.ok) clocks.push(answer.value);
    else if (isAbort(answer.error)) return answer;
    else {
      first ??= answer.error;
      silent.push({ place, reason: answer.error.message });
    }
  }
  const offsets = clocks.map(({ offsetSeconds }) => offsetSeconds).sort((a, b) => a - b);
  const [earliest, latest] = [offsets.at(0), offsets.at(-1)];
  if (earliest === undefined || latest === undefined)
    return fail(
      'probe.inconclusive',
      "Nobody told the time, so it is not known whether this computer's clock is right.",
      {
        fixBy: 'hospital',
        ...(first === undefined
          ? {}
          : { cause: `${first.message}${first.place === undefined ? '' : ` (${first.place})`}` }),
      },
    );
  const middle = offsets.length / 2;
  const median = ((offsets[Math.ceil(middle) - 1] ?? earliest) + (offsets[Math.floor(middle)] ?? latest)) / 2;
  return ok({
    kind: 'facts',
    facts: { offsetSeconds: tenths(median), spreadSeconds: tenths(latest - earliest), clocks, silent },
    absent: [],
  });
});

async function askHttp(url: string, context: ProbeContext): Promise<Result<Clock>> {
  return context.connection(hostOfUrl(url), async () => {
    const before = performance.now();
    const answer = await askWhetherAlive(url, {
      hosts: context.site.hosts,
      signal: context.signal,
      answerMs: ANSWER_MS,
      method: 'HEAD',
    });
    const now = context.now().getTime();
    if (!answer.ok) return answer;
    const { date } = answer.value;
    if (date === undefined) return fail('http.protocol', 'The answer has no Date that can be read.', { place: url });
    // The answer names whole seconds, and was made at some moment since the question.
    const took = performance.now() - before;
    return ok({
      place: url,
      by: 'http' as const,
      offsetSeconds: tenths((date + 500 - (now - took / 2)) / 1000),
      uncertaintySeconds: tenths(0.5 + took / 2000),
    });
  });
}

async function askNtp(host: string, port: number, context: ProbeContext): Promise<Result<Clock>> {
  return context.connection(host, async () => {
    const answer = await askSntp(host, port, { hosts: context.site.hosts, signal: context.signal });
    const now = context.now().getTime();
    if (!answer.ok) return answer;
    const { time, roundTripMs, stratum } = answer.value;
    return ok({
      place: `${host}:${port}`,
      by: 'ntp' as const,
      offsetSeconds: tenths((time - (now - roundTripMs / 2)) / 1000),
      uncertaintySeconds: tenths(roundTripMs / 2000),
      stratum,
    });
  });
}

function tenths(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}
