import { FileText, FolderOpen, ShieldCheck } from 'lucide-react';
import { useState } from 'react';
import type { AppError } from '../../core/result.ts';
import { call } from '../api.ts';
import { Button } from '../components/button.tsx';
import { BundleTools } from '../components/bundle-tools.tsx';
import { CodeBlock } from '../components/code-block.tsx';
import { Fingerprint } from '../components/fingerprint.tsx';
import { Card, Facts, PageFrame } from '../components/layout.tsx';
import { ErrorNote, Note } from '../components/note.tsx';
import { VerifyResult } from '../components/verify-result.tsx';
import { count } from '../lib/format.ts';
import { opensslLines } from '../lib/openssl.ts';
import { useVerify } from '../lib/use-verify.ts';
import { goTo, leaveSession, useWizard } from '../store.ts';

/** The bundle, and how anyone checks it. */
export function DonePage() {
  const view = useWizard((state) => state.sealed);
  const snapshot = useWizard((state) => state.snapshot);
  // The entry that says that it was sealed is the first that is not in it.
  const since = useWizard(({ session }) => (session.sealed === undefined ? 0 : session.last - session.sealed.upTo - 1));
  const [error, setError] = useState<AppError>();
  const verifying = useVerify();
  if (view === undefined || snapshot === undefined) return null;
  async function show(channel: 'bundle.openReport' | 'bundle.showInFolder', handle: string): Promise<void> {
    const shown = await call(channel, { bundle: handle });
    setError(shown.ok ? undefined : shown.error);
  }
  return (
    <PageFrame
      title={view.provisional ? 'Sealed, and provisional' : 'Sealed, signed and countersigned'}
      lead={`${snapshot.guide.title}, at ${snapshot.site.name}. Keep the bundle where both parties find it; anyone can check it without Lockstep.`}
      footer={
        <>
          {view.provisional ? (
            <Button kind="quiet" onPress={() => goTo('sign')}>
              Countersign now
            </Button>
          ) : null}
          <span className="flex-1" />
          <Button onPress={() => void leaveSession()}>Close this session</Button>
        </>
      }
    >
      <div className="grid gap-5">
        {view.provisional ? (
          <Note tone="warn" title="Provisional">
            <p className="text-soft">
              The hospital’s signature is missing. Until it is there, the bundle and its reports say so, and no waiver
              counts.
            </p>
          </Note>
        ) : null}
        {since === 0 ? null : (
          <Note
            title={`${count(since, 'entry', 'entries')} of the journal came later and ${since === 1 ? 'is' : 'are'} not in this bundle.`}
            aside={
              <Button
                size="sm"
                onPress={() => {
                  useWizard.setState({ sealed: undefined });
                  goTo('sign');
                }}
              >
                Seal again
              </Button>
            }
          />
        )}
        <Card title={<span className="font-semibold break-all">{view.bundle.name}</span>}>
          <div className="grid gap-4">
            <Facts
              rows={[
                [
                  'Where',
                  <span key="p" className="font-mono text-xs leading-5 break-all select-text">
                    {view.path}
                  </span>,
                ],
                ['SHA-256', <Fingerprint key="f" hex={view.sha256} />],
              ]}
            />
            <div className="flex flex-wrap gap-2.5">
              <Button
                kind="primary"
                icon={ShieldCheck}
                busy={verifying.busy}
                onPress={() => void verifying.verify(view.bundle)}
              >
                Verify it here
              </Button>
              <Button icon={FileText} onPress={() => void show('bundle.openReport', view.bundle.handle)}>
                Open the report
              </Button>
              <Button icon={FolderOpen} onPress={() => void show('bundle.showInFolder', view.bundle.handle)}>
                Show in folder
              </Button>
            </div>
            {error === undefined ? null : <ErrorNote error={error} />}
            {verifying.error === undefined ? null : <ErrorNote error={verifying.error} />}
          </div>
        </Card>
        {verifying.view === undefined ? null : <VerifyResult view={verifying.view} />}
        <BundleTools
          bundle={view.bundle}
          onStamped={({ sha256 }) => useWizard.setState({ sealed: { ...view, sha256 } })}
        />
        <section className="grid gap-2">
          <h2 className="text-base font-semibold">Check it without Lockstep</h2>
          <p className="text-sm text-soft">
            Stock OpenSSL, with the root certificates that you trust for each party. The README inside the bundle says
            the same.
          </p>
          <CodeBlock label="Commands" text={opensslLines(view.bundle.name, !view.provisional)} />
        </section>
      </div>
    </PageFrame>
  );
}
