import { CircleX, Info, type LucideIcon, ShieldCheck, ShieldQuestionMark, ShieldX, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import type { VerifyView } from '../../core/ipc.ts';
import { count, showTime } from '../lib/format.ts';
import { SUMMARY_WORDS } from '../lib/words.ts';
import { Card } from './layout.tsx';

const SEVERITIES: Readonly<
  Record<VerifyView['findings'][number]['severity'], { icon: LucideIcon; text: string; word: string; rank: number }>
> = {
  bad: { icon: CircleX, text: 'text-fail', word: 'Wrong', rank: 0 },
  warn: { icon: TriangleAlert, text: 'text-error', word: 'Note well', rank: 1 },
  info: { icon: Info, text: 'text-idle', word: 'Information', rank: 2 },
};

type Signer = VerifyView['signers'][number];

/** What the verifier found: sound or not, who signed, and every finding, not the first only. */
export function VerifyResult({ view, onSigner }: { view: VerifyView; onSigner?: (signer: Signer) => ReactNode }) {
  const findings = [...view.findings].sort((a, b) => SEVERITIES[a.severity].rank - SEVERITIES[b.severity].rank);
  const { icon: Icon, text, title, sentence } = verdictOn(view);
  return (
    <div className="grid gap-4" role="status">
      <Card>
        <div className="flex items-center gap-4">
          <Icon aria-hidden className={`size-9 shrink-0 ${text}`} strokeWidth={1.75} />
          <div>
            <p className={`text-xl font-semibold tracking-tight ${text}`}>{title}</p>
            <p className="text-sm text-soft">{sentence}</p>
          </div>
          <dl className="ml-auto grid shrink-0 grid-cols-[max-content_max-content] gap-x-4 gap-y-1 text-sm">
            <dt className="text-faint">Judged again</dt>
            <dd className="font-medium">
              {view.summary === undefined ? 'could not be' : SUMMARY_WORDS[view.summary.word].word}
            </dd>
            <dt className="text-faint">Complete</dt>
            <dd className="font-medium">{view.complete ? 'yes' : 'no, something is undecided'}</dd>
          </dl>
        </div>
      </Card>
      <div className="grid grid-cols-[260px_minmax(0,1fr)] items-start gap-4">
        <Card title="Signatures">
          {view.signers.length === 0 ? (
            <p className="text-sm text-soft">No valid signature.</p>
          ) : (
            <ul className="grid gap-3 text-sm">
              {view.signers.map((signer) => (
                <li key={`${signer.role}-${signer.subject}`}>
                  <p className="text-xs text-faint capitalize">{signer.role}</p>
                  <p className="font-medium break-words">{signer.subject}</p>
                  {signer.at === undefined ? null : <p className="text-xs text-soft">{showTime(signer.at)}</p>}
                  {onSigner?.(signer)}
                </li>
              ))}
            </ul>
          )}
        </Card>
        <Card title="Findings" aside={<span className="text-xs text-faint tabular-nums">{findings.length}</span>} flush>
          {findings.length === 0 ? <p className="p-4 text-sm text-soft">No findings.</p> : null}
          <ul className="divide-y divide-line">
            {findings.map((finding, index) => {
              const { icon: Mark, text, word } = SEVERITIES[finding.severity];
              return (
                <li key={index} className="flex items-start gap-2.5 px-4 py-2.5 text-sm">
                  <Mark aria-hidden className={`mt-0.5 size-4 shrink-0 ${text}`} />
                  <div className="min-w-0 flex-1">
                    <p className="break-words">
                      <span className={`font-semibold ${text}`}>{word}.</span> {finding.sentence}
                    </p>
                    <p className="font-mono text-xs break-all text-faint">
                      {finding.code}
                      {finding.place === undefined ? '' : ` · ${finding.place}`}
                    </p>
                  </div>
                </li>
              );
            })}
          </ul>
        </Card>
      </div>
    </div>
  );
}

function verdictOn({ sound, edition, findings }: VerifyView): {
  icon: LucideIcon;
  text: string;
  title: string;
  sentence: string;
} {
  const of = (severity: string) => findings.filter((finding) => finding.severity === severity).length;
  const [bad, warn] = [of('bad'), of('warn')];
  if (bad > 0)
    return {
      icon: ShieldX,
      text: 'text-fail',
      title: 'Not sound',
      sentence: `${count(bad, 'thing')} wrong. Do not rely on this bundle.`,
    };
  if (edition !== undefined)
    return {
      icon: ShieldQuestionMark,
      text: 'text-error',
      title: 'An edition',
      sentence: `${count(edition.leftOut, 'part')} left out by rule for the ${edition.for}. What remains is what was signed; no verdict can be computed again from it.`,
    };
  if (!sound)
    return {
      icon: ShieldQuestionMark,
      text: 'text-error',
      title: 'Provisional',
      sentence: 'Nothing was altered, but a signature is missing: not both parties stand for it yet.',
    };
  return {
    icon: ShieldCheck,
    text: 'text-pass',
    title: 'Sound',
    sentence:
      warn === 0
        ? 'Every digest, signature and link of the journal holds.'
        : `Nothing was altered; ${count(warn, 'thing')} to note.`,
  };
}
