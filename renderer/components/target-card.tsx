import { Cable, Hospital, Monitor, Play, ShieldAlert, type LucideIcon, UsersRound } from 'lucide-react';
import { useState } from 'react';
import type { Finding } from '../../core/session/events.ts';
import { showDate, showTime, showTimesIn } from '../lib/format.ts';
import { isRunnable, type Row } from '../lib/items.ts';
import { FIX_WORDS, TARGET_WORDS } from '../lib/words.ts';
import { runItems, useWizard } from '../store.ts';
import { Key } from './badge.tsx';
import { Button, Spinner } from './button.tsx';
import { ChangePanel } from './change-panel.tsx';
import { LinkPicture } from './link-picture.tsx';
import { ManualAnswer } from './manual-answer.tsx';
import { Seen } from './seen.tsx';
import { Mark, Verdict, VerdictIcon } from './verdict.tsx';
import { WaiverDialog } from './waiver-dialog.tsx';

const ICONS: Readonly<Record<keyof typeof TARGET_WORDS, LucideIcon>> = {
  site: Hospital,
  role: UsersRound,
  link: Cable,
  device: Monitor,
};

/** One control for one target: run it, read the verdict and the findings, answer, change, waive. */
export function TargetCard({ row, only }: { row: Row; only: boolean }) {
  const { item, state, verdict } = row;
  const running = useWizard((wizard) => wizard.running);
  const progress = useWizard((wizard) => wizard.progress[item.key]);
  const isLast = useWizard((wizard) => wizard.lastProgress?.key === item.key);
  const [waiving, setWaiving] = useState(false);
  const Icon = ICONS[item.target.kind];
  const busy = running && progress !== undefined && isLast;
  return (
    <article aria-label={item.target.name} className="rounded-lg border border-line bg-surface shadow-card">
      <header className="flex min-h-13 flex-wrap items-center gap-x-3 gap-y-2 px-4 py-2.5">
        <Icon aria-hidden className="size-4 shrink-0 text-faint" strokeWidth={1.75} />
        <div className="min-w-0 flex-1">
          <h3 className="truncate text-base font-semibold">{item.target.name}</h3>
          <p className="truncate text-xs text-faint">
            {TARGET_WORDS[item.target.kind]}
            {state?.judgedAt === undefined ? null : <> · judged {showTime(state.judgedAt)}</>}
          </p>
        </div>
        {row.expired && state?.goodUntil !== undefined ? (
          <Mark kind="expired">{`Expired ${showDate(state.goodUntil)}`}</Mark>
        ) : null}
        {state?.waiver !== undefined && verdict === 'fail' ? <Mark kind="waiver">Waiver requested</Mark> : null}
        <Verdict verdict={verdict} />
        {isRunnable(row) ? (
          <Button size="sm" icon={Play} busy={busy} isDisabled={running} onPress={() => void runItems([item.key])}>
            {state?.judgedAt === undefined ? 'Run' : 'Run again'}
            {only ? <Key>r</Key> : null}
          </Button>
        ) : null}
      </header>
      {running && progress !== undefined ? (
        <p role="status" className="flex items-center gap-2 border-t border-line bg-sunken px-4 py-2 text-sm text-soft">
          {busy ? <Spinner /> : null}
          <span className="min-w-0 flex-1 truncate">{progress.line}</span>
        </p>
      ) : null}
      <div className="divide-y divide-line border-t border-line empty:hidden">
        {item.link && item.applies ? <LinkPicture item={item} judgedAt={state?.judgedAt} /> : null}
        <Findings row={row} />
        {state?.waiver === undefined ? null : <Waiver waiver={state.waiver} />}
        {item.control.manual === undefined || !item.applies ? null : <ManualAnswer item={item} state={state} />}
        <Seen item={item} state={state} />
        {item.control.change === undefined || !item.applies ? null : <ChangePanel item={item} state={state} />}
        {verdict === 'fail' && state?.waiver === undefined ? (
          <div className="flex items-center gap-3 px-4 py-2.5 text-sm text-soft">
            <span className="flex-1">It cannot be fixed now? Say what protects the patient meanwhile.</span>
            <Button size="sm" icon={ShieldAlert} onPress={() => setWaiving(true)}>
              Request a waiver…
            </Button>
          </div>
        ) : null}
      </div>
      {waiving ? <WaiverDialog row={row} onClose={() => setWaiving(false)} /> : null}
    </article>
  );
}

function Findings({ row }: { row: Row }) {
  const { state, verdict, item } = row;
  const findings = [...(state?.findings ?? [])].sort((a, b) => rank(a) - rank(b));
  if (findings.length === 0) {
    const words =
      verdict === 'pass'
        ? item.checks.length > 0
          ? 'Everything that the guide expects was seen.'
          : undefined
        : verdict === 'not-reviewed' && item.checks.length > 0
          ? Object.values(state?.checks ?? {}).some(({ phase }) => phase === 'recorded')
            ? 'What the guide expects was seen; a person’s answer is missing.'
            : 'Nothing ran yet.'
          : undefined;
    return words === undefined ? null : <p className="px-4 py-2.5 text-sm text-soft">{words}</p>;
  }
  return (
    <ul className="grid gap-2.5 px-4 py-3" aria-label="Findings">
      {findings.map((finding, index) => (
        <li key={index} className="flex items-start gap-2.5">
          <span className="mt-0.75">
            <VerdictIcon verdict={finding.verdict} />
          </span>
          <div className="min-w-0 flex-1">
            <p className="text-base break-words text-pretty select-text">{showTimesIn(finding.sentence)}</p>
            {finding.verdict === 'fail' || finding.verdict === 'error' ? (
              <p className="text-xs text-faint">
                {FIX_WORDS[finding.fixBy ?? item.control.owner] ?? finding.fixBy}
                {finding.severity === 'high' ? null : <> · {finding.severity} severity</>}
                {finding.check === undefined ? null : <> · {item.checks[finding.check]?.title}</>}
              </p>
            ) : null}
          </div>
        </li>
      ))}
    </ul>
  );
}

const SEVERITIES = ['high', 'medium', 'low'];
const WORST = ['fail', 'error', 'not-reviewed', 'not-applicable', 'pass'];

function rank(finding: Finding): number {
  return WORST.indexOf(finding.verdict) * SEVERITIES.length + SEVERITIES.indexOf(finding.severity);
}

function Waiver({ waiver }: { waiver: NonNullable<NonNullable<Row['state']>['waiver']> }) {
  return (
    <dl className="grid grid-cols-[max-content_minmax(0,1fr)] gap-x-4 gap-y-1 px-4 py-3 text-sm">
      <dt className="text-faint">Waiver</dt>
      <dd>Requested until {showDate(waiver.until)}. It counts once the hospital countersigns.</dd>
      <dt className="text-faint">Reason</dt>
      <dd>{waiver.reason}</dd>
      <dt className="text-faint">Meanwhile</dt>
      <dd>{waiver.compensating}</dd>
    </dl>
  );
}
