import type { Summary } from '../core/session/summary.ts';
import type { SealedBundle } from '../engine/session/seal.ts';
import type { Session } from '../engine/session/session.ts';
import type { HeadlessResult } from './headless.ts';
import { EXIT } from './host.ts';
import { paint, print, printTable } from './terminal.ts';

/** Prints what a walk found and answers with its exit code: 0 hardened, 1 something fails, 3 undecided, 130 cancelled. */
export function printOutcome(session: Session, result: HeadlessResult, json: boolean): number {
  if (json) print(JSON.stringify(asJson(session, result), null, 2));
  else printHuman(session, result);
  if (result.cancelled) return EXIT.cancelled;
  return exitCodeOf(result.summary);
}

/** A definite failure wins over what is undecided. */
export function exitCodeOf(summary: Summary): number {
  if (summary.word === 'open') return EXIT.findings;
  return summary.word === 'hardened' ? EXIT.done : EXIT.undecided;
}

function printHuman(session: Session, { summary, cancelled, sealed }: HeadlessResult): void {
  const state = session.state();
  print();
  printTable(
    ['verdict', 'control', 'target', 'owner', 'finding'],
    session.plan.items.map((item) => {
      const known = state.items[item.key];
      const verdict = known?.verdict ?? 'not-reviewed';
      const sentence = known?.findings.find((finding) => finding.verdict === verdict)?.sentence ?? '';
      return [
        paint(verdict, verdict.padEnd('not-applicable'.length)),
        item.control.id,
        item.target.name,
        item.control.owner,
        sentence.replace(/\s+/g, ' '),
      ];
    }),
  );
  print();
  const counts = Object.entries(summary.counts).filter(([, count]) => count > 0);
  print(
    `${cancelled ? 'Cancelled. ' : ''}${summary.word}: ${counts.map(([verdict, count]) => `${count} ${verdict}`).join(', ')}`,
  );
  if (session.guide.trust !== 'trusted')
    print(
      `The guide is ${session.guide.trust}: nothing shows that it comes from the manufacturer, and nothing was changed.`,
    );
  if (summary.waived.length > 0)
    print(
      `waivers asked for: ${summary.waived.join(', ')}; each counts as fail until the hospital's signature accepts it`,
    );
  if (session.site.sealed.practice)
    print('PRACTICE: this is a practice hospital; nothing here is evidence about a real one.');
  if (sealed === undefined) return;
  const undecided = summary.counts.error + summary.counts['not-reviewed'];
  if (undecided > 0)
    print(`incomplete: ${undecided} ${undecided === 1 ? 'step is' : 'steps are'} undecided; the bundle says so`);
  printSealed(sealed);
}

/** Says what was sealed and what is missing. */
export function printSealed(sealed: SealedBundle): void {
  print(`bundle ${sealed.path}`);
  print(`sha256 ${sealed.sha256}`);
  if (sealed.provisional)
    print(`provisional: ${sealed.signatures === 0 ? 'nobody has signed it' : 'the hospital has not countersigned it'}`);
}

function asJson(session: Session, { summary, cancelled, sealed }: HeadlessResult): unknown {
  const state = session.state();
  return {
    session: session.id,
    guide: { id: session.plan.guide.guide, version: session.plan.guide.version, trust: session.guide.trust },
    site: session.site.sealed.site,
    practice: session.site.sealed.practice,
    gate: state.gate,
    cancelled,
    summary,
    items: session.plan.items.map((item) => {
      const known = state.items[item.key];
      return {
        key: item.key,
        control: item.control.id,
        target: item.target,
        owner: item.control.owner,
        verdict: known?.verdict ?? 'not-reviewed',
        findings: known?.findings ?? [],
        ...(known?.goodUntil === undefined ? {} : { goodUntil: known.goodUntil }),
      };
    }),
    ...(sealed === undefined ? {} : { bundle: sealed }),
  };
}
