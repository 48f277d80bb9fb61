import { ArrowRight, BadgeCheck } from 'lucide-react';
import { useState } from 'react';
import type { GuideView } from '../../core/ipc.ts';
import type { AppError, Result } from '../../core/result.ts';
import { call } from '../api.ts';
import { showDate } from '../lib/format.ts';
import { OWNER_WORDS } from '../lib/words.ts';
import { chooseGuide } from '../lib/choose.ts';
import { type Chosen, goTo, loadLibrary } from '../store.ts';
import { TRUST, TrustBadge } from './badge.tsx';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { Fingerprint } from './fingerprint.tsx';
import { Eyebrow, Facts } from './layout.tsx';
import { ErrorNote, Note } from './note.tsx';

/** What a guide is, who published it, and whether to trust them. */
export function GuideDialog({
  chosen,
  open,
  onClose,
}: {
  chosen: Chosen<GuideView>;
  open: boolean;
  onClose: () => void;
}) {
  const { view } = chosen;
  return (
    <Dialog
      wide
      title={view.title}
      open={open}
      onClose={onClose}
      footer={
        <Button kind="primary" icon={ArrowRight} onPress={() => goTo('site')}>
          {view.trust === 'trusted' ? 'Use this guide' : 'Use it read-only'}
        </Button>
      }
    >
      <div className="grid gap-5">
        {view.summary === '' ? null : <p className="max-w-[68ch] text-base text-soft text-pretty">{view.summary}</p>}
        <Facts
          rows={[
            ['Product', `${view.product.vendor} ${view.product.name}`],
            [
              'Versions',
              <span key="v" className="font-mono text-xs">
                {view.product.versions}
              </span>,
            ],
            ['Guide', `${view.id}, version ${view.version}, ${view.controls} controls`],
            [
              'Version check',
              view.product.observed
                ? 'Lockstep reads the version from the device'
                : 'You type the version; the record says so',
            ],
          ]}
        />
        <Publisher chosen={chosen} />
        <Inputs inputs={view.inputs} />
      </div>
    </Dialog>
  );
}

function Publisher({ chosen }: { chosen: Chosen<GuideView> }) {
  const { view, file } = chosen;
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<AppError>();
  async function act(work: () => Promise<Result<null, AppError>>): Promise<void> {
    setBusy(true);
    const result = await work();
    setError(result.ok ? undefined : result.error);
    if (result.ok) {
      // Main decides what the pin changes: the guide is read again, not marked here.
      await chooseGuide(file);
      void loadLibrary();
    }
    setBusy(false);
  }
  const { signer } = view;
  return (
    <section className="rounded-lg border border-line">
      <header className="flex items-center gap-2 border-b border-line px-4 py-2.5">
        <h3 className="text-base font-semibold">Publisher</h3>
        <TrustBadge trust={view.trust} />
      </header>
      <div className="grid gap-3.5 p-4">
        <Facts
          rows={[
            [
              'Says it is',
              `${view.publisher.name}${view.publisher.contact === '' ? '' : `, ${view.publisher.contact}`}`,
            ],
            ...(signer === undefined
              ? []
              : ([
                  ['Certificate', signer.subject],
                  ['Issued by', signer.issuer],
                  ['Valid until', showDate(signer.notAfter)],
                  ['SHA-256', <Fingerprint key="f" hex={signer.sha256} />],
                ] as const)),
          ]}
        />
        {view.trust === 'trusted' ? null : (
          <Note tone="warn" title={TRUST[view.trust].means}>
            <p className="text-soft">
              {signer === undefined
                ? 'You can look and record evidence, but Lockstep will change nothing. Ask the manufacturer for a signed guide.'
                : 'Compare the fingerprint with one that the manufacturer gave you another way, by telephone or on paper. Until you trust it, Lockstep looks and records but changes nothing.'}
            </p>
          </Note>
        )}
        {error === undefined ? null : <ErrorNote error={error} />}
        {signer === undefined ? null : view.trust === 'untrusted' ? (
          <div>
            <Button
              icon={BadgeCheck}
              busy={busy}
              onPress={() => void act(() => call('publisher.pin', { sha256: signer.sha256 }))}
            >
              Trust this publisher
            </Button>
          </div>
        ) : (
          <div>
            <Button
              size="sm"
              kind="quiet"
              busy={busy}
              onPress={() => void act(() => call('publisher.unpin', { sha256: signer.sha256 }))}
            >
              Trust no longer
            </Button>
          </div>
        )}
      </div>
    </section>
  );
}

/** What the guide wants to know about the site. */
export function Inputs({ inputs }: { inputs: GuideView['inputs'] }) {
  if (inputs.length === 0) return null;
  return (
    <section>
      <Eyebrow>What it wants to know about the site</Eyebrow>
      <ul className="mt-2 grid gap-2">
        {inputs.map((input) => (
          <li key={input.name} className="grid grid-cols-[minmax(0,1fr)_auto] gap-x-4 text-sm">
            <span>
              <span className="font-medium">{input.title}</span>
              {input.help === undefined ? null : <span className="block text-soft">{input.help}</span>}
            </span>
            <span className="text-right text-xs text-faint">
              <span className="font-mono">{input.name}</span> · {input.type}
              <span className="block">{OWNER_WORDS[input.owner as keyof typeof OWNER_WORDS] ?? input.owner}</span>
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
