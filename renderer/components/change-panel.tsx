import { CircleCheck, FilePen, Undo2 } from 'lucide-react';
import { useState } from 'react';
import type { ItemView } from '../../core/ipc.ts';
import { type AppError, ok } from '../../core/result.ts';
import type { ChangeState, ItemState } from '../../core/session/state.ts';
import { call, putSecret } from '../api.ts';
import { useWizard } from '../store.ts';
import { Badge, PracticeBadge } from './badge.tsx';
import { Button } from './button.tsx';
import { Diff } from './diff.tsx';
import { SecretInput, TextInput } from './field.tsx';
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

/** A change that the guide offers: its plan as a diff, who approved it, the write, what was read back, its undo. */
export function ChangePanel({ item, state }: { item: ItemView; state: ItemState | undefined }) {
  const readOnly = useWizard((wizard) => wizard.snapshot?.readOnly);
  const running = useWizard((wizard) => wizard.running);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<AppError>();
  const { change } = item.control;
  if (change === undefined) return null;
  const changes = state?.changes ?? [];
  const last = changes.at(-1);
  const canUndo = last !== undefined && !last.undo && (last.phase === 'read-back' || last.phase === 'applied');

  async function plan(): Promise<void> {
    setBusy(true);
    const planned = await call('change.plan', { key: item.key });
    setBusy(false);
    setError(planned.ok ? undefined : planned.error);
  }
  async function undo(id: string): Promise<void> {
    setBusy(true);
    const planned = await call('change.undo', { key: item.key, change: id });
    setBusy(false);
    setError(planned.ok ? undefined : planned.error);
  }

  return (
    <section
      className="grid grid-cols-1 gap-3 px-4 py-3"
      data-change
      aria-label={`${change.title}: ${item.target.name}`}
    >
      <header className="flex items-center gap-2">
        <FilePen aria-hidden className="size-4 text-faint" />
        <h4 className="min-w-0 flex-1 text-sm font-medium">
          {change.title}
          <span className="block text-xs font-normal text-faint">
            Lockstep can do this for you. Needs: {change.rights}.
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
        ) : last === undefined || last.phase !== 'planned' ? (
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
      {last === undefined ? null : (
        <ChangeDetails
          key={last.id}
          item={item}
          change={last}
          replan={() => void (last.undoOf === undefined ? plan() : undo(last.undoOf))}
        />
      )}
    </section>
  );
}

function ChangeDetails({ item, change, replan }: { item: ItemView; change: ChangeState; replan: () => void }) {
  return (
    <div className="grid grid-cols-1 gap-3">
      <p className="text-sm">{change.summary}</p>
      <Diff text={change.diff} label={change.undo ? 'Plan of the undo' : 'Plan of the change'} />
      {change.phase === 'planned' ? <ApplyForm item={item} change={change} replan={replan} /> : null}
      {change.ticket === undefined ? null : (
        <p className="text-xs text-soft">
          Ticket {change.ticket}, approved by {change.approver}
        </p>
      )}
      {change.error === undefined ? null : <ErrorNote error={change.error} />}
      {change.phase === 'read-back' ? <ReadBack change={change} /> : null}
      {change.phase === 'started' || change.phase === 'applied' ? (
        <Note tone="warn" title="It is not known how this ended.">
          The value before is stored. Run the checks again to see what the directory holds now.
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

function ApplyForm({ item, change, replan }: { item: ItemView; change: ChangeState; replan: () => void }) {
  const writer = useWizard((wizard) =>
    wizard.snapshot?.site.practice === true && wizard.library.state === 'ready'
      ? wizard.library.value.practiceWriter
      : undefined,
  );
  const [own, setOwn] = useState(false);
  const [ticket, setTicket] = useState('');
  const [approver, setApprover] = useState('');
  const [user, setUser] = useState('');
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<AppError>();
  const practice = own ? undefined : writer;
  const complete = [ticket, approver, ...(practice === undefined ? [user, password] : [])].every(
    (value) => value.trim() !== '',
  );
  async function apply(): Promise<void> {
    if (!complete) return;
    const typed = password;
    setPassword('');
    setBusy(true);
    const secret = practice === undefined ? await putSecret(typed) : ok(practice.secret);
    const applied = secret.ok
      ? await call('change.apply', {
          key: item.key,
          change: change.id,
          ticket: ticket.trim(),
          approver: approver.trim(),
          user: practice?.user ?? user.trim(),
          secret: secret.value,
        })
      : secret;
    setBusy(false);
    setError(applied.ok ? undefined : applied.error);
  }
  return (
    <div className="grid grid-cols-1 gap-3 rounded-md border border-line bg-sunken p-3.5">
      <div className="grid grid-cols-2 gap-3">
        <TextInput label="Ticket" value={ticket} onChange={setTicket} maxLength={120} placeholder="CHG-10442" />
        <TextInput label="Approved by" value={approver} onChange={setApprover} maxLength={120} />
        {practice === undefined ? (
          <>
            <TextInput
              label="Write account"
              value={user}
              onChange={setUser}
              maxLength={256}
              help="Used for this change only"
            />
            <SecretInput
              label="Its password"
              value={password}
              onChange={setPassword}
              help="Asked each time, dropped at once"
              onEnter={() => void apply()}
            />
          </>
        ) : null}
      </div>
      {practice === undefined ? null : (
        <p className="flex flex-wrap items-center gap-2 text-sm">
          <PracticeBadge /> Written as <span className="font-mono text-xs">{practice.user}</span>, whose password the
          practice hospital knows.
          <Button size="sm" kind="quiet" onPress={() => setOwn(true)}>
            Use another account
          </Button>
        </p>
      )}
      {(item.control.change?.visible ?? []).map((sentence) => (
        <p key={sentence} className="text-xs text-soft">
          Visible to monitoring: {sentence}
        </p>
      ))}
      {error === undefined ? null : <ErrorNote error={error} />}
      <div className="flex items-center gap-2.5">
        <Button kind="primary" size="sm" isDisabled={!complete} busy={busy} onPress={() => void apply()}>
          {change.undo ? 'Apply the undo' : 'Apply this plan'}
        </Button>
        <Button size="sm" kind="quiet" isDisabled={busy} onPress={replan}>
          Plan again
        </Button>
        <span className="text-xs text-faint">The value before is stored first.</span>
      </div>
    </div>
  );
}
