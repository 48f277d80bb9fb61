import { useCallback, useEffect, useState } from 'react';
import type { TrustedView } from '../../core/ipc.ts';
import type { AppError } from '../../core/result.ts';
import { call } from '../api.ts';
import { showDate } from '../lib/format.ts';
import { Button } from './button.tsx';
import { Fingerprint } from './fingerprint.tsx';
import { Card } from './layout.tsx';
import { ErrorNote } from './note.tsx';

const ROLES = { engineer: 'Engineer', hospital: 'Hospital', publisher: 'Publisher', timestamp: 'Time-stamps' } as const;

/** Whom this computer trusts in which role, each of which can be taken back. `version` changes when it is to be read again. */
export function TrustList({ version, onChanged }: { version: unknown; onChanged: () => void }) {
  const [trusted, setTrusted] = useState<readonly TrustedView[]>();
  const [error, setError] = useState<AppError>();
  const load = useCallback(async () => {
    const listed = await call('trust.list', {});
    if (listed.ok) setTrusted(listed.value);
    else setError(listed.error);
  }, []);
  useEffect(() => {
    void load();
  }, [load, version]);
  async function remove({ role, sha256 }: TrustedView): Promise<void> {
    const removed = await call('trust.remove', { role, sha256 });
    setError(removed.ok ? undefined : removed.error);
    await load();
    onChanged();
  }
  return (
    <Card title="Whom you trust here">
      <div className="grid gap-3 text-sm">
        {trusted?.length === 0 ? (
          <p className="text-soft">
            Nobody yet. Add roots with File › Trust, or trust a signer when you open a bundle of theirs.
          </p>
        ) : null}
        <ul className="grid gap-3">
          {trusted?.map((each) => (
            <li key={`${each.role}-${each.sha256}`} className="flex items-start gap-3">
              <div className="min-w-0 flex-1">
                <p className="text-xs text-faint">
                  {ROLES[each.role]}, {each.kind === 'root' ? 'and all whom it certifies' : 'this signer alone'}, until{' '}
                  {showDate(each.notAfter)}
                </p>
                <p className="font-medium break-words">{each.subject}</p>
                <Fingerprint hex={each.sha256} />
              </div>
              <Button
                size="sm"
                aria-label={`Trust ${each.subject} no more as ${ROLES[each.role]}`}
                onPress={() => void remove(each)}
              >
                Trust no more
              </Button>
            </li>
          ))}
        </ul>
        {error === undefined ? null : <ErrorNote error={error} />}
      </div>
    </Card>
  );
}
