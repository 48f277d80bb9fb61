import { CircleCheck, FilePen, SearchCheck, Undo2 } from 'lucide-react';
import { useState } from 'react';
import type { ItemView } from '../../core/ipc.ts';
import type { AppError, Result } from '../../core/result.ts';
import type { ChangeState, ItemState } from '../../core/session/state.ts';
import { call } from '../api.ts';
import { useWizard } from '../store.ts';
import { showTime } from '../lib/format.ts';
import { enrolmentView } from '../lib/enrolment.ts';
import { ApplyForm } from './apply-form.tsx';
import { Badge } from './badge.tsx';
import { Button } from './button.tsx';
import { CertificateWait } from './certificate-wait.tsx';
import { Diff } from './diff.tsx';
import { ErrorNote, Note } from './note.tsx';

const PHASES: Readonly<Record<ChangeState['phase'], string>> = {
  planned: 'Planned',
  approved: 'Approved',
  started: 'Started',
  applied: 'Applied, not read back',
  'read-back': 'Applied and read back',
  failed: 'Failed',
  undone: 'Undone',
};

/** Something was recorded after the approval, but not how it ended. */
const OPEN: readonly ChangeState['phase'][] = ['approved', 'started', 'applied'];

/** A change that the guide offers: its plan as a diff, who approved it, the write, what was read back, its undo. */
export function ChangePanel({ item, state }: { item: ItemView; state: ItemState | undefined }) {
  const readOnly = useWizard((wizard) => wizard.snapshot?.readOnly);
  const running = useWizard((wizard) => wizard.running);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<AppError>();
  // The form goes as soon as the approval is recorded, so what is under way is kept here.
  const [applying, setApplying] = useState(false);
  const { change } = item.control;
  if (change === undefined) return null;
  const changes = state?.changes ?? [];
  const last = changes.at(-1);
  const canUndo = last !== undefined && !last.undo && last.phase === 'read-back';
  // What was left to the hospital in between is said where it is waited for.
  const staged = last?.step !== undefined;
  const cutOff = last !== undefined && !applying && OPEN.includes(last.phase);

  async function doing(work: Promise<Result<unknown, AppError>>): Promise<void> {
    setBusy(true);
    const done = await work;
    setBusy(false);
    setError(done.ok ? undefined : done.error);
  }
  const plan = () => doing(call('change.plan', { key: item.key }));
  const undo = (id: string) => doing(call('change.undo', { key: item.key, change: id }));
  const settle = (id: string) => doing(call('change.settle', { key: item.key, change: id }));

  return (
    <section
      className="grid grid-cols-1 gap-3 px-4 py-3"
      data-change
      aria-label={`${change.title}: ${item.target.name}`}
    >
      <header className="flex flex-wrap items-start gap-x-2 gap-y-2">
        <FilePen aria-hidden className="mt-0.5 size-4 text-faint" />
        <h4 className="min-w-72 flex-1 text-sm font-medium">
          {change.title}
          <span className="block text-xs font-normal text-faint">
            {change.lacks === undefined
              ? `Lockstep can do this for you. Needs: ${change.rights}.`
              : `Lockstep could do this for you. ${change.lacks}`}
          </span>
        </h4>
        {last === undefined ? null : (
          <Badge
            tone={
              last.phase === 'failed'
                ? 'error'
                : last.phase === 'read-back' && last.asPlanned === true
                  ? 'pass'
                  : 'idle'
            }
          >{`${last.undo ? 'Undo: ' : ''}${PHASES[last.phase]}`}</Badge>
        )}
        {canUndo ? (
          <Button
            size="sm"
            icon={Undo2}
            busy={busy}
            isDisabled={running || readOnly !== undefined}
            onPress={() => void undo(last.id)}
          >
            Plan the undo…
          </Button>
        ) : cutOff ? (
          <Button size="sm" icon={SearchCheck} busy={busy} isDisabled={running} onPress={() => void settle(last.id)}>
            Find out how it ended
          </Button>
        ) : change.lacks === undefined && (last === undefined || last.phase !== 'planned') ? (
          <Button
            size="sm"
            icon={FilePen}
            busy={busy}
            isDisabled={running || readOnly !== undefined}
            onPress={() => void plan()}
          >
            Plan the change…
          </Button>
        ) : null}
      </header>
      {readOnly === undefined ? null : <p className="text-sm text-soft">Nothing can be changed here: {readOnly}</p>}
      {error === undefined ? null : <ErrorNote error={error} />}
      {state?.deferred === undefined || staged ? null : state.verdict === 'pass' ? (
        <Note tone="good" title="Done by the hospital">
          {state.deferred.note} The checks were run again and pass.
        </Note>
      ) : (
        <Note tone="warn" title="Left to the hospital">
          {state.deferred.note} When it has been done, run the checks again.
        </Note>
      )}
      <CertificateWait
        item={item}
        enrolment={enrolmentView(changes)}
        deferred={state?.deferred}
        answered={last?.phase === 'planned' && last.step?.do === 'deploy'}
        disabled={running || readOnly !== undefined || last?.phase === 'planned' || cutOff}
        onRenew={() => void plan()}
      />
      {last === undefined ? null : (
        <ChangeDetails
          key={last.id}
          item={item}
          change={last}
          applying={applying}
          onApplying={setApplying}
          replan={() => void (last.undoOf === undefined ? plan() : undo(last.undoOf))}
        />
      )}
    </section>
  );
}

type Details = {
  item: ItemView;
  change: ChangeState;
  applying: boolean;
  onApplying: (applying: boolean) => void;
  replan: () => void;
};

function ChangeDetails({ item, change, applying, onApplying, replan }: Details) {
  return (
    <div className="grid grid-cols-1 gap-3">
      <p className="text-sm">{change.summary}</p>
      <Diff text={change.diff} label={change.undo ? 'Plan of the undo' : 'Plan of the change'} />
      {change.phase === 'planned' ? (
        <ApplyForm item={item} change={change} onApplying={onApplying} replan={replan} />
      ) : null}
      {change.ticket === undefined ? null : (
        <p className="text-xs text-soft">
          Ticket {change.ticket}, approved by {change.approver}
          {change.notBefore === undefined ? '' : `, from ${showTime(change.notBefore)}`}
          {change.notAfter === undefined ? '' : `, until ${showTime(change.notAfter)}`}
        </p>
      )}
      {change.error === undefined ? null : <ErrorNote error={change.error} />}
      {change.phase === 'read-back' ? <ReadBack change={change} /> : null}
      {OPEN.includes(change.phase) && !applying ? (
        <Note tone="warn" title="It is not known how this ended.">
          The session ended, or the answer was lost, while it was being made. Find out how it ended, then undo it or
          plan it again.
        </Note>
      ) : null}
    </div>
  );
}

function ReadBack({ change }: { change: ChangeState }) {
  if (change.asPlanned === true) {
    return (
      <p className="flex items-center gap-2 text-sm text-pass" role="status">
        <CircleCheck aria-hidden className="size-4" /> Read back: as planned. Run the checks again for the verdict.
      </p>
    );
  }
  return (
    <Note tone="bad" title="Read back: not as planned">
      <ul className="list-disc pl-4">
        {(change.differences ?? []).map((difference) => (
          <li key={difference}>{difference}</li>
        ))}
      </ul>
    </Note>
  );
}
