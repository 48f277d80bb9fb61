import { VERSION } from '../core/version.ts';
import { join } from 'node:path';
import { stockCommands } from '../core/bundle/stock-commands.ts';
import type { Guide } from '../core/guide/schema.ts';
import { fail, ok, type Result } from '../core/result.ts';
import type { Summary } from '../core/session/summary.ts';
import { loadIdentity } from '../engine/keys/identity.ts';
import { countersignBundle, verifyBundle } from '../engine/session/bundles.ts';
import { loadGuide } from '../engine/session/load-guide.ts';
import { loadSite, readSmallFile } from '../engine/session/load-site.ts';
import { openSession } from '../engine/session/open-session.ts';
import { loadAnswers } from './answers.ts';
import { walkHeadless } from './headless.ts';
import { ASSETS, EXIT, RUNTIME } from './host.ts';
import { type LabInfo, startLabProcess } from './lab-process.ts';
import { readTrust, type Trust } from './keys.ts';
import { printOutcome } from './outcome.ts';
import { usePeople } from './people.ts';
import { complain, note, print } from './terminal.ts';

const GUIDE = 'reference-mdip';
const APPROVAL = { undo: [], ticket: 'PRACTICE-1', approver: 'Hadley Hospital' };

/**
 * A newcomer's first walk without a screen: the practice hospital as shipped; then people mend what is theirs, and Lockstep
 * changes the gateway until it is hardened. Each walk is sealed, signed by its engineer, countersigned by its hospital and
 * verified. Exit code 0 when both walks were completed, whatever they found.
 */
export async function practiceWalk(dir: string, options: { once: boolean; quiet: boolean }): Promise<number> {
  note('Starting the practice hospital …');
  const lab = await startLabProcess(join(dir, 'hospital'), true);
  if (!lab.ok) {
    complain(lab.error);
    return EXIT.usage;
  }
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  try {
    const { info } = lab.value;
    print('\n=== First walk: the hospital as shipped ===');
    const walk = { quiet: options.quiet, cancel: interrupted.signal };
    const first = await walkOnce(dir, info, { ...walk, name: 'as-shipped', changes: false });
    if (!first.ok) return end(first);
    if (options.once || interrupted.signal.aborted) return finish(info, [first.value], interrupted.signal);
    const { changed } = first.value;
    const theirs = info.faults.filter(({ control }) => !changed.includes(control)).map(({ id }) => id);
    const mended = await lab.value.harden(theirs);
    if (!mended.ok) return end(mended);
    print('\n=== Second walk: people have mended what is theirs, and Lockstep changes the gateway ===');
    const second = await walkOnce(dir, info, {
      ...walk,
      name: 'hardened',
      baseline: first.value.bundle,
      changes: true,
    });
    if (!second.ok) return end(second);
    return finish(info, [first.value, second.value], interrupted.signal);
  } finally {
    process.removeListener('SIGINT', interrupt);
    process.removeListener('SIGTERM', interrupt);
    await lab.value.stop();
  }
}

type Walk = {
  readonly name: string;
  readonly baseline?: string;
  /** Whether Lockstep makes the changes of the gateway that the guide offers. */
  readonly changes: boolean;
  readonly quiet: boolean;
  readonly cancel: AbortSignal;
};
/** `changed`: the controls whose change of the gateway Lockstep makes. */
type Walked = { name: string; bundle: string; summary: Summary; changed: readonly string[] };

async function walkOnce(dir: string, info: LabInfo, walk: Walk): Promise<Result<Walked>> {
  const { name, baseline, quiet, cancel } = walk;
  const path = info.guides.find((candidate) => candidate.id === GUIDE)?.path;
  if (path === undefined) return fail('input.not-found', `The practice hospital has no guide ${GUIDE}.`);
  const root = await readSmallFile(info.trust.publisher, 'publisher root');
  if (!root.ok) return root;
  const guide = await loadGuide(path, { roots: [root.value] });
  if (!guide.ok) return guide;
  const site = await loadSite(info.siteFile);
  if (!site.ok) return site;
  const engineer = await loadIdentity(info.identities.engineer.path, info.identities.engineer.passphrase);
  if (!engineer.ok) return engineer;
  const answers = await loadAnswers(join(ASSETS, 'practice', `answers-${name}.yaml`));
  if (!answers.ok) return answers;
  const changed = onTheGateway(guide.value.guide);
  const session = await openSession(join(dir, 'sessions'), guide.value, site.value, {
    now: () => new Date(),
    lockstep: VERSION,
    runtime: RUNTIME,
    operator: 'Practice Engineer',
    ask: async () => false,
    onProgress: ({ line, done, total }) => {
      if (!quiet) note(`[${String(done + 1).padStart(2)}/${total}] ${line}`);
    },
  });
  if (!session.ok) return session;
  try {
    for (const [secret, value] of Object.entries(info.secrets)) session.value.secrets.set(secret, value);
    const trust = await trustOf(info);
    if (!trust.ok) return trust;
    const people = await usePeople(
      session.value,
      info.siteKey,
      baseline === undefined ? {} : { baseline },
      trust.value,
    );
    if (!people.ok) return people;
    const result = await walkHeadless(session.value, {
      answers: answers.value.answers,
      ...(walk.changes
        ? { apply: { ...APPROVAL, ids: changed, credentials: new Map([['*', info.deviceCredential]]) } }
        : {}),
      identity: engineer.value,
      out: join(dir, `${name}.asice`),
      show: note,
      cancel,
    });
    if (!result.ok) return result;
    printOutcome(session.value, result.value, false);
    const { sealed, summary } = result.value;
    if (sealed === undefined) return fail('internal', 'The walk was not sealed.');
    return await countersignAndVerify(info, { name, bundle: sealed.path, summary, changed });
  } finally {
    await session.value.close();
  }
}

/** Controls whose change is made on the gateway at once; a certificate waits for the authority's answer. */
function onTheGateway(guide: Guide): readonly string[] {
  return guide.controls
    .filter(({ change }) => change?.kind === 'http.setting' || change?.kind === 'device.role-group')
    .map(({ id }) => id);
}

async function countersignAndVerify(info: LabInfo, walked: Walked): Promise<Result<Walked>> {
  const hospital = await loadIdentity(info.identities.hospital.path, info.identities.hospital.passphrase);
  if (!hospital.ok) return hospital;
  const remark = 'PRACTICE: countersigned by the practice hospital, which does not exist.';
  const signed = await countersignBundle(
    walked.bundle,
    hospital.value,
    { role: 'Head of practice IT', remark },
    new Date(),
  );
  if (!signed.ok) return signed;
  const trust = await trustOf(info);
  if (!trust.ok) return trust;
  const verified = await verifyBundle(walked.bundle, trust.value, new Date());
  if (!verified.ok) return verified;
  if (!verified.value.sound) {
    const bad = verified.value.findings
      .filter((finding) => finding.severity === 'bad')
      .map((finding) => finding.sentence);
    return fail('internal', 'The bundle that was just sealed does not verify.', { cause: bad.join(' ') });
  }
  print(
    `signed by the engineer, countersigned by the hospital, verified: sound${verified.value.complete ? ' and complete' : ', but incomplete'}`,
  );
  return ok(walked);
}

async function trustOf(info: LabInfo): Promise<Result<Trust>> {
  return readTrust((['engineer', 'hospital', 'publisher'] as const).map((role) => `${role}=${info.trust[role]}`));
}

function finish(info: LabInfo, walks: readonly Walked[], cancel: AbortSignal): number {
  print('\n=== What you have ===');
  for (const { name, bundle, summary } of walks) print(`${name.padEnd(11)} ${summary.word.padEnd(10)} ${bundle}`);
  if (walks.length > 1)
    print('\nMake and undo these changes yourself: “From as shipped to hardened” in lab/README.md.');
  const last = walks.at(-1);
  if (last !== undefined) {
    print('\nVerify the last bundle with nothing but stock tools:');
    for (const line of stockCommands(last.bundle, [info.trust.engineer, info.trust.hospital])) print(`  ${line}`);
    print('\nor with Lockstep, which also judges everything again:');
    print(
      `  npm run -s lockstep -- verify ${last.bundle} --trust engineer=${info.trust.engineer} hospital=${info.trust.hospital} publisher=${info.trust.publisher}`,
    );
  }
  return cancel.aborted ? EXIT.cancelled : EXIT.done;
}

function end(result: Result<unknown>): number {
  if (!result.ok) complain(result.error);
  return EXIT.usage;
}
