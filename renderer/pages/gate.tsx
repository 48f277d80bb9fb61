import { ArrowRight, Eye, Gauge, ListChecks } from 'lucide-react';
import { useState } from 'react';
import type { Input, Snapshot } from '../../core/ipc.ts';
import type { AppError } from '../../core/result.ts';
import type { SessionState } from '../../core/session/state.ts';
import { call } from '../api.ts';
import { Button } from '../components/button.tsx';
import { CopyButton } from '../components/copy.tsx';
import { TextBlock, TextInput } from '../components/field.tsx';
import { Card, Eyebrow, PageFrame } from '../components/layout.tsx';
import { NamesConsent } from '../components/names-consent.tsx';
import { ErrorNote, Note } from '../components/note.tsx';
import { SiteKeyPanel } from '../components/site-key-panel.tsx';
import { SecretsPanel } from '../components/secrets-panel.tsx';
import { count } from '../lib/format.ts';
import { goTo, useWizard } from '../store.ts';

/** The gate: does the guide fit this version? And the preflight: what will the hospital's monitoring see? */
export function GatePage() {
  const snapshot = useWizard((state) => state.snapshot);
  const session = useWizard((state) => state.session);
  const [error, setError] = useState<AppError>();
  const [busy, setBusy] = useState(false);
  if (snapshot === undefined) return null;
  const open = isPassed(session);
  async function accept(): Promise<void> {
    setBusy(true);
    const accepted = await call('preflight.accept', {});
    setBusy(false);
    setError(accepted.ok ? undefined : accepted.error);
    if (accepted.ok) goTo('walk');
  }
  return (
    <PageFrame
      wide
      title="Before anything runs"
      lead="A guide holds for certain versions only, and what Lockstep does will be visible to those who watch the network. Both are recorded."
      footer={
        <>
          <span className="flex-1 text-sm text-soft">
            {open ? null : 'Outside the guide’s range nothing runs without a reason.'}
          </span>
          {session.preflight ? (
            <Button kind="primary" icon={ArrowRight} onPress={() => goTo('walk')}>
              Go to the walk
            </Button>
          ) : (
            <Button kind="primary" icon={ArrowRight} busy={busy} isDisabled={!open} onPress={() => void accept()}>
              Accept and start the walk
            </Button>
          )}
        </>
      }
    >
      <div className="grid grid-cols-2 items-start gap-6">
        <div className="grid min-w-0 gap-4">
          {error === undefined ? null : <ErrorNote error={error} />}
          <Gate snapshot={snapshot} session={session} />
          {snapshot.secrets.some((secret) => !secret.supplied) ? (
            <Card title="Passwords still missing">
              <SecretsPanel secrets={snapshot.secrets} />
            </Card>
          ) : null}
          {snapshot.people?.keyed === false && session.keyId !== undefined ? (
            <SiteKeyPanel people={snapshot.people} />
          ) : null}
          {snapshot.people === undefined || snapshot.people.asking.length === 0 ? null : (
            <NamesConsent asking={snapshot.people.asking} />
          )}
        </div>
        <Visible snapshot={snapshot} />
      </div>
    </PageFrame>
  );
}

function isPassed(session: SessionState): boolean {
  return session.gate !== undefined && (session.gate.inRange || session.gate.overridden);
}

function Gate({ snapshot, session }: { snapshot: Snapshot; session: SessionState }) {
  const { product } = snapshot.guide;
  const { gate } = session;
  const [typed, setTyped] = useState('');
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<AppError>();
  async function check(input: Input<'gate.check'>): Promise<void> {
    setBusy(true);
    const checked = await call('gate.check', input);
    setBusy(false);
    setError(checked.ok ? undefined : checked.error);
  }
  const mayType = !product.observed || gate?.basis === 'unknown' || gate?.basis === 'typed' || error !== undefined;
  return (
    <Card
      title={
        <span className="flex items-center gap-2">
          <Gauge aria-hidden className="size-4 text-faint" /> Product version
        </span>
      }
    >
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

function Visible({ snapshot }: { snapshot: Snapshot }) {
  const groups = visibleByProbe(snapshot);
  const changes = [
    ...new Set(snapshot.items.flatMap((item) => (item.applies ? (item.control.change?.visible ?? []) : []))),
  ];
  const total = groups.reduce((sum, group) => sum + group.sentences.length, 0);
  const text = [
    ...groups.flatMap((group) => [group.title, ...group.sentences.map((sentence) => `  - ${sentence}`)]),
    ...(changes.length === 0 ? [] : ['Only when you apply a change', ...changes.map((sentence) => `  - ${sentence}`)]),
  ].join('\n');
  return (
    <Card
      title={
        <span className="flex items-center gap-2">
          <ListChecks aria-hidden className="size-4 text-faint" /> What the hospital’s monitoring will see
        </span>
      }
      aside={<CopyButton text={text} label="Copy list" />}
    >
      {total === 0 ? (
        <p className="text-sm text-soft">Nothing: no probe of this guide applies here.</p>
      ) : (
        <div className="grid gap-4">
          <p className="text-sm text-soft">
            Tell the security team before you start: {count(total, 'thing')} that could raise an alarm.
          </p>
          {groups.map((group) => (
            <section key={group.title} className="grid gap-1.5">
              <Eyebrow>{group.title}</Eyebrow>
              <ul className="grid list-disc gap-1 pl-4 text-sm marker:text-faint">
                {group.sentences.map((sentence) => (
                  <li key={sentence}>{sentence}</li>
                ))}
              </ul>
            </section>
          ))}
          {changes.length === 0 ? null : (
            <section className="grid gap-1.5 border-t border-line pt-3">
              <Eyebrow>Only when you apply a change</Eyebrow>
              <ul className="grid list-disc gap-1 pl-4 text-sm marker:text-faint">
                {changes.map((sentence) => (
                  <li key={sentence}>{sentence}</li>
                ))}
              </ul>
            </section>
          )}
        </div>
      )}
    </Card>
  );
}

function visibleByProbe(
  snapshot: Snapshot,
): readonly { readonly title: string; readonly sentences: readonly string[] }[] {
  const groups = new Map<string, Set<string>>();
  for (const item of snapshot.items) {
    if (!item.applies) continue;
    for (const check of item.checks) {
      const sentences = groups.get(check.title) ?? new Set<string>();
      for (const sentence of check.visible) sentences.add(sentence);
      groups.set(check.title, sentences);
    }
  }
  return [...groups].flatMap(([title, sentences]) =>
    sentences.size === 0 ? [] : [{ title, sentences: [...sentences] }],
  );
}
