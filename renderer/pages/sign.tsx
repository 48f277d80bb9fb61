import { ArrowRight, CircleCheck, PenLine, Stamp } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import type { IdentityView, SealedView, Snapshot } from '../../core/ipc.ts';
import type { AppError } from '../../core/result.ts';
import { summarize } from '../../core/session/summary.ts';
import { call } from '../api.ts';
import { Badge } from '../components/badge.tsx';
import { Button } from '../components/button.tsx';
import { SecretInput, TextBlock, TextInput } from '../components/field.tsx';
import { Fingerprint } from '../components/fingerprint.tsx';
import { IdentityPicker } from '../components/identity-picker.tsx';
import { Facts, PageFrame } from '../components/layout.tsx';
import { ErrorNote, Note } from '../components/note.tsx';
import { SignWith } from '../components/sign-with.tsx';
import { count, showDate } from '../lib/format.ts';
import { useNow } from '../lib/use-now.ts';
import { withPassphrase } from '../lib/with-passphrase.ts';
import { SUMMARY_WORDS } from '../lib/words.ts';
import { goTo, useWizard } from '../store.ts';

/** Two signatures: the engineer as executed, the hospital as accepted. Until the second, the bundle is provisional. */
export function SignPage() {
  const snapshot = useWizard((state) => state.snapshot);
  const sealed = useWizard((state) => state.sealed);
  const countersigned = useWizard((state) => state.countersigned);
  if (snapshot === undefined) return null;
  const done = countersigned ?? sealed;
  return (
    <PageFrame
      title="Seal and sign"
      lead="The bundle holds the guide, the journal, everything that was seen, and the report. Whoever changes a byte of it later is found out."
      footer={
        <>
          <Button kind="quiet" onPress={() => goTo('review')}>
            Back to the review
          </Button>
          <span className="flex-1" />
          {sealed !== undefined && countersigned === undefined ? (
            <span className="text-sm text-soft">Provisional until the hospital countersigns.</span>
          ) : null}
          <Button
            kind={countersigned === undefined ? 'plain' : 'primary'}
            icon={ArrowRight}
            isDisabled={done === undefined}
            onPress={() => goTo('done')}
          >
            {countersigned === undefined && sealed !== undefined ? 'Leave it provisional' : 'To the bundle'}
          </Button>
        </>
      }
    >
      <ol className="grid gap-5">
        <Stage
          number={1}
          icon={PenLine}
          title="You sign what was done"
          state={sealed === undefined ? 'now' : 'done'}
          word={sealed === undefined ? undefined : 'Signed'}
        >
          {sealed === undefined ? <Seal snapshot={snapshot} /> : <Signed view={sealed} again />}
        </Stage>
        <Stage
          number={2}
          icon={Stamp}
          title="The hospital countersigns what it accepts"
          state={sealed === undefined ? 'later' : countersigned === undefined ? 'now' : 'done'}
          word={countersigned === undefined ? undefined : 'Countersigned'}
        >
          {sealed === undefined ? (
            <p className="text-sm text-soft">
              First the bundle is sealed. The hospital may also countersign later, on another computer.
            </p>
          ) : countersigned === undefined ? (
            <Countersign snapshot={snapshot} sealed={sealed} />
          ) : (
            <Signed view={countersigned} />
          )}
        </Stage>
      </ol>
    </PageFrame>
  );
}

function Stage({
  number,
  icon: Icon,
  title,
  state,
  word,
  children,
}: {
  number: number;
  icon: typeof PenLine;
  title: string;
  state: 'now' | 'later' | 'done';
  word?: string;
  children: ReactNode;
}) {
  return (
    <li
      className={`rounded-lg border bg-surface shadow-card ${state === 'now' ? 'border-edge/70' : 'border-line'}`}
      aria-current={state === 'now' ? 'step' : undefined}
    >
      <header className="flex items-center gap-3 border-b border-line px-5 py-3">
        <Icon aria-hidden className={`size-4.5 ${state === 'now' ? 'text-link' : 'text-faint'}`} />
        <h2 className={`flex-1 text-lg font-semibold ${state === 'later' ? 'text-faint' : ''}`}>
          <span className="sr-only">Signature {number}: </span>
          {title}
        </h2>
        {state === 'done' ? (
          <Badge icon={CircleCheck} tone="pass">
            {word}
          </Badge>
        ) : null}
      </header>
      <div className="p-5">{children}</div>
    </li>
  );
}

function Signed({ view, again = false }: { view: SealedView; again?: boolean }) {
  return (
    <div className="grid gap-3">
      <Facts
        rows={[
          [
            'Bundle',
            <span key="n" className="font-medium">
              {view.bundle.name}
            </span>,
          ],
          ['SHA-256', <Fingerprint key="f" hex={view.sha256} />],
        ]}
      />
      {view.provisional ? <Note tone="warn" title="Provisional: one signature is missing." /> : null}
      {again ? (
        <div>
          <Button
            size="sm"
            kind="quiet"
            onPress={() => useWizard.setState({ sealed: undefined, countersigned: undefined })}
          >
            Seal again, with what was recorded since
          </Button>
        </div>
      ) : null}
    </div>
  );
}

function Seal({ snapshot }: { snapshot: Snapshot }) {
  const session = useWizard((state) => state.session);
  const summary = summarize(snapshot.items, session, useNow());
  return (
    <div className="grid grid-cols-[minmax(0,1fr)_260px] gap-8">
      <SignWith
        label="Seal and sign"
        icon={PenLine}
        work={async (identity, secret) => {
          const sealed = await call('bundle.seal', { identity: identity.file.handle, ...secret });
          if (sealed.ok) useWizard.setState({ sealed: sealed.value, bundle: sealed.value.bundle });
          return sealed;
        }}
      />
      <div className="grid content-start gap-2 border-l border-line pl-6 text-sm">
        <p className="text-xs text-faint">It will say</p>
        <p className="text-lg font-semibold">{SUMMARY_WORDS[summary.word].word}</p>
        <p className="text-soft">
          {summary.counts.pass} pass, {summary.counts.fail} fail, {summary.counts.error} error,{' '}
          {summary.counts['not-reviewed']} not reviewed, {summary.counts['not-applicable']} not applicable.
        </p>
        <p className="text-soft">Afterwards the session can be sealed again; this bundle stays as it is.</p>
      </div>
    </div>
  );
}

function Countersign({ snapshot, sealed }: { snapshot: Snapshot; sealed: SealedView }) {
  const session = useWizard((state) => state.session);
  const [identity, setIdentity] = useState<IdentityView>();
  const [passphrase, setPassphrase] = useState('');
  const [role, setRole] = useState('');
  const [remark, setRemark] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<AppError>();
  const waivers = snapshot.items.flatMap((item) => {
    const waiver = session.items[item.key]?.waiver;
    return waiver === undefined ? [] : [{ item, waiver }];
  });
  const ready = identity !== undefined && role.trim() !== '' && (!identity.needsPassphrase || passphrase !== '');
  async function sign(): Promise<void> {
    if (identity === undefined || !ready) return;
    const typed = passphrase;
    setPassphrase('');
    setBusy(true);
    const signed = await withPassphrase(identity, typed, (secret) =>
      call('bundle.countersign', {
        bundle: sealed.bundle.handle,
        identity: identity.file.handle,
        role: role.trim(),
        remark: remark.trim(),
        ...secret,
      }),
    );
    setBusy(false);
    setError(signed.ok ? undefined : signed.error);
    if (signed.ok) useWizard.setState({ countersigned: signed.value, bundle: signed.value.bundle });
  }
  return (
    <div className="grid gap-4">
      {waivers.length === 0 ? null : (
        <Note tone="warn" title={`By countersigning the hospital accepts ${count(waivers.length, 'waiver')}.`}>
          <ul className="mt-1 list-disc pl-4">
            {waivers.map(({ item, waiver }) => (
              <li key={item.key}>
                {item.control.title}, {item.target.name}, until {showDate(waiver.until)}: {waiver.reason}
              </li>
            ))}
          </ul>
        </Note>
      )}
      <div className="grid grid-cols-2 gap-8">
        <IdentityPicker role="hospital" chosen={identity} onChoose={setIdentity} disabled={busy} />
        <div className="grid content-start gap-3.5">
          <TextInput
            label="Role of who countersigns"
            value={role}
            onChange={setRole}
            maxLength={120}
            placeholder="Head of clinical IT"
            disabled={busy}
          />
          <TextBlock
            label="Remark"
            value={remark}
            onChange={setRemark}
            required={false}
            maxLength={4000}
            rows={2}
            disabled={busy}
          />
          {identity?.needsPassphrase === true ? (
            <SecretInput
              label="Passphrase of the identity"
              value={passphrase}
              onChange={setPassphrase}
              onEnter={() => void sign()}
              disabled={busy}
            />
          ) : null}
        </div>
      </div>
      {error === undefined ? null : <ErrorNote error={error} />}
      <div>
        <Button kind="primary" icon={Stamp} busy={busy} isDisabled={!ready} onPress={() => void sign()}>
          Countersign
        </Button>
      </div>
    </div>
  );
}
