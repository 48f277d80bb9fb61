import { Lock, Plus, X } from 'lucide-react';
import { useState } from 'react';
import type { FileRef, Outputs } from '../../core/ipc.ts';
import { call } from '../api.ts';
import { useTask } from '../lib/use-task.ts';
import { Button, IconButton } from './button.tsx';
import { Card } from './layout.tsx';
import { ErrorNote, Note } from './note.tsx';

/** Wraps a copy of the bundle for the holders of certificates; stock openssl opens it. */
export function EncryptBundle({ bundle }: { bundle: FileRef }) {
  const [to, setTo] = useState<readonly FileRef[]>([]);
  const [done, setDone] = useState<Outputs['bundle.encrypt']>(null);
  const { busy, error, run } = useTask<'choose' | 'encrypt'>();
  const choose = () =>
    run('choose', async () => {
      const chosen = await call('file.choose', { kind: 'recipient' });
      if (chosen.ok && chosen.value !== null) {
        const file = chosen.value;
        setTo((before) => [...before.filter((known) => known.handle !== file.handle), file]);
      }
      return chosen;
    });
  const encrypt = () =>
    run('encrypt', async () => {
      const written = await call('bundle.encrypt', { bundle: bundle.handle, to: to.map((file) => file.handle) });
      if (written.ok && written.value !== null) setDone(written.value);
      return written;
    });
  return (
    <Card icon={Lock} title="Encrypted copy">
      <div className="grid grid-cols-1 gap-3.5">
        <p className="text-sm text-soft">
          A bundle names people, addresses and weaknesses. Send it encrypted to the certificates of those who read it;
          Lockstep or stock OpenSSL opens it.
        </p>
        {to.length === 0 ? null : (
          <ul className="grid gap-1 text-sm" aria-label="Recipients">
            {to.map((file) => (
              <li key={file.handle} className="flex items-center gap-2">
                <span className="min-w-0 flex-1 truncate font-mono text-xs">{file.name}</span>
                <IconButton
                  label={`Leave out ${file.name}`}
                  icon={X}
                  onPress={() => setTo(to.filter((other) => other.handle !== file.handle))}
                />
              </li>
            ))}
          </ul>
        )}
        <div className="flex flex-wrap gap-2.5">
          <Button size="sm" icon={Plus} isDisabled={busy !== undefined} onPress={() => void choose()}>
            Add a recipient’s certificate…
          </Button>
          <Button
            size="sm"
            icon={Lock}
            busy={busy === 'encrypt'}
            isDisabled={busy !== undefined || to.length === 0}
            onPress={() => void encrypt()}
          >
            Encrypt and save…
          </Button>
        </div>
        <div role="status" className="empty:hidden">
          {done === null ? null : (
            <Note tone="good" title={`Saved as ${done.name}`}>
              for {done.recipients.join(' and ')}
            </Note>
          )}
        </div>
        {error === undefined ? null : <ErrorNote error={error} />}
      </div>
    </Card>
  );
}
