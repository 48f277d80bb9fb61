import { UserRound } from 'lucide-react';
import { useState } from 'react';
import type { PeopleView } from '../../core/ipc.ts';
import type { AppError } from '../../core/result.ts';
import { call } from '../api.ts';
import { count } from '../lib/format.ts';
import { useWizard } from '../store.ts';
import { Button } from './button.tsx';
import { Card } from './layout.tsx';
import { ErrorNote, Note } from './note.tsx';

/** Asks whether people may be named, where the guide wants it: for which steps, what is kept, and for how long. */
export function NamesConsent({ asking }: { asking: PeopleView['asking'] }) {
  const agreed = useWizard((state) => state.session.namesAgreed);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<AppError>();
  async function answer(yes: boolean): Promise<void> {
    setBusy(true);
    const recorded = await call('people.names', { agreed: yes });
    setBusy(false);
    setError(recorded.ok ? undefined : recorded.error);
  }
  return (
    <Card icon={UserRound} title="Names of people">
      <div className="grid gap-4">
        <p className="text-sm">
          The guide asks for the account names of people in {count(asking.length, 'step')}. They are written into the
          facts beside each person’s code, and stay in the bundle for as long as the bundle is kept: whoever gets it can
          read them.
        </p>
        <ul className="grid list-disc gap-1 pl-4 text-sm marker:text-faint">
          {asking.map(({ key, title, target }) => (
            <li key={key}>
              {title}, {target}
            </li>
          ))}
        </ul>
        {agreed === undefined ? null : (
          <Note
            tone={agreed ? 'warn' : 'info'}
            title={agreed ? 'You agreed: people are named there.' : 'You did not agree: people appear as codes only.'}
          />
        )}
        {error === undefined ? null : <ErrorNote error={error} />}
        <div className="flex flex-wrap gap-2.5">
          {agreed === true ? null : (
            <Button busy={busy} onPress={() => void answer(true)}>
              Agree to names
            </Button>
          )}
          {agreed === false ? null : (
            <Button kind="quiet" isDisabled={busy} onPress={() => void answer(false)}>
              {agreed === true ? 'Take it back' : 'Codes only'}
            </Button>
          )}
        </div>
      </div>
    </Card>
  );
}
