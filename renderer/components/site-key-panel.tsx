import { Check, KeyRound, ShieldPlus } from 'lucide-react';
import { useState } from 'react';
import type { WebCrypto } from '../../core/bundle/host.ts';
import type { PeopleView } from '../../core/ipc.ts';
import { makeSiteKey, SITE_KEY_BYTES } from '../../core/people/site-key.ts';
import type { AppError } from '../../core/result.ts';
import { call, putSecret } from '../api.ts';
import { refresh, useWizard } from '../store.ts';
import { Badge } from './badge.tsx';
import { Button } from './button.tsx';
import { CopyButton } from './copy.tsx';
import { SecretInput } from './field.tsx';
import { Card } from './layout.tsx';
import { ErrorNote, Note } from './note.tsx';

/** The hospital's site key: typed, or made here and shown this once. Without it people are only counted. */
export function SiteKeyPanel({ people }: { people: PeopleView }) {
  const keyId = useWizard((state) => state.session.keyId);
  const [typed, setTyped] = useState('');
  const [made, setMade] = useState<{ text: string; id: string }>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<AppError>();

  async function use(text: string): Promise<void> {
    setBusy(true);
    const handle = await putSecret(text);
    const result = handle.ok ? await call('people.key', { secret: handle.value }) : handle;
    setBusy(false);
    setError(result.ok ? undefined : result.error);
    if (!result.ok) return;
    setMade(undefined);
    await refresh();
  }
  async function supply(): Promise<void> {
    const text = typed.trim();
    if (text === '') return;
    setTyped('');
    await use(text);
  }
  async function make(): Promise<void> {
    const { key, text } = await makeSiteKey(
      globalThis.crypto.getRandomValues(new Uint8Array(SITE_KEY_BYTES)),
      globalThis.crypto as WebCrypto,
    );
    setError(undefined);
    setMade({ text, id: key.id });
  }

  return (
    <Card
      icon={KeyRound}
      title="Site key"
      aside={
        people.keyed ? (
          <Badge tone="pass" icon={Check}>
            Supplied
          </Badge>
        ) : undefined
      }
    >
      {people.keyed ? (
        <p className="text-sm text-soft">
          People are recorded as codes under the key <KeyId id={keyId} />. Who does not hold it cannot tell who they
          are.
        </p>
      ) : made === undefined ? (
        <div className="grid gap-4">
          <p className="text-sm text-soft">
            Under the hospital’s site key people are recorded as codes, so that the hospital, and nobody else, can
            compare two bundles. Without it they are only counted.
            {people.expected === undefined ? null : (
              <>
                {' '}
                The site file names the key <KeyId id={people.expected} />.
              </>
            )}
            {keyId === undefined ? null : (
              <>
                {' '}
                This session has people under the key <KeyId id={keyId} />.
              </>
            )}
          </p>
          <div className="grid grid-cols-[minmax(0,1fr)_auto] items-end gap-2.5">
            <SecretInput
              label="Site key, from the hospital’s password vault"
              value={typed}
              onChange={setTyped}
              disabled={busy}
              onEnter={() => void supply()}
            />
            <Button onPress={() => void supply()} busy={busy} isDisabled={typed.trim() === ''}>
              Supply
            </Button>
          </div>
          {error === undefined ? null : <ErrorNote error={error} />}
          {people.expected === undefined && keyId === undefined ? (
            <div>
              <Button kind="quiet" icon={ShieldPlus} onPress={() => void make()}>
                Make a new key
              </Button>
            </div>
          ) : null}
        </div>
      ) : (
        <div className="grid gap-4">
          <Note tone="warn" title="Put it into the hospital’s password vault now.">
            <p className="text-soft">
              Lockstep keeps no copy and shows it this once. Without it the next bundle cannot be compared with this
              one.
            </p>
          </Note>
          <div className="flex flex-wrap items-center gap-2.5 rounded-md border border-line bg-sunken px-3 py-2">
            <code aria-label="New site key" className="min-w-0 flex-1 font-mono text-sm break-all select-text">
              {made.text}
            </code>
            <CopyButton text={made.text} label="Copy key" />
          </div>
          <p className="text-sm text-soft">
            Its id is <KeyId id={made.id} />. Written into the site file as{' '}
            <code className="font-mono text-xs">people: {`{ keyId: ${made.id} }`}</code> it has every other key refused.
          </p>
          {error === undefined ? null : <ErrorNote error={error} />}
          <div className="flex gap-2.5">
            <Button kind="primary" icon={Check} busy={busy} onPress={() => void use(made.text)}>
              It is in the vault: use it
            </Button>
            <Button kind="quiet" onPress={() => setMade(undefined)}>
              Discard it
            </Button>
          </div>
        </div>
      )}
    </Card>
  );
}

function KeyId({ id = '' }: { id?: string }) {
  return <code className="font-mono text-xs text-ink">{id}</code>;
}
