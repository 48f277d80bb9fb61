import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { countersignBundle } from '../../engine/session/bundles.ts';
import { loadGuide } from '../../engine/session/load-guide.ts';
import { loadSite } from '../../engine/session/load-site.ts';
import { openSession } from '../../engine/session/open-session.ts';
import { sealSession } from '../../engine/session/seal.ts';
import type { Session } from '../../engine/session/session.ts';
import { type Parties, value } from './evidence.ts';
import { miniGuide, miniSite } from './mini-guide.ts';

const NOW = new Date('2026-11-23T10:00:00.000Z');
const never = new AbortController().signal;

/** Without the step that can never be decided. */
export const decidable = miniGuide().replace(/ {2}- id: web\.never[\s\S]*?(?= {2}- id: people)/, '');

/** A real session against a small server, sealed and countersigned. @returns the bundle */
export async function walkMini(
  dir: string,
  port: number,
  parties: Parties,
  guide: string,
  accept: readonly string[] = [],
  start = NOW,
  /** What else is done before the question is answered. */
  more: (session: Session, manual: string) => Promise<unknown> = async () => {},
): Promise<string> {
  await writeFile(join(dir, 'guide.yaml'), guide);
  await writeFile(join(dir, 'site.yaml'), miniSite(port));
  await writeFile(join(dir, 'course.txt'), 'Course of May.');
  let time = start.getTime();
  const session = value(
    await openSession(
      join(dir, 'sessions'),
      value(await loadGuide(join(dir, 'guide.yaml'), {})),
      value(await loadSite(join(dir, 'site.yaml'))),
      {
        now: () => new Date((time += 1000)),
        lockstep: '0.1.0',
        runtime: { node: 'test' },
        operator: 'Erika Engineer',
        ask: async () => false,
      },
    ),
  );
  const keys = session.plan.items.map((item) => item.key);
  await session.checkGate({});
  await session.run(keys, never);
  const manual = keys.find((key) => key.startsWith('people.trained@')) ?? '';
  value(await session.attach(manual, join(dir, 'course.txt')));
  await more(session, manual);
  value(await session.answer(manual, 'yes', 'Course of May.'));
  for (const key of accept) {
    const until = '2026-12-31T23:59:59.000Z';
    value(await session.waive(key, { reason: 'It moves.', compensating: 'A guard.', until }));
  }
  const out = join(dir, `${keys.length}-steps.asice`);
  value(await sealSession(session, out, parties.engineer));
  const statement = { role: 'IT', remark: 'Seen.', acceptedWaivers: accept };
  value(await countersignBundle(out, parties.hospital, statement, new Date((time += 60_000))));
  await session.close();
  return out;
}
