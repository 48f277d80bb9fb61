import type { LucideIcon } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import type { IdentityView } from '../../core/ipc.ts';
import type { AppError, Result } from '../../core/result.ts';
import { withPassphrase } from '../lib/with-passphrase.ts';
import { Button } from './button.tsx';
import { SecretInput } from './field.tsx';
import { IdentityPicker } from './identity-picker.tsx';
import { ErrorNote } from './note.tsx';

/**
 * An identity, its passphrase where it has one, and the button that signs with it.
 * @param fields what else is asked, beside the identities; `filled` says whether it was answered
 */
export function SignWith({
  role = 'engineer',
  label,
  icon,
  kind = 'primary',
  fields,
  filled = true,
  work,
}: {
  role?: 'engineer' | 'hospital' | 'any';
  label: string;
  icon: LucideIcon;
  kind?: 'primary' | 'plain';
  fields?: (busy: boolean) => ReactNode;
  filled?: boolean;
  work: (identity: IdentityView, secret: { passphrase?: string }) => Promise<Result<unknown, AppError>>;
}) {
  const [identity, setIdentity] = useState<IdentityView>();
  const [passphrase, setPassphrase] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<AppError>();
  const ready = filled && identity !== undefined && (!identity.needsPassphrase || passphrase !== '');
  async function sign(): Promise<void> {
    if (identity === undefined || !ready) return;
    const typed = passphrase;
    setPassphrase('');
    setBusy(true);
    const result = await withPassphrase(identity, typed, (secret) => work(identity, secret));
    setBusy(false);
    setError(result.ok ? undefined : result.error);
  }
  const picker = <IdentityPicker role={role} chosen={identity} onChoose={setIdentity} disabled={busy} />;
  const passphraseField =
    identity?.needsPassphrase === true ? (
      <SecretInput
        label="Passphrase of the identity"
        value={passphrase}
        onChange={setPassphrase}
        onEnter={() => void sign()}
        disabled={busy}
      />
    ) : null;
  return (
    <div className="grid grid-cols-1 content-start gap-4">
      {fields === undefined ? (
        <>
          {picker}
          {passphraseField}
        </>
      ) : (
        <div className="grid grid-cols-2 items-start gap-8">
          {picker}
          <div className="grid content-start gap-3.5">
            {fields(busy)}
            {passphraseField}
          </div>
        </div>
      )}
      {error === undefined ? null : <ErrorNote error={error} />}
      <div>
        <Button kind={kind} icon={icon} busy={busy} isDisabled={!ready} onPress={() => void sign()}>
          {label}
        </Button>
      </div>
    </div>
  );
}
