import { Handshake } from 'lucide-react';
import { useState } from 'react';
import type { ItemView } from '../../core/ipc.ts';
import { type AppError, ok, type Result } from '../../core/result.ts';
import type { ChangeState } from '../../core/session/state.ts';
import { call, putSecret } from '../api.ts';
import { useWizard } from '../store.ts';
import { needsOf } from '../lib/enrolment.ts';
import { PracticeBadge } from './badge.tsx';
import { Button } from './button.tsx';
import { SecretInput, TextInput } from './field.tsx';
import { ErrorNote } from './note.tsx';

/** As the engine wants it. */
const MIN_PASSPHRASE = 8;

type Props = {
  item: ItemView;
  change: ChangeState;
  onApplying: (applying: boolean) => void;
  replan: () => void;
};

/** What a write needs: ticket, approver, a window, an account for this change only. Or the plan goes to those who may. */
export function ApplyForm({ item, change, onApplying, replan }: Props) {
  const onDirectory = change.kind.startsWith('directory.');
  const writer = useWizard((wizard) =>
    wizard.snapshot?.site.practice === true && wizard.library.state === 'ready'
      ? wizard.library.value[onDirectory ? 'practiceWriter' : 'practiceDeviceWriter']
      : undefined,
  );
  const [own, setOwn] = useState(false);
  const [ticket, setTicket] = useState('');
  const [approver, setApprover] = useState('');
  const [from, setFrom] = useState('');
  const [until, setUntil] = useState('');
  const [handed, setHanded] = useState<string>();
  const [user, setUser] = useState('');
  const [password, setPassword] = useState('');
  const [passphrase, setPassphrase] = useState('');
  const needs = needsOf(change);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<AppError>();
  const practice = own || !needs.account ? undefined : writer;
  const typesAccount = needs.account && practice === undefined;
  const complete =
    [ticket, approver, ...(typesAccount ? [user, password] : [])].every((value) => value.trim() !== '') &&
    (needs.passphrase === 'none' || passphrase.length >= MIN_PASSPHRASE);
  async function apply(): Promise<void> {
    if (!complete) return;
    const [typed, locks] = [password, passphrase];
    setPassword('');
    setPassphrase('');
    setBusy(true);
    onApplying(true);
    const secret: Result<string | undefined, AppError> = typesAccount ? await putSecret(typed) : ok(practice?.secret);
    const lock: Result<string | undefined, AppError> =
      needs.passphrase === 'none' ? ok(undefined) : await putSecret(locks);
    const applied = !secret.ok
      ? secret
      : !lock.ok
        ? lock
        : await call('change.apply', {
            key: item.key,
            change: change.id,
            ticket: ticket.trim(),
            approver: approver.trim(),
            ...(from === '' ? {} : { notBefore: new Date(from).toISOString() }),
            ...(until === '' ? {} : { notAfter: new Date(until).toISOString() }),
            ...(needs.account ? { user: practice?.user ?? user.trim() } : {}),
            ...(secret.value === undefined ? {} : { secret: secret.value }),
            ...(lock.value === undefined ? {} : { keyPassphrase: lock.value }),
          });
    setBusy(false);
    onApplying(false);
    setError(applied.ok ? undefined : applied.error);
  }
  async function handOver(): Promise<void> {
    setBusy(true);
    const file = await call('change.handOff', { key: item.key, change: change.id });
    setBusy(false);
    setError(file.ok ? undefined : file.error);
    if (file.ok && file.value !== null) setHanded(file.value.name);
  }
  return (
    <div className="grid grid-cols-1 gap-3 rounded-md border border-line bg-sunken p-3.5">
      <div className="grid grid-cols-2 gap-3">
        <TextInput label="Ticket" value={ticket} onChange={setTicket} maxLength={120} placeholder="CHG-10442" />
        <TextInput label="Approved by" value={approver} onChange={setApprover} maxLength={120} />
        <TextInput
          label="Not before"
          type="datetime-local"
          required={false}
          value={from}
          onChange={setFrom}
          help="Time of this computer"
        />
        <TextInput
          label="Not after"
          type="datetime-local"
          required={false}
          value={until}
          onChange={setUntil}
          help="Outside of this window it is refused"
        />
        {typesAccount ? (
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
        {needs.passphrase === 'none' ? null : (
          <SecretInput
            label={needs.passphrase === 'new' ? 'Passphrase for the new key' : 'Passphrase of the key'}
            value={passphrase}
            onChange={setPassphrase}
            help={
              needs.passphrase === 'new'
                ? `At least ${MIN_PASSPHRASE} characters. The key is kept beside the session under this lock only; keep it until the certificate is installed`
                : 'The one that was given when the key was made'
            }
          />
        )}
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
      {handed === undefined ? null : (
        <p className="text-sm" role="status">
          Saved as {handed}. It holds the plan as LDIF and as a PowerShell script, and no password.
        </p>
      )}
      <div className="flex flex-wrap items-center gap-2.5">
        <Button kind="primary" size="sm" isDisabled={!complete} busy={busy} onPress={() => void apply()}>
          {change.undo ? 'Apply the undo' : 'Apply this plan'}
        </Button>
        <Button size="sm" kind="quiet" isDisabled={busy} onPress={replan}>
          Plan again
        </Button>
        <span className="min-w-0 flex-1 text-xs text-faint">The value before is stored first.</span>
        {onDirectory ? (
          <Button size="sm" kind="quiet" icon={Handshake} isDisabled={busy} onPress={() => void handOver()}>
            Hand it to the directory team…
          </Button>
        ) : null}
      </div>
    </div>
  );
}
