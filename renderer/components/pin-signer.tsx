import { BadgeCheck } from 'lucide-react';
import { useState } from 'react';
import type { FileRef, VerifyView } from '../../core/ipc.ts';
import type { AppError } from '../../core/result.ts';
import { call } from '../api.ts';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { Fingerprint } from './fingerprint.tsx';
import { Facts } from './layout.tsx';
import { ErrorNote } from './note.tsx';

type Signer = VerifyView['signers'][number];

/** Trusts a signer whom nobody vouches for here yet, from this bundle on and in this role alone, after a clear yes. */
export function PinSigner({ bundle, signer, onPinned }: { bundle: FileRef; signer: Signer; onPinned: () => void }) {
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<AppError>();
  const { sha256, trusted, role, subject } = signer;
  if (sha256 === undefined || trusted !== false) return null;
  async function pin(certificate: string): Promise<void> {
    setBusy(true);
    const pinned = await call('trust.pin', { bundle: bundle.handle, sha256: certificate });
    setBusy(false);
    if (!pinned.ok) {
      setError(pinned.error);
      return;
    }
    setAsking(false);
    onPinned();
  }
  return (
    <div className="mt-1.5">
      <Button size="sm" icon={BadgeCheck} onPress={() => setAsking(true)}>
        Trust this signer…
      </Button>
      <Dialog
        open={asking}
        onClose={() => setAsking(false)}
        title={`Trust this signer as ${role}?`}
        footer={
          <>
            <Button onPress={() => setAsking(false)}>Not now</Button>
            <Button kind="primary" busy={busy} onPress={() => void pin(sha256)}>
              Trust from now on
            </Button>
          </>
        }
      >
        <div className="grid gap-3 text-sm">
          <p className="text-soft text-pretty">
            Nobody whom you trust vouches for this certificate. Compare its fingerprint with what its owner tells you by
            another way, never with what came beside the bundle. Only this one certificate is trusted, and only as{' '}
            {role}; you can take it back below.
          </p>
          <Facts
            rows={[
              [
                'Signer',
                <span key="s" className="break-words">
                  {subject}
                </span>,
              ],
              ['SHA-256', <Fingerprint key="f" hex={sha256} />],
            ]}
          />
          {error === undefined ? null : <ErrorNote error={error} />}
        </div>
      </Dialog>
    </div>
  );
}
