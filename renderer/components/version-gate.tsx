import { Eye, Gauge } from 'lucide-react';
import { useState } from 'react';
import type { Input, Snapshot } from '../../core/ipc.ts';
import type { SessionState } from '../../core/session/state.ts';
import { call } from '../api.ts';
import { useTask } from '../lib/use-task.ts';
import { Button } from './button.tsx';
import { TextBlock, TextInput } from './field.tsx';
import { Card } from './layout.tsx';
import { ErrorNote, Note } from './note.tsx';

/** Whether the guide fits the product's version, as read from the device or typed; outside its range, the reason to go on. */
export function VersionGate({ snapshot, session }: { snapshot: Snapshot; session: SessionState }) {
  const { product } = snapshot.guide;
  const { gate } = session;
  const [typed, setTyped] = useState('');
  const [reason, setReason] = useState('');
  const task = useTask<'check'>();
  const { error } = task;
  const busy = task.busy !== undefined;
  const check = (input: Input<'gate.check'>) => task.run('check', () => call('gate.check', input));
  const mayType = !product.observed || gate?.basis === 'unknown' || gate?.basis === 'typed' || error !== undefined;
  return (
    <Card icon={Gauge} title="Product version">
      <div className="grid gap-4">
        <div className="grid grid-cols-2 overflow-hidden rounded-md border border-line">
          <Figure label="The guide is for" value={product.versions} detail={`${product.vendor} ${product.name}`} />
          <Figure
            label={gate?.basis === 'typed' ? 'You typed' : 'The device says'}
            value={gate?.version ?? (gate === undefined ? 'Not read yet' : 'Unknown')}
            detail={
              gate?.basis === 'observed'
                ? 'Read from the device'
                : gate?.basis === 'typed'
                  ? 'Not observed: the bundle says so'
                  : ' '
            }
            quiet={gate?.version === undefined}
          />
        </div>
        <GateResult session={session} />
        {error === undefined ? null : <ErrorNote error={error} />}
        {product.observed ? (
          <div>
            <Button icon={Eye} busy={busy} onPress={() => void check({})}>
              {gate === undefined ? 'Read the version from the device' : 'Read it again'}
            </Button>
          </div>
        ) : null}
        {mayType ? (
          <div className="grid grid-cols-[minmax(0,1fr)_auto] items-end gap-2.5">
            <TextInput
              label="Version, as the device shows it"
              value={typed}
              onChange={setTyped}
              maxLength={60}
              placeholder="3.3.1"
              onEnter={() => void check({ typed: typed.trim() })}
            />
            <Button isDisabled={typed.trim() === ''} busy={busy} onPress={() => void check({ typed: typed.trim() })}>
              Check
            </Button>
          </div>
        ) : null}
        {gate !== undefined && !gate.inRange && !gate.overridden ? (
          <div className="grid gap-2.5 border-t border-line pt-4">
            <TextBlock
              label="Reason to go on all the same"
              value={reason}
              onChange={setReason}
              maxLength={500}
              help="It is recorded with your name and stands in the bundle."
            />
            <div>
              <Button
                kind="danger"
                isDisabled={reason.trim() === ''}
                busy={busy}
                onPress={() =>
                  void check({
                    overrideReason: reason.trim(),
                    ...(gate.basis === 'typed' && gate.version !== undefined ? { typed: gate.version } : {}),
                  })
                }
              >
                Go on outside the range
              </Button>
            </div>
          </div>
        ) : null}
      </div>
    </Card>
  );
}

function Figure({
  label,
  value,
  detail,
  quiet = false,
}: {
  label: string;
  value: string;
  detail: string;
  quiet?: boolean;
}) {
  return (
    <div className="border-l border-line bg-sunken px-3.5 py-2.5 first:border-l-0">
      <p className="text-xs text-faint">{label}</p>
      <p className={`mt-0.5 text-lg font-semibold tabular-nums ${quiet ? 'text-faint' : ''}`}>{value}</p>
      <p className="truncate text-xs whitespace-pre text-soft">{detail}</p>
    </div>
  );
}

function GateResult({ session }: { session: SessionState }) {
  const { gate } = session;
  if (gate === undefined) return null;
  if (gate.inRange) return <Note tone="good" title="In range: the guide fits this version." />;
  if (gate.overridden) {
    return (
      <Note tone="warn" title="Outside the range, and you go on.">
        <p className="text-soft">Reason: {gate.reason}</p>
      </Note>
    );
  }
  return (
    <Note
      tone="bad"
      title={
        gate.version === undefined ? 'The version could not be read.' : 'This version is outside the guide’s range.'
      }
    >
      {gate.reason === undefined ? null : <p className="text-soft">{gate.reason}</p>}
    </Note>
  );
}
