import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EventData, JournalEvent } from '../../core/session/events.ts';
import { loadIdentity } from '../../engine/keys/identity.ts';
import { countersignBundle } from '../../engine/session/bundles.ts';
import { loadGuide } from '../../engine/session/load-guide.ts';
import { loadSite } from '../../engine/session/load-site.ts';
import { openSession, resumeSession } from '../../engine/session/open-session.ts';
import { sealSession } from '../../engine/session/seal.ts';
import type { Session, SessionOptions } from '../../engine/session/session.ts';
import type { Lab } from '../../lab/index.ts';
import { value } from './evidence.ts';

/** A guide that asks nothing but who can log in, by name, and what changed. */
const GUIDE = `guide: access-only
version: 1.0.0
title: Who can log in
publisher: { name: Test, contact: test@example.org }
product: { vendor: Test, name: Thing, versions: ">=1.0.0" }
inputs:
  roles: { type: directory-group, many: true, title: Groups }
controls:
  - id: access.people
    revision: 1
    title: Somebody can log in
    owner: hospital
    why: A product that nobody can use is switched off.
    checks:
      - probe: directory.access
        with: { roles: $roles, names: true }
        expect: [{ that: facts.everyone >= 1, else: Nobody can log in. }]
  - id: access.changes
    revision: 1
    title: Nobody joined unseen
    owner: hospital
    why: Groups grow.
    applies: { when: session.hasBaseline, else: No earlier bundle was given. }
    checks:
      - probe: directory.access
        with: { roles: $roles, names: true }
        expect: [{ that: facts.changed.joined.size() == 0, else: '{{ facts.changed.sentence }}' }]
`;
export const PEOPLE_KEY = 'access.people@site:practice-hospital';
export const CHANGES_KEY = 'access.changes@site:practice-hospital';

const OPTIONS: SessionOptions = {
  now: () => new Date(),
  lockstep: '0.1.0',
  runtime: {},
  operator: 'Erin',
  ask: async () => false,
};

/** Roots for verifying what the practice hospital signs. */
export async function trustOfLab(lab: Lab) {
  const root = async (role: 'engineer' | 'hospital' | 'publisher') => [await readFile(lab.trust[role], 'utf8')];
  return { engineer: await root('engineer'), hospital: await root('hospital'), publisher: await root('publisher') };
}

/** Writes the guide about who can log in into a folder. */
export async function writeAccessGuide(dir: string): Promise<string> {
  const path = join(dir, 'access-only.yaml');
  await writeFile(path, GUIDE);
  return path;
}

/**
 * Opens a session about who can log in to the practice hospital.
 * @param change edits the site file's text first
 */
export async function openAccess(
  lab: Lab,
  dir: string,
  change: (site: string) => string = (site) => site,
): Promise<Session> {
  const guidePath = await writeAccessGuide(dir);
  const text = await readFile(lab.siteFile, 'utf8');
  const changed = change(text);
  const sitePath = changed === text ? lab.siteFile : join(lab.dir, 'changed.site.yaml');
  if (changed !== text) await writeFile(sitePath, changed);
  const session = value(
    await openSession(
      join(dir, 'sessions'),
      value(await loadGuide(guidePath, {})),
      value(await loadSite(sitePath)),
      OPTIONS,
    ),
  );
  return supplied(lab, session);
}

/** Opens a session again, where it lies or at `dir`. */
export async function resumeAccess(lab: Lab, session: Session, dir = session.dir) {
  const resumed = await resumeSession(dir, {}, OPTIONS);
  return resumed.ok ? { ok: true as const, value: supplied(lab, resumed.value) } : resumed;
}

function supplied(lab: Lab, session: Session): Session {
  for (const [name, secret] of Object.entries(lab.secrets)) session.secrets.set(name, secret);
  return session;
}

/** Passes the gate and runs everything. */
export async function walkAccess(session: Session): Promise<void> {
  value(await session.checkGate({ typed: '1.0.0' }));
  value(await session.acceptPreflight());
  value(
    await session.run(
      session.plan.items.map(({ key }) => key),
      new AbortController().signal,
    ),
  );
}

/** Seals the session, signed by the engineer, and by the hospital too unless `provisional`. */
export async function sealAccess(lab: Lab, session: Session, out: string, provisional = false): Promise<string> {
  const engineer = value(await loadIdentity(lab.identities.engineer, lab.passphrase));
  const { path } = value(await sealSession(session, out, engineer));
  if (provisional) return path;
  const hospital = value(await loadIdentity(lab.identities.hospital, lab.passphrase));
  value(await countersignBundle(path, hospital, { role: 'Head of IT', remark: '' }, new Date()));
  return path;
}

/** What the probe of an item saw, and what it did not learn. */
// oxlint-disable-next-line typescript/no-explicit-any -- tests reach into facts
export function seenOf(session: Session, key: string): { facts: any; absent: Record<string, string> } {
  const outcome = session.outcomes.get(key)?.get(0);
  if (outcome === undefined || !('facts' in outcome)) throw new Error(JSON.stringify(outcome));
  const { facts, absent } = outcome.facts;
  return { facts, absent: Object.fromEntries(absent.map(({ path, reason }) => [path, reason])) };
}

/** Data of every event of a type. */
export function eventsOf<T extends JournalEvent['type']>(session: Session, type: T): EventData<T>[] {
  return session.journal.events.flatMap((event) => (event.type === type ? [event.data as EventData<T>] : []));
}
