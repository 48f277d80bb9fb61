import { FolderOpen, KeyRound, UserRoundPlus } from 'lucide-react';
import { useState } from 'react';
import type { FileRef } from '../../core/ipc.ts';
import { call, putSecret } from '../api.ts';
import { resumeSession } from '../store.ts';
import { Dialog } from './dialog.tsx';
import { SecretInput, TextInput } from './field.tsx';
import { FileChoice } from './file-choice.tsx';
import { Segments } from './segments.tsx';
import { SignWith } from './sign-with.tsx';

type By = 'passphrase' | 'key';
const CHOICES = [
  ['passphrase', 'A passphrase'],
  ['key', 'My key'],
] as const;

/** Takes a session over that somebody handed over, and goes on with it. */
export function TakeOverDialog({ onClose }: { onClose: () => void }) {
  const [file, setFile] = useState<FileRef>();
  const [by, setBy] = useState<By>('passphrase');
  const [key, setKey] = useState<FileRef>();
  const [secret, setSecret] = useState('');
  const [operator, setOperator] = useState('');
  const opens = by === 'passphrase' ? secret !== '' : key !== undefined;
  const filled = file !== undefined && operator.trim() !== '' && opens;

  return (
    <Dialog open wide title="Take a session over" onClose={onClose}>
      <div className="grid gap-4">
        <p className="text-sm text-soft">
          All of it is checked first: the chain of its journal, every file, and the signature under which it was handed
          over. Your identity signs that you go on from there.
        </p>
        <SignWith
          label="Take over"
          icon={UserRoundPlus}
          filled={filled}
          fields={(busy) => (
            <>
              <FileChoice
                label="Choose the file…"
                icon={FolderOpen}
                kind="session"
                chosen={file}
                onChoose={setFile}
                disabled={busy}
              />
              <TextInput
                label="Your name"
                value={operator}
                onChange={setOperator}
                disabled={busy}
                maxLength={120}
                help="It stands in the journal beside what you do from now on."
              />
              <Segments<By> label="It opens with" choices={CHOICES} chosen={by} onChoose={setBy} />
              {by === 'passphrase' ? null : (
                <FileChoice
                  label="Choose the key…"
                  icon={KeyRound}
                  kind="identity"
                  chosen={key}
                  onChoose={setKey}
                  disabled={busy}
                />
              )}
              <SecretInput
                label={by === 'passphrase' ? 'Passphrase of the file' : 'Passphrase of the key'}
                required={by === 'passphrase'}
                value={secret}
                onChange={setSecret}
                disabled={busy}
              />
            </>
          )}
          work={async (identity, own) => {
            if (file === undefined) return { ok: true, value: null };
            const typed = secret;
            setSecret('');
            const put = typed === '' ? undefined : await putSecret(typed);
            if (put?.ok === false) return put;
            const handle = put === undefined ? {} : { secret: put.value };
            const taken = await call('session.takeOver', {
              file: file.handle,
              opens: by === 'key' ? { key: key?.handle ?? '', ...handle } : { secret: put?.value ?? '' },
              operator: operator.trim(),
              identity: identity.file.handle,
              ...own,
            });
            if (!taken.ok) return taken;
            onClose();
            const failed = await resumeSession({ session: taken.value.session, operator: operator.trim() });
            return failed === undefined ? taken : { ok: false, error: failed };
          }}
        />
      </div>
    </Dialog>
  );
}
