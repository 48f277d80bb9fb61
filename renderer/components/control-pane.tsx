import { KeyRound, Play } from 'lucide-react';
import { useState } from 'react';
import type { Step } from '../lib/items.ts';
import { count, showDuration, showName } from '../lib/format.ts';
import { runItems, useWizard } from '../store.ts';
import { runnableKeys } from '../walk-actions.ts';
import { Badge, Key, OwnerBadge } from './badge.tsx';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { Eyebrow } from './layout.tsx';
import { Markdown } from './markdown.tsx';
import { Note } from './note.tsx';
import { SecretsPanel } from './secrets-panel.tsx';
import { TargetCard } from './target-card.tsx';
import { Verdict } from './verdict.tsx';

/** One control: why it matters, how to do it, and what holds for each target. */
export function ControlPane({ step }: { step: Step }) {
  const { control } = step;
  const running = useWizard((state) => state.running);
  const runnable = runnableKeys([step]);
  return (
    <section data-pane aria-label={control.title} tabIndex={-1} className="min-w-0 flex-1 overflow-y-auto">
      <div className="mx-auto grid max-w-[900px] grid-cols-1 gap-6 px-8 pt-6 pb-12">
        <SessionNotes />
        <header className="grid gap-2">
          <div className="flex flex-wrap items-center gap-2">
            <span className="text-xs text-faint">
              {showName(control.group)} <span aria-hidden>·</span> <span className="font-mono">{control.id}</span>{' '}
              <span aria-hidden>·</span> revision {control.revision}
            </span>
          </div>
          <h1
            data-step-heading
            tabIndex={-1}
            className="text-2xl font-semibold tracking-tight text-balance outline-offset-4"
          >
            {control.title}
          </h1>
          <div className="flex flex-wrap items-center gap-2">
            <Verdict verdict={step.verdict} />
            <OwnerBadge owner={control.owner} />
            {control.validFor === undefined ? null : <Badge>Good for {showDuration(control.validFor)}</Badge>}
            {Object.entries(control.references).map(([framework, ids]) => (
              <Badge key={framework}>
                {framework.toUpperCase()} {ids.join(', ')}
              </Badge>
            ))}
          </div>
        </header>
        <div className="border-l-3 border-accent pl-4">
          <Eyebrow level={2}>Why it matters</Eyebrow>
          <p className="mt-1 max-w-[62ch] text-lg leading-normal text-pretty">{control.why}</p>
        </div>
        {control.instructions.trim() === '' ? null : (
          <section className="grid gap-2">
            <Eyebrow level={2}>What to do</Eyebrow>
            <Markdown text={control.instructions} />
          </section>
        )}
        <section className="grid grid-cols-1 gap-3">
          <div className="flex min-h-7 items-center gap-3">
            <div className="flex-1">
              <Eyebrow level={2}>
                {step.rows.length > 1 ? `What holds, for ${count(step.rows.length, 'target')}` : 'What holds'}
              </Eyebrow>
            </div>
            {runnable.length > 1 ? (
              <>
                <Key>r</Key>
                <Button size="sm" icon={Play} isDisabled={running} onPress={() => void runItems(runnable)}>
                  Run for all {runnable.length}
                </Button>
              </>
            ) : null}
          </div>
          {step.rows.map((row) => (
            <TargetCard key={row.item.key} row={row} only={step.rows.length === 1} />
          ))}
        </section>
      </div>
    </section>
  );
}

/** What concerns the whole session, where the work is done. */
function SessionNotes() {
  const snapshot = useWizard((state) => state.snapshot);
  const [supplying, setSupplying] = useState(false);
  if (snapshot === undefined) return null;
  const missing = snapshot.secrets.filter((secret) => !secret.supplied);
  if (missing.length === 0 && snapshot.readOnly === undefined && snapshot.notices.length === 0) return null;
  return (
    <div className="grid gap-2">
      {snapshot.readOnly === undefined ? null : (
        <Note tone="warn" title="Read-only">
          {snapshot.readOnly}
        </Note>
      )}
      {snapshot.notices.map((notice) => (
        <Note key={notice}>{notice}</Note>
      ))}
      {missing.length === 0 ? null : (
        <Note
          tone="warn"
          title={`${count(missing.length, 'password')} missing`}
          aside={
            <Button size="sm" icon={KeyRound} onPress={() => setSupplying(true)}>
              Supply…
            </Button>
          }
        >
          <p className="text-soft">
            Checks that need it end as errors: {missing.map((secret) => secret.purpose).join('; ')}.
          </p>
        </Note>
      )}
      <Dialog title="Passwords" open={supplying && missing.length > 0} onClose={() => setSupplying(false)}>
        <SecretsPanel secrets={snapshot.secrets} />
      </Dialog>
    </div>
  );
}
