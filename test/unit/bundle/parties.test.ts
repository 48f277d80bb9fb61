import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BundleFinding } from '../../../core/bundle/finding.ts';
import type { BundleParts, Verification, VerifyOptions } from '../../../core/bundle/verify.ts';
import { verifyFile } from '../../../engine/evidence/container-reader.ts';
import { countersign } from '../../../engine/evidence/countersign.ts';
import { readGuideContainer } from '../../../engine/evidence/guide-container.ts';
import { sealBundle, signGuide } from '../../../engine/evidence/seal.ts';
import { identityFromPem } from '../../../engine/keys/identity.ts';
import {
  GUIDE,
  ITEM,
  type Made,
  makeBundle,
  makeIdentity,
  makeParties,
  NOW,
  type Parties,
  REPORT,
  SITE,
  trustOf,
  value,
} from '../../support/evidence.ts';
import { bytes, readParts, removeTampered, writeParts } from '../../support/tamper.ts';

let parties: Parties;
let made: Made;
let half: Made;
const at = new Date(NOW.getTime() + 3_600_000);
const folders: string[] = [];

beforeAll(async () => {
  parties = await makeParties();
  made = await makeBundle(parties);
  half = await makeBundle(parties, { countersigned: false, signedGuide: false });
  folders.push(made.dir, half.dir);
});
afterAll(removeTampered);
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

const verify = async (file: string, options: Partial<VerifyOptions> = {}): Promise<Verification> =>
  value(await verifyFile(file, { trust: trustOf(parties), at, ...options }));
const codes = (verification: Verification, severity: BundleFinding['severity'] = 'bad') =>
  verification.findings.filter((finding) => finding.severity === severity).map((finding) => finding.code);

describe('trust per role', () => {
  it('accepts neither party for the other', async () => {
    const { engineer, hospital, publisher } = trustOf(parties);
    const swapped = await verify(made.bundle, { trust: { engineer: hospital, hospital: engineer, publisher } });
    expect(codes(swapped).filter((code) => code === 'trust.other-role')).toHaveLength(2);
    expect(swapped.summary.signers.map((signer) => signer.trusted)).toEqual([false, false]);
    expect(codes(await verify(made.bundle, { trust: { engineer, hospital: engineer, publisher } }))).toEqual([
      'trust.path',
    ]);
    expect(codes(await verify(made.bundle, { trust: { engineer, hospital, publisher: hospital } }))).toEqual([
      'guide.trust.path',
    ]);
  });

  it('says what was not given instead of trusting it', async () => {
    const { engineer, hospital } = trustOf(parties);
    expect(codes(await verify(made.bundle, { trust: {} }))).toEqual(['trust.none', 'trust.none']);
    expect(codes(await verify(made.bundle, { trust: { engineer } }))).toEqual(['trust.none']);
    const noPublisher = await verify(made.bundle, { trust: { engineer, hospital } });
    expect(noPublisher.sound).toBe(true);
    expect(codes(noPublisher, 'warn')).toEqual(['guide.publisher-unknown']);
    expect(codes(await verify(made.bundle, { trust: { engineer: ['rubbish'], hospital } }))).toContain(
      'trust.unreadable',
    );
  });

  it('warns when one root could make both signatures', async () => {
    const both = [parties.ca.roots.engineer, parties.ca.roots.hospital];
    expect(
      codes(await verify(made.bundle, { trust: { ...trustOf(parties), engineer: both, hospital: both } }), 'warn'),
    ).toContain('trust.shared-root');
  });
});

describe('two parties', () => {
  it('are one too few for a bundle that only the engineer signed: provisional, everywhere', async () => {
    const result = await verify(half.bundle);
    expect(half.sealed.provisional).toBe(true);
    expect(result).toMatchObject({ sound: true, summary: { provisional: true } });
    expect(codes(result, 'warn').toSorted()).toEqual(['guide.unsigned', 'provisional', 'waiver.request']);
  });

  it('cannot be the same person or key', async () => {
    const again = await countersign({
      bundle: half.bundle,
      identity: parties.engineer,
      statement: { role: '', remark: '' },
      now: at,
    });
    expect(again).toMatchObject({ ok: false, error: { code: 'identity.invalid' } });
    // A countersigner that does not refuse, as a forger's would not: the verifier finds it.
    const leaf = await parties.ca.issue({ role: 'hospital', commonName: 'Two Names', usage: 'sign' });
    const one = value(await identityFromPem(leaf.keyPem + leaf.chainPem));
    const dir = await mkdtemp(join(tmpdir(), 'lockstep-parties-'));
    folders.push(dir);
    const sameName = await makeIdentity(parties.ca, { role: 'engineer', commonName: 'Two Names' });
    const twice = join(dir, 'c.asice');
    value(
      await sealBundle({
        sessionDir: half.sessionDir,
        guide: { yaml: GUIDE },
        site: SITE,
        report: REPORT,
        identity: sameName,
        now: at,
        out: twice,
      }),
    );
    value(
      await countersign({
        bundle: twice,
        identity: { ...one, name: 'Disguised' },
        statement: { role: '', remark: '' },
        now: at,
      }),
    );
    expect(codes(await verify(twice))).toContain('signer.same-person');
    const sameKey = join(dir, 'd.asice');
    value(
      await sealBundle({
        sessionDir: half.sessionDir,
        guide: { yaml: GUIDE },
        site: SITE,
        report: REPORT,
        identity: one,
        now: at,
        out: sameKey,
      }),
    );
    const other = await makeIdentity(parties.ca, { commonName: 'Somebody else' });
    value(
      await countersign({
        bundle: sameKey,
        identity: { ...one, name: 'Disguised', certificatePem: other.certificatePem },
        statement: { role: '', remark: '' },
        now: at,
      }),
    );
    expect(codes(await verify(sameKey))).toContain('signer.same-key');
  });

  it('sign in their order, after the last event, before the check', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'lockstep-parties-'));
    folders.push(dir);
    const out = join(dir, 'b.asice');
    const seal = (now: Date) =>
      sealBundle({
        sessionDir: half.sessionDir,
        guide: { yaml: GUIDE },
        site: SITE,
        report: REPORT,
        identity: parties.engineer,
        now,
        out,
      });
    value(await seal(new Date(NOW.getTime() - 60_000)));
    expect(codes(await verify(out))).toEqual(['signature.back-dated']);
    value(await seal(new Date(at.getTime() + 3_600_000)));
    expect(codes(await verify(out))).toEqual(['signature.future']);
    value(await seal(at));
    value(
      await countersign({
        bundle: out,
        identity: parties.hospital,
        statement: { role: '', remark: '' },
        now: new Date(at.getTime() - 60_000),
      }),
    );
    expect(codes(await verify(out))).toEqual(['signature.back-dated']);
  });

  it('signed when their certificates were valid; an expiry since is told', async () => {
    const later = new Date(NOW.getTime() + 400 * 86_400_000);
    const result = await verify(made.bundle, { at: later });
    expect(result.sound).toBe(true);
    expect(codes(result, 'warn')).toEqual(expect.arrayContaining(['trust.expired']));
    const expired = await makeIdentity(parties.ca, {
      role: 'engineer',
      commonName: 'Old',
      notBefore: new Date('2025-01-01T00:00:00Z'),
      notAfter: new Date('2025-02-01T00:00:00Z'),
    });
    const options = {
      sessionDir: half.sessionDir,
      guide: { yaml: GUIDE },
      site: SITE,
      report: REPORT,
      now: NOW,
      out: join(half.dir, 'never.asice'),
    };
    expect(await sealBundle({ ...options, identity: expired })).toMatchObject({
      ok: false,
      error: { code: 'identity.invalid' },
    });
    // The same without our own refusal: the verifier finds it.
    value(
      await sealBundle({
        ...options,
        identity: { ...expired, notAfter: '2030-01-01T00:00:00.000Z' },
        out: join(half.dir, 'expired.asice'),
      }),
    );
    expect(codes(await verify(join(half.dir, 'expired.asice')))).toContain('trust.path');
    expect(await readdir(half.dir)).not.toContain('never.asice');
  });

  it('sign with certificates for signing', async () => {
    const client = await makeIdentity(parties.ca, { role: 'engineer', commonName: 'Client', usage: 'client' });
    const out = join(half.dir, 'client.asice');
    value(
      await sealBundle({
        sessionDir: half.sessionDir,
        guide: { yaml: GUIDE },
        site: SITE,
        report: REPORT,
        now: at,
        out,
        identity: { ...client, purposes: ['sign'] },
      }),
    );
    expect(codes(await verify(out))).toContain('signer.purpose');
  });
});

describe('countersigning', () => {
  it('leaves every earlier byte as it was', async () => {
    const before = await readFile(half.bundle);
    const out = join(half.dir, 'countersigned.asice');
    value(
      await countersign({
        bundle: half.bundle,
        identity: parties.hospital,
        statement: { role: 'IT', remark: 'ok', acceptedWaivers: [ITEM] },
        now: at,
        out,
      }),
    );
    const after = await readFile(out);
    const entriesEnd = before.readUInt32LE(before.length - 6);
    expect(after.subarray(0, entriesEnd)).toEqual(before.subarray(0, entriesEnd));
    expect(await readFile(half.bundle)).toEqual(before);
    expect((await verify(out)).summary.provisional).toBe(false);
    expect((await readdir(half.dir)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('refuses a bundle that is broken, unsigned, a guide, or no container', async () => {
    const statement = { role: '', remark: '' };
    const parts = await readParts(half.bundle);
    const broken = await writeParts(
      parts.map((part) => (part.name === 'report.html' ? { ...part, content: bytes('better') } : part)),
    );
    const unsigned = join(half.dir, 'unsigned.asice');
    value(
      await sealBundle({
        sessionDir: half.sessionDir,
        guide: { yaml: GUIDE },
        site: SITE,
        report: REPORT,
        now: at,
        out: unsigned,
      }),
    );
    const guide = join(half.dir, 'guide.asice');
    value(await signGuide(GUIDE, parties.publisher, { now: NOW, out: guide }));
    for (const bundle of [broken, unsigned, guide, join(half.sessionDir, 'journal.jsonl')]) {
      const before = await readFile(bundle);
      expect(await countersign({ bundle, identity: parties.hospital, statement, now: at }), bundle).toMatchObject({
        ok: false,
        error: { code: 'bundle.malformed' },
      });
      expect(await readFile(bundle)).toEqual(before);
    }
    expect(codes(await verify(unsigned))).toContain('signature.none');
    expect(
      await countersign({
        bundle: half.bundle,
        identity: parties.hospital,
        statement: { role: '', remark: 'x'.repeat(9000) },
        now: at,
      }),
    ).toMatchObject({ ok: false, error: { code: 'input.malformed' } });
  });

  it('accepts only waivers that were asked for', async () => {
    const out = join(half.dir, 'waivers.asice');
    value(
      await countersign({
        bundle: half.bundle,
        identity: parties.hospital,
        statement: { role: '', remark: '', acceptedWaivers: ['other@site:x'] },
        now: at,
        out,
      }),
    );
    const result = await verify(out);
    expect(codes(result)).toEqual(['waiver.unknown']);
    expect(codes(result, 'warn')).toContain('waiver.request');
  });
});

describe('sealing', () => {
  it('gives the same payload, byte for byte, whoever seals it and when', async () => {
    const other = await makeIdentity(parties.ca, { role: 'engineer', commonName: 'Other Engineer' });
    const files = await Promise.all(
      [
        { identity: parties.engineer, now: at, out: join(half.dir, '1.asice') },
        { identity: other, now: new Date(at.getTime() + 5000), out: join(half.dir, '2.asice') },
        { now: NOW, out: join(half.dir, '3.asice') },
      ].map(async (each) => {
        const sealed = value(
          await sealBundle({
            sessionDir: half.sessionDir,
            guide: { yaml: GUIDE },
            site: SITE,
            report: REPORT,
            ...each,
          }),
        );
        return { sealed, parts: (await readParts(each.out)).filter((part) => !part.name.startsWith('META-INF/')) };
      }),
    );
    expect(files[1]?.parts).toEqual(files[0]?.parts);
    expect(files[2]?.parts).toEqual(files[0]?.parts);
    expect(new Set(files.map((file) => file.sealed.payloadSha256)).size).toBe(1);
    const again = value(
      await sealBundle({
        sessionDir: half.sessionDir,
        guide: { yaml: GUIDE },
        site: SITE,
        report: REPORT,
        now: at,
        out: join(half.dir, '4.asice'),
      }),
    );
    expect(again.sha256).toBe(files[2]?.sealed.sha256);
  });

  it('goes up to the line that is asked for, with the files named until then', async () => {
    const out = join(half.dir, 'early.asice');
    const seal = (upTo: number) =>
      sealBundle({
        sessionDir: half.sessionDir,
        upTo,
        guide: { yaml: GUIDE },
        site: SITE,
        report: REPORT,
        identity: parties.engineer,
        now: at,
        out,
      });
    expect(value(await seal(3)).upTo).toBe(3);
    const result = await verify(out);
    expect(result.summary.session?.events).toBe(4);
    expect((await readParts(out)).map((part) => part.name).filter((name) => name.startsWith('attachments/'))).toEqual(
      [],
    );
    expect(codes(result)).toEqual([]);
    expect(await seal(99)).toMatchObject({ ok: false, error: { code: 'session.state' } });
  });

  it('refuses a session whose files were changed or are gone, and leaves what was there', async () => {
    const mine = await makeBundle(parties, { countersigned: false, signedGuide: false });
    folders.push(mine.dir);
    const before = await readFile(mine.bundle);
    const seal = () =>
      sealBundle({
        sessionDir: mine.sessionDir,
        guide: { yaml: GUIDE },
        site: SITE,
        report: REPORT,
        identity: parties.engineer,
        now: at,
        out: mine.bundle,
      });
    await writeFile(join(mine.sessionDir, 'facts/2.json'), '{}');
    expect(await seal()).toMatchObject({ ok: false, error: { code: 'journal.broken' } });
    await rm(join(mine.sessionDir, 'facts/2.json'));
    expect(await seal()).toMatchObject({ ok: false, error: { code: 'journal.broken' } });
    expect(await readFile(mine.bundle)).toEqual(before);
    expect((await readdir(mine.dir)).toSorted()).toEqual(['bundle.asice', 'session']);
  });

  it('says so when a guide or site is sealed that the session was not opened with', async () => {
    const out = join(half.dir, 'swapped.asice');
    value(
      await sealBundle({
        sessionDir: half.sessionDir,
        guide: { yaml: `${GUIDE}# more\n` },
        site: `${SITE}# more\n`,
        report: REPORT,
        identity: parties.engineer,
        now: at,
        out,
      }),
    );
    expect(codes(await verify(out)).toSorted()).toEqual(['guide.digest', 'site.digest']);
  });
});

describe('the hook that judges again', () => {
  it('gets all that a judge needs, and its findings count', async () => {
    let parts: BundleParts | undefined;
    const result = await verify(made.bundle, {
      rejudge: (given) => {
        parts = given;
        return [
          { severity: 'bad', code: 'verdict.differs', sentence: 'It was recorded as pass, but the facts say fail.' },
        ];
      },
    });
    expect(parts).toMatchObject({ guideYaml: GUIDE, siteYaml: SITE, at });
    expect(parts?.events).toHaveLength(8);
    expect(parts?.facts.get(2)).toMatchObject({ probe: 'directory.group', facts: { exists: true } });
    expect(parts?.statements[0]?.acceptedWaivers).toEqual([ITEM]);
    expect(result).toMatchObject({ sound: false, summary: { verdictsRecomputed: true } });
    expect(result.findings[0]?.code).toBe('verdict.differs');
  });
});

describe('a signed guide', () => {
  it('opens with its publisher, trusted only under the publisher’s root', async () => {
    const out = join(half.dir, 'g.asice');
    value(await signGuide(GUIDE, parties.publisher, { now: NOW, out }));
    const content = new Uint8Array(await readFile(out));
    const trusted = value(await readGuideContainer(content, { trust: trustOf(parties), at }));
    expect(new TextDecoder().decode(trusted.yaml)).toBe(GUIDE);
    expect(trusted).toMatchObject({
      trusted: true,
      signer: { name: 'Example Medical Systems', sha256: parties.publisher.sha256 },
    });
    const unknown = value(await readGuideContainer(content, { trust: { engineer: [parties.ca.roots.publisher] }, at }));
    expect(unknown.trusted).toBe(false);
    expect(unknown.signer?.name).toBe('Example Medical Systems');
  });

  it('that was altered is refused, not run as unsigned', async () => {
    const out = join(half.dir, 'g.asice');
    value(await signGuide(GUIDE, parties.publisher, { now: NOW, out }));
    const parts = await readParts(out);
    for (const part of parts) {
      const altered = await writeParts(
        parts.map((each) => (each === part ? { ...each, content: bytes(`${GUIDE}#`) } : each)),
      );
      const result = await readGuideContainer(new Uint8Array(await readFile(altered)), { trust: trustOf(parties), at });
      expect(result, part.name).toMatchObject({ ok: false, error: { code: 'guide.untrusted' } });
    }
    const bundle = await readGuideContainer(new Uint8Array(await readFile(made.bundle)), {
      trust: trustOf(parties),
      at,
    });
    expect(bundle).toMatchObject({ ok: false, error: { code: 'bundle.malformed' } });
  });
});
