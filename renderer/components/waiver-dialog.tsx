import { useState } from 'react';
import { call } from '../api.ts';
import type { Row } from '../lib/items.ts';
import { useNow } from '../lib/use-now.ts';
import { ActionDialog } from './action-dialog.tsx';
import { TextBlock, TextInput } from './field.tsx';

const DAY = 86_400_000;
const USUAL_DAYS = 90;

/** A request that the hospital accepts by countersigning; it stands beside the fail and never replaces it. */
export function WaiverDialog({ row, onClose }: { row: Row; onClose: () => void }) {
  const [reason, setReason] = useState('');
  const [compensating, setCompensating] = useState('');
  const [until, setUntil] = useState(() => new Date(Date.now() + USUAL_DAYS * DAY).toISOString().slice(0, 10));
  const now = useNow();
  const end = Date.parse(`${until}T23:59:59.000Z`);
  const inFuture = !Number.isNaN(end) && end > now.getTime();
  const complete = reason.trim() !== '' && compensating.trim() !== '' && inFuture;
  async function request() {
    const asked = await call('walk.waive', {
      key: row.item.key,
      reason: reason.trim(),
      compensating: compensating.trim(),
      until: new Date(end).toISOString(),
    });
    if (asked.ok) onClose();
    return asked;
  }
  return (
    <ActionDialog
      title="Request a waiver"
      leave="Not now"
      label="Request it"
      ready={complete}
      work={request}
      onClose={onClose}
    >
      {() => (
        <>
          <p className="text-sm text-soft text-pretty">
            “{row.item.control.title}” still fails for {row.item.target.name}. The waiver stands beside the fail, and
            counts only once the hospital countersigns it.
          </p>
          <TextBlock autoFocus label="Why it cannot be met now" value={reason} onChange={setReason} maxLength={2000} />
          <TextBlock label="What protects meanwhile" value={compensating} onChange={setCompensating} maxLength={2000} />
          <TextInput
            label="Until"
            type="date"
            value={until}
            onChange={setUntil}
            help={inFuture ? 'To the end of that day, UTC' : 'Choose a day to come'}
          />
        </>
      )}
    </ActionDialog>
  );
}
