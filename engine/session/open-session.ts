import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { appError, fail, ok, type Result } from '../../core/result.ts';
import { JOURNAL_FORMAT } from '../../core/session/events.ts';
import { reduceAll } from '../../core/session/state.ts';
import { createJournal, openJournal } from '../evidence/journal-file.ts';
import { refuseHandedOver } from './hand-over.ts';
import { restoreBaseline } from './baseline.ts';
import { type LoadedGuide, loadGuide, type PublisherTrust } from './load-guide.ts';
import { type LoadedSite, loadSite } from './load-site.ts';
import { operatorOf } from './operator.ts';
import { readOutcomes } from './outcomes.ts';
import { planOf } from './plan-of.ts';
import { saveFile } from './save-file.ts';
import { makeSession, type Session, type SessionOptions } from './session.ts';

/**
 * Starts a session in its own folder below `sessionsDir`.
 * Errors: those of the plan (`site.invalid`, one per missing input, joined), `journal.write`.
 */
export async function openSession(
  sessionsDir: string,
  guide: LoadedGuide,
  site: LoadedSite,
  options: SessionOptions,
): Promise<Result<Session>> {
  const plan = planOf(guide, site);
  if (!plan.ok) return plan;
  const id = randomUUID();
  const dir = join(sessionsDir, id);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  // The journal names the digests of these, so they must be on the disk before its first line.
  for (const [name, content] of [
    ['guide.yaml', guide.text],
    ['site.yaml', site.text],
    ['site-path.txt', site.path],
  ] as const) {
    const written = await saveFile(join(dir, name), content);
    if (!written.ok) return written;
  }
  if (guide.container !== undefined) {
    const written = await saveFile(join(dir, 'guide.asice'), guide.container);
    if (!written.ok) return written;
  }
  const operator = operatorOf(options.operator);
  const journal = await createJournal(
    dir,
    {
      format: JOURNAL_FORMAT,
      session: id,
      lockstep: options.lockstep,
      guide: {
        id: guide.guide.guide,
        version: guide.guide.version,
        sha256: guide.sha256,
        trust: guide.trust,
        ...(guide.signer === undefined
          ? {}
          : { publisher: guide.signer.subject, publisherSha256: guide.signer.sha256 }),
      },
      site: { id: site.sealed.site, name: site.sealed.name, sha256: site.sha256, practice: site.sealed.practice },
      operator,
      runtime: { ...options.runtime },
      computer: options.computer ?? hostname(),
    },
    { by: operator.id, now: options.now },
  );
  if (!journal.ok) return journal;
  return ok(makeSession(id, guide, site, plan.value, journal.value, new Map(), options));
}

/**
 * Opens a session again. A probe that was cut off is recorded as an error, so that nothing looks as if it still ran.
 * Errors: `session.not-found`, `journal.locked`, `journal.broken`, and those of guide and site.
 */
export async function resumeSession(
  dir: string,
  trust: PublisherTrust,
  options: SessionOptions,
): Promise<Result<Session>> {
  const operator = operatorOf(options.operator);
  const signed = await readFile(join(dir, 'guide.asice')).catch(() => undefined);
  const guide = await loadGuide(join(dir, signed === undefined ? 'guide.yaml' : 'guide.asice'), trust);
  if (!guide.ok) return guide;
  // Trial keys lie beside the original site file, never in the session.
  const original = await readFile(join(dir, 'site-path.txt'), 'utf8').catch(() => undefined);
  const kept = await loadSite(join(dir, 'site.yaml'));
  if (!kept.ok) return kept;
  const live = original === undefined ? kept : await loadSite(original);
  const site = live.ok && live.value.sha256 === kept.value.sha256 ? live.value : kept.value;
  const plan = planOf(guide.value, site);
  if (!plan.ok) return plan;
  const journal = await openJournal(dir, { by: operator.id, now: options.now });
  if (!journal.ok) return journal;
  const opened = journal.value.events[0];
  const close = async (result: Result<never>): Promise<Result<never>> => {
    await journal.value.close();
    return result;
  };
  if (opened?.type !== 'session.opened')
    return close(fail('journal.broken', 'The journal does not begin with session.opened.', { place: dir }));
  if (opened.data.guide.sha256 !== guide.value.sha256)
    return close(
      fail('journal.broken', 'The guide in the session is not the one that the journal names.', { place: dir }),
    );
  if (opened.data.site.sha256 !== kept.value.sha256)
    return close(
      fail('journal.broken', 'The site in the session is not the one that the journal names.', { place: dir }),
    );
  const { handedOver, computer } = reduceAll(journal.value.events);
  if (handedOver !== undefined) return close(refuseHandedOver(handedOver, dir));
  const outcomes = await readOutcomes(dir, journal.value.events);
  if (!outcomes.ok) return close(outcomes);
  const here = options.computer ?? hostname();
  const notices = [...journal.value.notices];
  if (computer !== undefined && computer !== here)
    notices.push(
      `This session was walked on ${computer}, and this is ${here}. Nobody handed it over: if it goes on there too, there are two records of it. The bundle will show it.`,
    );
  const session = makeSession(
    opened.data.session,
    guide.value,
    site,
    plan.value,
    { ...journal.value, notices },
    outcomes.value,
    options,
  );
  const restored = await restoreBaseline(session);
  if (!restored.ok) return close(restored);
  const joined = await joinSession(session, operator, here);
  return joined.ok ? ok(session) : close(joined);
}

async function joinSession(
  session: Session,
  operator: { id: string; name: string },
  here: string,
): Promise<Result<unknown>> {
  const { operators, computer } = session.state();
  const moved = computer !== undefined && computer !== here;
  // A copy that is opened elsewhere shows it: from here on it is a record of its own.
  if (moved || !operators.some((known) => known.id === operator.id)) {
    const joined = await session.journal.append('operator.joined', { ...operator, how: 'resumed', computer: here });
    if (!joined.ok) return joined;
  }
  for (const item of Object.values(session.state().items)) {
    for (const [check, { phase, probe }] of Object.entries(item.checks)) {
      if (phase !== 'running') continue;
      const error = appError('probe.cancelled', 'The session ended while this ran. Run it again.');
      const failed = await session.journal.append('probe.failed', {
        key: item.key,
        check: Number(check),
        probe,
        error,
      });
      if (!failed.ok) return failed;
    }
  }
  return ok(undefined);
}
