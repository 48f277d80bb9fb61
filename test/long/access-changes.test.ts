import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { webcrypto } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { WebCrypto } from '../../core/bundle/host.ts';
import { makeSiteKey, SITE_KEY_BYTES } from '../../core/people/site-key.ts';
import { readEntry } from '../../engine/evidence/container-reader.ts';
import { loadIdentity } from '../../engine/keys/identity.ts';
import { useBaseline } from '../../engine/session/baseline.ts';
import { verifyBundle } from '../../engine/session/bundles.ts';
import { handOverSession } from '../../engine/session/hand-over.ts';
import { agreeToNames, useSiteKey } from '../../engine/session/people.ts';
import type { Session } from '../../engine/session/session.ts';
import { takeOverSession } from '../../engine/session/take-over.ts';
import { type Lab, startLab } from '../../lab/index.ts';
import { DN, NAMES, personDn } from '../../lab/directory-names.ts';
import {
  CHANGES_KEY,
  eventsOf,
  openAccess,
  PEOPLE_KEY,
  resumeAccess,
  sealAccess,
  seenOf,
  trustOfLab,
  walkAccess,
} from '../support/access-walk.ts';
import { value } from '../support/evidence.ts';

const WITHOUT_KEY_ID = (site: string) => site.replace(/^people:\n +keyId: .*\n/m, '');

let lab: Lab;
let dir: string;
let trust: Awaited<ReturnType<typeof trustOfLab>>;
/** The bundle of a first walk under the site key, signed by both. */
let first: string;
const opened: Session[] = [];

async function open(change?: (site: string) => string): Promise<Session> {
  const session = await openAccess(lab, dir, change);
  opened.push(session);
  return session;
}
const members = (dn: string) => [...lab.parts.directory.values(lab.parts.directory.get(dn)!, 'member')].map(String);
const otherKey = async () =>
  (await makeSiteKey(webcrypto.getRandomValues(new Uint8Array(SITE_KEY_BYTES)), webcrypto as WebCrypto)).text;
const out = (name: string) => join(dir, `${name}.asice`);

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'lockstep-access-'));
  lab = await startLab({ dir: join(dir, 'hospital'), shipped: false });
  trust = await trustOfLab(lab);
  const session = await openAccess(lab, dir);
  value(await useSiteKey(session, lab.siteKey));
  await walkAccess(session);
  first = await sealAccess(lab, session, out('first'));
  await session.close();
});
afterEach(async () => {
  for (const session of opened.splice(0)) await session.close();
});
afterAll(async () => {
  await lab?.stop();
  rmSync(dir, { recursive: true, force: true });
});

describe('the site key of a session', () => {
  it('is refused where it is mistyped or not the key of the site file, and nothing is recorded then', async () => {
    const session = await open();
    expect(await useSiteKey(session, lab.siteKey.slice(0, -1))).toMatchObject({ error: { code: 'input.malformed' } });
    const foreign = await otherKey();
    const refused = await useSiteKey(session, foreign);
    expect(refused).toMatchObject({ error: { code: 'site.invalid', place: 'people.keyId' } });
    expect(JSON.stringify(refused)).not.toContain(foreign);
    expect(eventsOf(session, 'people.keyed')).toEqual([]);
    await walkAccess(session);
    const { facts, absent } = seenOf(session, PEOPLE_KEY);
    expect(facts.roles[0]).not.toHaveProperty('people');
    expect(facts.roles[0].groups[0]).toMatchObject({ name: NAMES.clinical });
    expect(absent['roles[].people']).toMatch(/no key/);
  });

  it('gives people codes, is recorded by its id, and is given again after a resume', async () => {
    const session = await open();
    const { keyId } = value(await useSiteKey(session, lab.siteKey));
    value(await useSiteKey(session, lab.siteKey));
    expect(eventsOf(session, 'people.keyed')).toEqual([{ keyId }]);
    await walkAccess(session);
    const seen = seenOf(session, PEOPLE_KEY);
    expect(seen.facts.keyId).toBe(keyId);
    expect(seen.facts.roles[1].people).toHaveLength(4);
    await session.close();
    const resumed = value(await resumeAccess(lab, session));
    opened.push(resumed);
    expect(resumed.memory.siteKey).toBeUndefined();
    expect(resumed.state().keyId).toBe(keyId);
    await walkAccess(resumed);
    expect(seenOf(resumed, PEOPLE_KEY).absent['roles[].people']).toMatch(/no key/);
  });

  it('cannot be changed for another within a session', async () => {
    const session = await open(WITHOUT_KEY_ID);
    value(await useSiteKey(session, await otherKey()));
    expect(await useSiteKey(session, lab.siteKey)).toMatchObject({ error: { code: 'session.state' } });
  });
});

describe('names of people', () => {
  it('are recorded only once the operator agreed, and that is on record', async () => {
    const session = await open();
    value(await useSiteKey(session, lab.siteKey));
    await walkAccess(session);
    expect(JSON.stringify(seenOf(session, PEOPLE_KEY).facts)).not.toContain('rosa.');
    expect(seenOf(session, PEOPLE_KEY).absent['roles[].people[].name']).toMatch(/did not agree/);
    value(await agreeToNames(session, true));
    expect(eventsOf(session, 'people.names')).toEqual([{ agreed: true, asking: [PEOPLE_KEY] }]);
    await walkAccess(session);
    const named = seenOf(session, PEOPLE_KEY).facts.roles[1].people.map(({ name }: { name: string }) => name);
    expect(named).toHaveLength(4);
    expect(named.every((name: unknown) => typeof name === 'string' && name.length > 3)).toBe(true);
    value(await agreeToNames(session, false));
    await walkAccess(session);
    expect(seenOf(session, PEOPLE_KEY).facts.roles[1].people[0]).not.toHaveProperty('name');
    value(await agreeToNames(session, true));
    await walkAccess(session);
    const bundle = await sealAccess(lab, session, out('named'));
    expect(value(await verifyBundle(bundle, trust, new Date())).sound).toBe(true);
    const [name = ''] = named as string[];
    expect(JSON.stringify(seenOf(session, PEOPLE_KEY).facts)).toContain(name);
    const later = await open();
    value(await useBaseline(later, bundle, trust));
    expect(await readFile(join(later.dir, 'baseline.json'), 'utf8')).not.toContain(name);
  });

  it('that nobody agreed to are found when the bundle is verified', async () => {
    const session = await open();
    value(await useSiteKey(session, lab.siteKey));
    Object.defineProperty(session.environment, 'namesAgreed', { value: true, enumerable: true });
    await walkAccess(session);
    const { findings } = value(await verifyBundle(await sealAccess(lab, session, out('slipped')), trust, new Date()));
    expect(findings.filter(({ severity }) => severity === 'bad').map(({ code }) => code)).toEqual(['judge.names']);
  });
});

describe('what changed since an earlier bundle', () => {
  it('is not asked without one', async () => {
    const session = await open();
    value(await useSiteKey(session, lab.siteKey));
    await walkAccess(session);
    expect(session.state().items[CHANGES_KEY]).toMatchObject({ verdict: 'not-applicable' });
    expect(seenOf(session, PEOPLE_KEY).absent.changed).toBe('no earlier bundle was given to compare with');
  });

  it('is that nothing did, where nothing did', async () => {
    const session = await open();
    value(await useSiteKey(session, lab.siteKey));
    value(await useBaseline(session, first, trust));
    await walkAccess(session);
    expect(session.state().items[CHANGES_KEY]).toMatchObject({ verdict: 'pass' });
    expect(seenOf(session, PEOPLE_KEY).facts.changed).toMatchObject({
      joined: [],
      left: [],
      moved: [],
      groupsAdded: [],
    });
  });

  it('tells who joined and who left, and the bundle that says so verifies', async () => {
    const before = members(DN.biomed);
    lab.parts.directory.set(DN.biomed, 'member', [...before.slice(1), personDn(40), personDn(41), DN.wardStaff]);
    try {
      const session = await open();
      value(await useSiteKey(session, lab.siteKey));
      const chosen = value(await useBaseline(session, first, trust));
      expect(chosen).toMatchObject({ provisional: false, guide: '1.0.0', keyId: session.state().keyId });
      await walkAccess(session);
      const { changed } = seenOf(session, CHANGES_KEY).facts;
      expect(changed).toMatchObject({
        since: { bundle: chosen.bundle, session: chosen.session, provisional: false },
        left: [{ roles: ['biomed'] }],
        groupsAdded: [{ role: 'biomed', group: NAMES.wardStaff }],
        regrouped: [],
      });
      expect(changed.joined).toHaveLength(2);
      expect(changed.sentence).toMatch(/^2 people joined, 1 left and \d+ people changed roles since 20/);
      expect(session.state().items[CHANGES_KEY]).toMatchObject({
        verdict: 'fail',
        findings: [{ sentence: changed.sentence }],
      });
      const bundle = await sealAccess(lab, session, out('second'));
      const verified = value(await verifyBundle(bundle, trust, new Date()));
      expect(verified.findings.filter(({ severity }) => severity === 'bad')).toEqual([]);
      expect(verified.sound).toBe(true);
      const report = new TextDecoder().decode(value(await readEntry(bundle, 'report.html')));
      expect(report).toContain(changed.sentence);
      expect(report).toContain(chosen.bundle);
    } finally {
      lab.parts.directory.set(DN.biomed, 'member', before);
    }
  });

  it('is told as far as two keys allow', async () => {
    const session = await open(WITHOUT_KEY_ID);
    value(await useSiteKey(session, await otherKey()));
    value(await useBaseline(session, first, trust));
    await walkAccess(session);
    const { facts, absent } = seenOf(session, CHANGES_KEY);
    expect(facts.changed).not.toHaveProperty('joined');
    expect(facts.changed.counts).toHaveLength(3);
    expect(absent['changed.joined']).toMatch(/under the site key [0-9a-f]{16}, this session under [0-9a-f]{16}/);
    expect(session.state().items[CHANGES_KEY]).toMatchObject({ verdict: 'error' });
  });

  it('is known again after a resume, unless what it rests on was altered', async () => {
    const session = await open();
    value(await useSiteKey(session, lab.siteKey));
    value(await useBaseline(session, first, trust));
    await session.close();
    const resumed = value(await resumeAccess(lab, session));
    opened.push(resumed);
    value(await useSiteKey(resumed, lab.siteKey));
    await walkAccess(resumed);
    expect(resumed.state().items[CHANGES_KEY]).toMatchObject({ verdict: 'pass' });
    await resumed.close();
    const kept = join(session.dir, 'baseline.json');
    const text = await readFile(kept, 'utf8');
    await writeFile(kept, text.replace('"exists":true', '"exists":false'));
    expect(await resumeAccess(lab, session)).toMatchObject({ error: { code: 'journal.broken', place: kept } });
  });
});

describe('a session that is compared and moves to another laptop', () => {
  it('takes along what it is compared with', async () => {
    const session = await open();
    value(await useBaseline(session, first, trust));
    await session.close();
    const now = () => new Date();
    const passphrase = 'a passphrase for the night shift';
    const file = join(dir, 'shift.p7m');
    const identity = value(await loadIdentity(lab.identities.engineer, lab.passphrase));
    value(await handOverSession(session.dir, { to: { passphrase }, identity, out: file, now, operator: 'Erin' }));
    const night = join(dir, 'night');
    const taken = { opener: { passphrase }, operator: 'Otto', engineers: trust.engineer, computer: 'night', now };
    value(await takeOverSession(night, file, taken));
    const resumed = value(await resumeAccess(lab, session, join(night, session.id)));
    opened.push(resumed);
    value(await useSiteKey(resumed, lab.siteKey));
    await walkAccess(resumed);
    expect(resumed.state().items[CHANGES_KEY]).toMatchObject({ verdict: 'pass' });
  });
});

describe('a bundle to compare with', () => {
  it('is verified first', async () => {
    const session = await open();
    const bytes = await readFile(first);
    const altered = out('altered');
    bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] ?? 0) ^ 1;
    await writeFile(altered, bytes);
    expect((await useBaseline(session, altered, trust)).ok).toBe(false);
    const nobody = { engineer: [], hospital: [], publisher: [] };
    expect(await useBaseline(session, first, nobody)).toMatchObject({ error: { code: 'bundle.not-sound' } });
    const swapped = { ...trust, engineer: trust.hospital, hospital: trust.engineer };
    expect(await useBaseline(session, first, swapped)).toMatchObject({ error: { code: 'bundle.not-sound' } });
    expect(await useBaseline(session, join(dir, 'none.asice'), trust)).toMatchObject({
      error: { code: 'input.not-found' },
    });
    expect(eventsOf(session, 'baseline.chosen')).toEqual([]);
  });

  it('may lack a signature, and that is said wherever it is used', async () => {
    const earlier = await open();
    value(await useSiteKey(earlier, lab.siteKey));
    await walkAccess(earlier);
    const bundle = await sealAccess(lab, earlier, out('provisional'), true);
    const session = await open();
    value(await useSiteKey(session, lab.siteKey));
    expect(value(await useBaseline(session, bundle, trust)).provisional).toBe(true);
    expect((await useBaseline(session, bundle, trust)).ok).toBe(true);
    expect(await useBaseline(session, first, trust)).toMatchObject({ error: { code: 'session.state' } });
    expect(eventsOf(session, 'baseline.chosen')).toHaveLength(1);
    await walkAccess(session);
    expect(seenOf(session, CHANGES_KEY).facts.changed.since.provisional).toBe(true);
    expect(await useBaseline(earlier, bundle, trust)).toMatchObject({ error: { message: /this very session/ } });
  });

  it('is of the same site, and is chosen before anything was judged', async () => {
    const elsewhere = await open((site) => site.replace('site: practice-hospital', 'site: another-hospital'));
    expect(await useBaseline(elsewhere, first, trust)).toMatchObject({ error: { code: 'input.malformed' } });
    const session = await open();
    await walkAccess(session);
    expect(await useBaseline(session, first, trust)).toMatchObject({ error: { code: 'session.state' } });
  });
});
