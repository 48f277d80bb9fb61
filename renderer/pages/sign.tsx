import { ArrowRight, CircleCheck, PenLine, Stamp } from 'lucide-react';
import type { ReactNode } from 'react';
import type { SealedView, Snapshot } from '../../core/ipc.ts';
import { summarize } from '../../core/session/summary.ts';
import { call } from '../api.ts';
import { Badge } from '../components/badge.tsx';
import { Button } from '../components/button.tsx';
import { CountersignForm } from '../components/countersign-form.tsx';
import { Fingerprint } from '../components/fingerprint.tsx';
import { Facts, PageFrame } from '../components/layout.tsx';
import { Note } from '../components/note.tsx';
import { SignWith } from '../components/sign-with.tsx';
import { useNow } from '../lib/use-now.ts';
import { SUMMARY_WORDS } from '../lib/words.ts';
import { goTo, useWizard } from '../store.ts';

/** Two signatures: the engineer as executed, the hospital as accepted. Until the second, the bundle is provisional. */
export function SignPage() {
  const snapshot = useWizard((state) => state.snapshot);
  const sealed = useWizard((state) => state.sealed);
  if (snapshot === undefined) return null;
  const countersigned = sealed?.provisional === false;
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
          {sealed?.provisional === true ? (
            <span className="text-sm text-soft">Provisional until the hospital countersigns.</span>
          ) : null}
          <Button
            kind={countersigned ? 'primary' : 'plain'}
            icon={ArrowRight}
            isDisabled={sealed === undefined}
            onPress={() => goTo('done')}
          >
            {sealed?.provisional === true ? 'Leave it provisional' : 'To the bundle'}
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
          state={sealed === undefined ? 'later' : countersigned ? 'done' : 'now'}
          word={countersigned ? 'Countersigned' : undefined}
        >
          {sealed === undefined ? (
            <p className="text-sm text-soft">
              First the bundle is sealed. The hospital may also countersign later, on another computer.
            </p>
          ) : countersigned ? (
            <Signed view={sealed} />
          ) : (
            <Countersign snapshot={snapshot} sealed={sealed} />
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
          <Button size="sm" kind="quiet" onPress={() => useWizard.setState({ sealed: undefined })}>
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
  const waivers = sealed.waivers.map((waiver) => {
    const item = snapshot.items.find(({ key }) => key === waiver.key);
    return item === undefined ? waiver : { ...waiver, title: `${item.control.title}, ${item.target.name}` };
  });
  return (
    <CountersignForm
      bundle={sealed.bundle}
      waivers={waivers}
      onSigned={(view) => useWizard.setState({ sealed: view, bundle: view.bundle })}
    />
  );
}
