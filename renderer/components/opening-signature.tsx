import { CircleCheck, PenLine } from 'lucide-react';
import { useState } from 'react';
import type { IdentityView } from '../../core/ipc.ts';
import type { AppError } from '../../core/result.ts';
import { call } from '../api.ts';
import { withPassphrase } from '../lib/with-passphrase.ts';
import { useWizard } from '../store.ts';
import { Badge } from './badge.tsx';
import { Button } from './button.tsx';
import { SecretInput } from './field.tsx';
import { IdentityPicker } from './identity-picker.tsx';
import { Card } from './layout.tsx';
import { ErrorNote } from './note.tsx';

/** The operator's signature on the journal as it opens; it may be left out, and then the bundle says so. */
export function OpeningSignature() {
  const signed = useWizard((state) => state.session.heads.some((head) => head.at === 'open'));
  const [identity, setIdentity] = useState<IdentityView>();
  const [passphrase, setPassphrase] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<AppError>();
  const ready = identity !== undefined && (!identity.needsPassphrase || passphrase !== '');
  async function sign(): Promise<void> {
    if (identity === undefined || !ready) return;
    const typed = passphrase;
    setPassphrase('');
    setBusy(true);
    const result = await withPassphrase(identity, typed, (secret) =>
      call('identity.signOpening', { identity: identity.file.handle, ...secret }),
    );
    setBusy(false);
    setError(result.ok ? undefined : result.error);
  }
  return (
    <Card
      title={
        <span className="flex items-center gap-2">
          <PenLine aria-hidden className="size-4 text-faint" /> Your signature on the opening
        </span>
      }
      aside={
        signed ? (
          <Badge icon={CircleCheck} tone="pass">
            Signed
          </Badge>
        ) : undefined
      }
    >
      {signed ? (
        <p className="text-sm text-soft">The journal is signed as it opened. You sign it again when it is sealed.</p>
      ) : (
        <div className="grid grid-cols-1 gap-4">
          <p className="text-sm text-soft">
            It shows later that the session was begun by you, with this guide and this site. You can leave it out; the
            bundle then says so.
          </p>
          <IdentityPicker role="engineer" chosen={identity} onChoose={setIdentity} disabled={busy} />
          {identity?.needsPassphrase === true ? (
            <SecretInput
              label="Passphrase of the identity"
              value={passphrase}
              onChange={setPassphrase}
              onEnter={() => void sign()}
              disabled={busy}
            />
          ) : null}
          {error === undefined ? null : <ErrorNote error={error} />}
          <div>
            <Button icon={PenLine} busy={busy} isDisabled={!ready} onPress={() => void sign()}>
              Sign the opening
            </Button>
          </div>
        </div>
      )}
    </Card>
  );
}
