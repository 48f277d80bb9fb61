import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { metaName } from '../../../core/bundle/layout.ts';
import { verifyFile } from '../../../engine/evidence/container-reader.ts';
import { signerCertificate } from '../../../engine/evidence/signer-certificates.ts';
import { type Made, makeBundle, makeParties, NOW, type Parties, trustOf, value } from '../../support/evidence.ts';
import { flip, readParts, removeTampered, writeParts } from '../../support/tamper.ts';

const at = new Date(NOW.getTime() + 3_600_000);

describe('a signer who is trusted from the first use on', () => {
  let parties: Parties;
  let made: Made;
  beforeAll(async () => {
    parties = await makeParties();
    made = await makeBundle(parties);
  });
  afterAll(removeTampered);
  afterAll(() => rm(made.dir, { recursive: true, force: true }));
  const verify = async (trust: Parameters<typeof verifyFile>[1]['trust'], file = made.bundle) =>
    value(await verifyFile(file, { trust, at }));

  it('is enough for that role, and for no other person and no other role', async () => {
    const { sha256 } = parties.hospital;
    const pinned = value(await signerCertificate(made.bundle, sha256, at));
    expect(pinned.role).toBe('hospital');
    const without = { ...trustOf(parties), hospital: [] };
    expect((await verify(without)).sound).toBe(false);
    expect((await verify({ ...without, hospital: [pinned.pem] })).sound).toBe(true);
    // Not for another role, and not for another person whom the same authority certified.
    expect((await verify({ ...trustOf(parties), engineer: [pinned.pem] })).sound).toBe(false);
    const engineer = value(await signerCertificate(made.bundle, parties.engineer.sha256, at));
    expect((await verify({ ...without, hospital: [engineer.pem] })).sound).toBe(false);
  });

  it('is never one whose signature does not hold, or who did not sign', async () => {
    const parts = await readParts(made.bundle);
    const altered = async (name: string) =>
      writeParts(parts.map((part) => (part.name === name ? { name, content: flip(part.content) } : part)));
    const broken = await altered(metaName('manifest', 2));
    expect(await signerCertificate(broken, parties.hospital.sha256, at)).toMatchObject({
      ok: false,
      error: { code: 'bundle.malformed' },
    });
    expect(await signerCertificate(made.bundle, parties.publisher.sha256, at)).toMatchObject({
      ok: false,
      error: { code: 'input.not-found' },
    });
  });
});
