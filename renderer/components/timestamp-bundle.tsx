import { Clock, Download, Plus } from 'lucide-react';
import { useState } from 'react';
import type { FileRef, TimestampView } from '../../core/ipc.ts';
import { call } from '../api.ts';
import { showTime } from '../lib/format.ts';
import { useTask } from '../lib/use-task.ts';
import { Button } from './button.tsx';
import { TextInput } from './field.tsx';
import { Card } from './layout.tsx';
import { ErrorNote, Note } from './note.tsx';

/** Adds an RFC 3161 time-stamp: over the network, or by two files where there is none. */
export function TimestampBundle({ bundle, onStamped }: { bundle: FileRef; onStamped: (stamp: TimestampView) => void }) {
  const [authority, setAuthority] = useState('');
  const [stamp, setStamp] = useState<TimestampView>();
  const [query, setQuery] = useState<string>();
  const { busy, error, run } = useTask<'ask' | 'query' | 'answer'>();
  const took = (value: TimestampView | null) => {
    if (value === null) return;
    setStamp(value);
    onStamped(value);
  };
  const ask = () =>
    run('ask', async () => {
      const asked = await call('timestamp.ask', { bundle: bundle.handle, authority: authority.trim() });
      if (asked.ok) took(asked.value);
      return asked;
    });
  const write = () =>
    run('query', async () => {
      const written = await call('timestamp.query', { bundle: bundle.handle });
      if (written.ok && written.value !== null) setQuery(written.value.name);
      return written;
    });
  const add = () =>
    run('answer', async () => {
      const added = await call('timestamp.answer', { bundle: bundle.handle });
      if (added.ok) took(added.value);
      return added;
    });
  return (
    <Card icon={Clock} title="Time-stamp">
      <div className="grid grid-cols-1 gap-3.5">
        <p className="text-sm text-soft">
          An authority confirms that the bundle, with its signatures, existed at a time. It sees a digest, nothing else.
        </p>
        <TextInput
          label="Address of the authority"
          value={authority}
          onChange={setAuthority}
          onEnter={() => {
            if (authority.trim() !== '') void ask();
          }}
          maxLength={2000}
          placeholder="https://tsa.example.org"
          disabled={busy !== undefined}
        />
        <div>
          <Button
            size="sm"
            icon={Clock}
            busy={busy === 'ask'}
            isDisabled={busy !== undefined || authority.trim() === ''}
            onPress={() => void ask()}
          >
            Ask for a time-stamp
          </Button>
        </div>
        <p className="text-sm text-soft">Without a network, send a query by other means and add what comes back.</p>
        <div className="flex flex-wrap gap-2.5">
          <Button
            size="sm"
            icon={Download}
            busy={busy === 'query'}
            isDisabled={busy !== undefined}
            onPress={() => void write()}
          >
            Save the query…
          </Button>
          <Button
            size="sm"
            icon={Plus}
            busy={busy === 'answer'}
            isDisabled={busy !== undefined}
            onPress={() => void add()}
          >
            Add the answer…
          </Button>
        </div>
        <div role="status" className="empty:hidden">
          {stamp !== undefined ? (
            <Note tone="good" title={`Stamped ${showTime(stamp.time)}`}>
              by {stamp.authority}. Nothing that was in the bundle before has moved.
            </Note>
          ) : query !== undefined ? (
            <Note title={`${query} is written.`}>Add nothing to the bundle until its answer is here.</Note>
          ) : null}
        </div>
        {error === undefined ? null : <ErrorNote error={error} />}
      </div>
    </Card>
  );
}
