import { FileClock, FolderOpen } from 'lucide-react';
import { useState } from 'react';
import type { AppError } from '../../core/result.ts';
import { call } from '../api.ts';
import { showDate } from '../lib/format.ts';
import { refresh, useWizard } from '../store.ts';
import { Button } from './button.tsx';
import { Card } from './layout.tsx';
import { ErrorNote, Note } from './note.tsx';

/** The bundle that the session is compared with; it may be left out, and then nothing is said about what changed. */
export function BaselinePanel() {
  const session = useWizard((state) => state.session);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<AppError>();
  const { baseline } = session;
  const begun = Object.values(session.items).some(({ verdict }) => verdict !== undefined);

  async function choose(): Promise<void> {
    const chosen = await call('file.choose', { kind: 'bundle' });
    if (!chosen.ok || chosen.value === null) {
      setError(chosen.ok ? undefined : chosen.error);
      return;
    }
    setBusy(true);
    const taken = await call('baseline.choose', { bundle: chosen.value.handle });
    setBusy(false);
    setError(taken.ok ? undefined : taken.error);
    if (taken.ok) await refresh();
  }

  return (
    <Card icon={FileClock} title="Compare with the last bundle">
      <div className="grid gap-4">
        {baseline === undefined ? (
          <p className="text-sm text-soft">
            {begun
              ? 'Nothing is compared: steps of this session were judged already, and a bundle is chosen before the first check.'
              : 'The walk then tells who joined and who left since, and who else can let people in. The bundle is verified first. You can leave it out.'}
          </p>
        ) : (
          <Note
            tone={baseline.provisional ? 'warn' : 'good'}
            title={`Compared with the bundle of ${showDate(baseline.lastAt)}, guide ${baseline.guide}`}
          >
            <p className="text-soft">
              {baseline.provisional
                ? 'The engineer and the hospital have not both signed it; that is said wherever something is compared with it.'
                : 'The engineer and the hospital have signed it, and it is sound.'}
            </p>
            <p className="mt-1 font-mono text-2xs break-all text-faint">SHA-256 {baseline.bundle}</p>
          </Note>
        )}
        {error === undefined ? null : <ErrorNote error={error} />}
        {baseline === undefined && !begun ? (
          <div>
            <Button icon={FolderOpen} busy={busy} onPress={() => void choose()}>
              Choose a bundle…
            </Button>
          </div>
        ) : null}
      </div>
    </Card>
  );
}
