import { Play } from 'lucide-react';
import { useState } from 'react';
import type { Outputs } from '../../core/ipc.ts';
import type { AppError } from '../../core/result.ts';
import { count, showTime } from '../lib/format.ts';
import { resumeSession } from '../store.ts';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { TextInput } from './field.tsx';
import { Facts } from './layout.tsx';
import { ErrorNote } from './note.tsx';

/** Goes on with a session. Whoever does so is named: the journal keeps every operator. */
export function ResumeDialog({ row, onClose }: { row: Outputs['session.list'][number]; onClose: () => void }) {
  const [operator, setOperator] = useState(row.operator);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<AppError>();
  async function resume(): Promise<void> {
    if (operator.trim() === '') return;
    setBusy(true);
    const failed = await resumeSession({ session: row.session, operator: operator.trim() });
    setBusy(false);
    setError(failed);
  }
  return (
    <Dialog
      open
      title={row.site}
      onClose={onClose}
      footer={
        <Button
          kind="primary"
          icon={Play}
          busy={busy}
          isDisabled={operator.trim() === ''}
          onPress={() => void resume()}
        >
          Go on
        </Button>
      }
    >
      <div className="grid gap-4">
        <Facts
          rows={[
            ['Guide', row.guide],
            ['Opened', showTime(row.openedAt)],
            ['Recorded', count(row.events, 'entry', 'entries')],
          ]}
        />
        <TextInput
          autoFocus
          label="Your name"
          value={operator}
          onChange={setOperator}
          onEnter={() => void resume()}
          maxLength={120}
          help="It stands in the journal beside what you do from now on."
        />
        {error === undefined ? null : <ErrorNote error={error} />}
      </div>
    </Dialog>
  );
}
