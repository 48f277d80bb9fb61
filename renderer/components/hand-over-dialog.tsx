import { FileKey, Forward } from 'lucide-react';
import { useState } from 'react';
import type { FileRef } from '../../core/ipc.ts';
import { call, putSecret } from '../api.ts';
import { leftSession, useWizard } from '../store.ts';
import { Dialog } from './dialog.tsx';
import { SecretInput } from './field.tsx';
import { FileChoice } from './file-choice.tsx';
import { Note } from './note.tsx';
import { Segments } from './segments.tsx';
import { SignWith } from './sign-with.tsx';

type To = 'passphrase' | 'certificate';
const CHOICES = [
  ['passphrase', 'A passphrase'],
  ['certificate', 'A certificate'],
] as const;
const SHORTEST = 12;

/** Hands the open session over: one encrypted file, signed with the operator's identity. */
export function HandOverDialog({ onClose }: { onClose: () => void }) {
  const site = useWizard((state) => state.snapshot?.site.name ?? '');
  const [to, setTo] = useState<To>('passphrase');
  const [passphrase, setPassphrase] = useState('');
  const [again, setAgain] = useState('');
  const [recipient, setRecipient] = useState<FileRef>();
  const filled = to === 'certificate' ? recipient !== undefined : passphrase.length >= SHORTEST && passphrase === again;

  return (
    <Dialog open wide title={`Hand over: ${site}`} onClose={onClose}>
      <div className="grid gap-4">
        <p className="text-sm text-soft">
          The whole session goes into one encrypted file, for another laptop or the next shift. Here it can then only be
          read. Your identity signs the state in which it leaves.
        </p>
        <SignWith
          label="Hand over…"
          icon={Forward}
          filled={filled}
          fields={(busy) => (
            <>
              <Segments<To> label="It opens with" choices={CHOICES} chosen={to} onChoose={setTo} />
              {to === 'passphrase' ? (
                <>
                  <SecretInput
                    label="Passphrase for the file"
                    value={passphrase}
                    onChange={setPassphrase}
                    disabled={busy}
                    help={`At least ${SHORTEST} characters. Tell it to the next operator by another way than the file.`}
                  />
                  <SecretInput label="The same again" value={again} onChange={setAgain} disabled={busy} />
                </>
              ) : (
                <FileChoice
                  label="Choose the next operator’s certificate…"
                  icon={FileKey}
                  kind="recipient"
                  chosen={recipient}
                  onChoose={setRecipient}
                  disabled={busy}
                />
              )}
            </>
          )}
          work={async (identity, secret) => {
            const typed = passphrase;
            const own = { identity: identity.file.handle, ...secret };
            let receiver: { recipient: string } | { secret: string };
            if (to === 'certificate') receiver = { recipient: recipient?.handle ?? '' };
            else {
              const put = await putSecret(typed);
              if (!put.ok) return put;
              receiver = { secret: put.value };
            }
            const handed = await call('session.handOver', { to: receiver, ...own });
            if (handed.ok && handed.value !== null) {
              setPassphrase('');
              setAgain('');
              onClose();
              await leftSession(handed.value);
            }
            return handed;
          }}
        />
        <Note tone="warn">Nothing more can be recorded on this laptop, until the session comes back the same way.</Note>
      </div>
    </Dialog>
  );
}
