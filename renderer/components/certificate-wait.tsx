import { CalendarSync, FileDown, FileInput, ShieldCheck } from 'lucide-react';
import { useState } from 'react';
import type { ItemView } from '../../core/ipc.ts';
import { type AppError, ok, type Result } from '../../core/result.ts';
import type { ChangeState, ItemState } from '../../core/session/state.ts';
import { call, putSecret } from '../api.ts';
import { showTime } from '../lib/format.ts';
import type { EnrolmentView } from '../lib/enrolment.ts';
import { Button } from './button.tsx';
import { CertificateStages } from './certificate-stages.tsx';
import { SecretInput } from './field.tsx';
import { Fingerprint } from './fingerprint.tsx';
import { Note } from './note.tsx';
import { RefusedAnswer } from './refused-answer.tsx';

type Props = {
  item: ItemView;
  enrolment: EnrolmentView;
  /** That the request went out. */
  deferred: ItemState['deferred'];
  /** The answer is here, and the plan to install it is shown. */
  answered: boolean;
  /** A plan is shown already, or something runs. */
  disabled: boolean;
  onRenew: () => void;
};

/** What lies between the two steps of a certificate: the request goes to the hospital's authority, its answer comes back. */
export function CertificateWait({ item, enrolment, deferred, answered, disabled, onRenew }: Props) {
  const { request, installed } = enrolment;
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<AppError>();
  const [saved, setSaved] = useState<readonly string[]>();
  if (request === undefined) return null;
  // An earlier request may have gone out, too: the note names its change.
  const sent = deferred?.note.includes(`(${request.id})`) === true;

  async function doing<T>(work: Promise<Result<T, AppError>>): Promise<T | undefined> {
    setBusy(true);
    const done = await work;
    setBusy(false);
    setError(done.ok ? undefined : done.error);
    return done.ok ? done.value : undefined;
  }
  async function save(channel: 'certificate.handOff' | 'certificate.anchors'): Promise<void> {
    const files = await doing(call(channel, { key: item.key }));
    if (files) setSaved(files.names);
  }
  return (
    <section
      className="grid grid-cols-1 gap-3 rounded-md border border-line p-3.5"
      aria-label="Certificate"
      data-enrolment
    >
      <CertificateStages done={installed !== undefined ? 3 : answered ? 2 : 1} />
      {installed !== undefined ? null : answered ? (
        <Note tone="good" title="The answer of the hospital's authority is here.">
          It was checked against the request. The plan below installs it, once it is approved.
        </Note>
      ) : (
        <Note title="The request waits for the hospital's authority.">
          {sent ? `${deferred.note} Import what comes back.` : 'Save it, and give it to whoever runs the authority.'}{' '}
          That may take days: the session can be left, and goes on here.
        </Note>
      )}
      <RequestFacts request={request} />
      {error === undefined ? null : <RefusedAnswer error={error} />}
      {saved === undefined ? null : (
        <p className="text-sm" role="status">
          Saved: {saved.join(', ')}.
        </p>
      )}
      {answered ? null : installed === undefined ? (
        <Waiting
          sent={sent}
          disabled={disabled}
          busy={busy}
          onSave={() => void save('certificate.handOff')}
          onImport={(passphrase) => void doing(importFile(item.key, passphrase))}
        />
      ) : (
        <div className="flex flex-wrap items-center gap-2.5">
          <Button size="sm" icon={ShieldCheck} busy={busy} onPress={() => void save('certificate.anchors')}>
            Save the anchor for the other side…
          </Button>
          <Button size="sm" icon={CalendarSync} isDisabled={disabled} busy={busy} onPress={onRenew}>
            Plan the renewal…
          </Button>
        </div>
      )}
    </section>
  );
}

async function importFile(key: string, passphrase: string): Promise<Result<unknown, AppError>> {
  const secret: Result<string | undefined, AppError> = passphrase === '' ? ok(undefined) : await putSecret(passphrase);
  if (!secret.ok) return secret;
  return call('certificate.import', { key, ...(secret.value === undefined ? {} : { passphrase: secret.value }) });
}

function Waiting(props: {
  sent: boolean;
  disabled: boolean;
  busy: boolean;
  onSave: () => void;
  onImport: (passphrase: string) => void;
}) {
  const [passphrase, setPassphrase] = useState('');
  const { sent, disabled, busy, onSave } = props;
  const choose = () => {
    setPassphrase('');
    props.onImport(passphrase);
  };
  return (
    <div className="grid grid-cols-1 gap-3 border-t border-line pt-3">
      <div className="max-w-md">
        <SecretInput
          label="Passphrase of the answer"
          value={passphrase}
          onChange={setPassphrase}
          required={false}
          help="Only where the authority sends a .pfx or .p12"
        />
      </div>
      <div className="flex flex-wrap items-center gap-2.5">
        <Button
          size="sm"
          kind={sent ? 'plain' : 'primary'}
          icon={FileDown}
          busy={busy}
          isDisabled={disabled}
          onPress={onSave}
        >
          Save the request…
        </Button>
        <Button
          size="sm"
          kind={sent ? 'primary' : 'plain'}
          icon={FileInput}
          busy={busy}
          isDisabled={disabled}
          onPress={choose}
        >
          Import what came back…
        </Button>
      </div>
    </div>
  );
}

function RequestFacts({ request }: { request: ChangeState }) {
  const facts = request.request;
  if (facts === undefined) return null;
  const rows: readonly (readonly [string, string])[] = [
    ['Subject', facts.subject ?? ''],
    ['Names', (facts.names ?? []).join(', ')],
    ['Key', `${facts.key ?? ''}, ${request.step?.made === 'here' ? 'made here and locked' : 'made on the device'}`],
    ...(request.notAfter === undefined ? [] : [['Approved until', showTime(request.notAfter)] as const]),
  ];
  return (
    <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 text-sm">
      {rows.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-faint">{name}</dt>
          <dd className="min-w-0 break-words select-text">{value}</dd>
        </div>
      ))}
      <dt className="text-faint">Public key</dt>
      <dd className="min-w-0">
        <Fingerprint hex={facts.publicKeySha256 ?? ''} />
      </dd>
    </dl>
  );
}
