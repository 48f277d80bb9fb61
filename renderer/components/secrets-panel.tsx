import { KeyRound } from 'lucide-react';
import { useState } from 'react';
import type { Snapshot } from '../../core/ipc.ts';
import type { AppError } from '../../core/result.ts';
import { call, putSecret } from '../api.ts';
import { refresh } from '../store.ts';
import { Badge } from './badge.tsx';
import { Button } from './button.tsx';
import { SecretInput } from './field.tsx';
import { ErrorNote } from './note.tsx';
import { Check } from 'lucide-react';

/** The passwords that the site names. Each is typed once, handed to main, and the field is emptied. */
export function SecretsPanel({ secrets }: { secrets: Snapshot['secrets'] }) {
  if (secrets.length === 0) return <p className="text-sm text-soft">This site names no password.</p>;
  return (
    <ul className="grid gap-4">
      {secrets.map((secret) => (
        <SecretRow key={secret.name} secret={secret} />
      ))}
    </ul>
  );
}

function SecretRow({ secret }: { secret: Snapshot['secrets'][number] }) {
  const [value, setValue] = useState('');
  const [busy, setBusy] = useState(false);
  const [again, setAgain] = useState(false);
  const [error, setError] = useState<AppError>();

  async function supply(): Promise<void> {
    const typed = value;
    setValue('');
    setBusy(true);
    const handle = await putSecret(typed);
    const result = handle.ok ? await call('secret.supply', { name: secret.name, secret: handle.value }) : handle;
    setBusy(false);
    setError(result.ok ? undefined : result.error);
    if (result.ok) {
      setAgain(false);
      await refresh();
    }
  }

  if (secret.supplied && !again) {
    return (
      <li className="flex items-center gap-3">
        <KeyRound aria-hidden className="size-4 shrink-0 text-faint" />
        <div className="min-w-0 flex-1">
          <p className="text-base font-medium">{secret.purpose}</p>
          <p className="font-mono text-xs text-faint">{secret.name}</p>
        </div>
        <Badge tone="pass" icon={Check}>
          Supplied
        </Badge>
        <Button size="sm" kind="quiet" onPress={() => setAgain(true)}>
          Replace
        </Button>
      </li>
    );
  }
  return (
    <li className="grid gap-2">
      <div className="grid grid-cols-[minmax(0,1fr)_auto] items-end gap-2.5">
        <SecretInput
          label={secret.purpose}
          value={value}
          onChange={setValue}
          disabled={busy}
          onEnter={() => void supply()}
        />
        <Button onPress={() => void supply()} busy={busy} isDisabled={value === ''}>
          Supply
        </Button>
      </div>
      {error === undefined ? null : <ErrorNote error={error} />}
    </li>
  );
}
