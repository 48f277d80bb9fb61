import { createHash } from 'node:crypto';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Result } from '../../core/result.ts';
import { countersign } from '../../engine/evidence/countersign.ts';
import { createJournal, type Journal } from '../../engine/evidence/journal-file.ts';
import { type Sealed, sealBundle, signGuide } from '../../engine/evidence/seal.ts';
import { type Identity, identityFromPem } from '../../engine/keys/identity.ts';
import { createPracticeCa, type IssueOptions, type PracticeCa } from '../../engine/keys/practice-ca.ts';

export const NOW = new Date('2026-11-23T10:00:00.000Z');
export const GUIDE = 'guide: example\nversion: 1.0.0\n';
export const SITE = 'site: example\nname: Example hospital\n';
export const REPORT = '<!doctype html><title>Report</title>\n';

/** The value, or the error as an exception: for the parts of a test that are not its subject. */
export function value<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

export const sha256 = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex');

/** A clock that goes on by a second at every look. */
export function ticking(start = NOW): () => Date {
  let time = start.getTime();
  return () => new Date((time += 1000));
}

export type Parties = {
  readonly ca: PracticeCa;
  readonly engineer: Identity;
  readonly hospital: Identity;
  readonly publisher: Identity;
};

export async function makeIdentity(
  ca: PracticeCa,
  options: Partial<IssueOptions> & { commonName: string },
): Promise<Identity> {
  const leaf = await ca.issue({ usage: 'sign', ...options });
  return value(await identityFromPem(leaf.keyPem + leaf.chainPem));
}

export async function makeParties(now = NOW): Promise<Parties> {
  const ca = await createPracticeCa({ now });
  return {
    ca,
    engineer: await makeIdentity(ca, { role: 'engineer', commonName: 'Erika Engineer', intermediate: true }),
    hospital: await makeIdentity(ca, { role: 'hospital', commonName: 'Henry Hospital' }),
    publisher: await makeIdentity(ca, { role: 'publisher', commonName: 'Example Medical Systems' }),
  };
}

/** Trust that verifies what `makeBundle` makes. */
export function trustOf({ ca }: Parties): { engineer: string[]; hospital: string[]; publisher: string[] } {
  return { engineer: [ca.roots.engineer], hospital: [ca.roots.hospital], publisher: [ca.roots.publisher] };
}

export const ITEM = 'access.group@role:nurse';

/** A session with facts, a judgement, an attachment, an answer, a waiver and signed heads; closed. */
export async function makeSession(dir: string, parties: Parties, signedGuide = true, start = NOW): Promise<void> {
  const clock = ticking(start);
  const journal: Journal = value(
    await createJournal(
      dir,
      {
        format: 'lockstep-journal/2',
        session: '6b4d6f0e-53b7-4f0e-9a39-0f8b1f8a2c11',
        lockstep: '0.1.0',
        guide: {
          id: 'example',
          version: '1.0.0',
          sha256: sha256(GUIDE),
          trust: signedGuide ? 'trusted' : 'unsigned',
          ...(signedGuide ? { publisher: parties.publisher.subject, publisherSha256: parties.publisher.sha256 } : {}),
        },
        site: { id: 'example', name: 'Example hospital', sha256: sha256(SITE), practice: true },
        operator: { id: 'erika', name: 'Erika Engineer' },
        runtime: { node: '24' },
      },
      { by: 'erika', now: clock },
    ),
  );
  const target = { kind: 'role' as const, id: 'nurse', name: 'Nurse' };
  value(await journal.signHead('open', parties.engineer));
  const facts = value(
    await journal.recordFacts(
      { key: ITEM, check: 0, probe: 'directory.group' },
      {
        probe: 'directory.group',
        version: 1,
        params: { group: 'Nurses' },
        startedAt: NOW.toISOString(),
        finishedAt: NOW.toISOString(),
        runtime: {},
        connections: 1,
        facts: { exists: true },
        absent: [],
      },
    ),
  );
  value(
    await journal.append('judged', {
      key: ITEM,
      control: 'access.group',
      revision: 1,
      target,
      verdict: 'fail',
      findings: [{ verdict: 'fail', sentence: 'Too wide.' }],
      basis: [facts.n],
    }),
  );
  const source = (async function* () {
    yield new TextEncoder().encode('photo of the switch\n');
  })();
  const attached = value(await journal.attach({ key: ITEM, name: 'switch.TXT', mediaType: 'text/plain', source }));
  value(
    await journal.append('answered', {
      key: ITEM,
      answer: 'compliant',
      note: 'seen',
      attachments: [attached.data.sha256],
    }),
  );
  value(
    await journal.append('waived', {
      key: ITEM,
      reason: 'ward moves',
      compensating: 'badge',
      until: '2027-01-01T00:00:00.000Z',
    }),
  );
  value(await journal.signHead('close', parties.engineer));
  await journal.close();
}

export type Made = {
  readonly dir: string;
  readonly sessionDir: string;
  readonly bundle: string;
  readonly sealed: Sealed;
};

/** A whole bundle in a temporary folder, signed by the engineer, and countersigned unless told not to. */
export async function makeBundle(
  parties: Parties,
  options: { countersigned?: boolean; signedGuide?: boolean; start?: Date; report?: string } = {},
): Promise<Made> {
  const dir = await mkdtemp(join(tmpdir(), 'lockstep-evidence-'));
  const sessionDir = join(dir, 'session');
  const signedGuide = options.signedGuide ?? true;
  const start = options.start ?? NOW;
  await makeSession(sessionDir, parties, signedGuide, start);
  let container: Uint8Array | undefined;
  if (signedGuide) {
    const out = join(dir, 'guide.asice');
    value(await signGuide(GUIDE, parties.publisher, { now: start, out }));
    container = new Uint8Array(await readFile(out));
  }
  const bundle = join(dir, 'bundle.asice');
  const sealed = value(
    await sealBundle({
      sessionDir,
      guide: { yaml: GUIDE, ...(container === undefined ? {} : { container }) },
      site: SITE,
      report: options.report ?? REPORT,
      identity: parties.engineer,
      now: new Date(start.getTime() + 60_000),
      out: bundle,
    }),
  );
  if (options.countersigned !== false) {
    value(
      await countersign({
        bundle,
        identity: parties.hospital,
        statement: { role: 'IT security', remark: 'Seen on site.', acceptedWaivers: [ITEM] },
        now: new Date(start.getTime() + 120_000),
      }),
    );
  }
  return { dir, sessionDir, bundle, sealed };
}

/** Writes each root into `dir` under the role's name; for command-line tools. */
export async function writeRoots(dir: string, { ca }: Parties): Promise<void> {
  for (const [role, pem] of Object.entries(ca.roots)) await writeFile(join(dir, `${role}-root.pem`), pem);
}
