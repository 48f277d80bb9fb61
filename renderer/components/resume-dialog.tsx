import { Play } from 'lucide-react';
import { useState } from 'react';
import type { Outputs } from '../../core/ipc.ts';
import { ok } from '../../core/result.ts';
import { count, showTime } from '../lib/format.ts';
import { resumeSession } from '../store.ts';
import { ActionDialog } from './action-dialog.tsx';
import { TextInput } from './field.tsx';
import { Facts } from './layout.tsx';

/** Goes on with a session. Whoever does so is named: the journal keeps every operator. */
export function ResumeDialog({ row, onClose }: { row: Outputs['session.list'][number]; onClose: () => void }) {
  const [operator, setOperator] = useState(row.operator);
  const name = operator.trim();
  return (
    <ActionDialog
      title={row.site}
      label="Go on"
      icon={Play}
      ready={name !== ''}
      work={async () => {
        const failed = await resumeSession({ session: row.session, operator: name });
        return failed === undefined ? ok(null) : { ok: false, error: failed };
      }}
      onClose={onClose}
    >
      {(act) => (
        <>
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
            onEnter={act}
            maxLength={120}
            help="It stands in the journal beside what you do from now on."
          />
        </>
      )}
    </ActionDialog>
  );
}
