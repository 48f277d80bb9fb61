import { FileCheck2, FileText, FolderOpen } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { AppError } from '../../core/result.ts';
import { call } from '../api.ts';
import { Button } from '../components/button.tsx';
import { Empty, Loading, PageFrame } from '../components/layout.tsx';
import { ErrorNote } from '../components/note.tsx';
import { VerifyResult } from '../components/verify-result.tsx';
import { useVerify } from '../lib/use-verify.ts';
import { goTo, useWizard } from '../store.ts';

/** Checks any bundle. */
export function VerifyPage() {
  const bundle = useWizard((state) => state.bundle);
  const { busy, view, error, verify } = useVerify();
  const [failed, setFailed] = useState<AppError>();
  useEffect(() => {
    if (bundle !== undefined) void verify(bundle);
  }, [bundle, verify]);
  async function browse(): Promise<void> {
    const chosen = await call('file.choose', { kind: 'bundle' });
    setFailed(chosen.ok ? undefined : chosen.error);
    if (chosen.ok && chosen.value !== null) useWizard.setState({ bundle: chosen.value });
  }
  async function openReport(handle: string): Promise<void> {
    const opened = await call('bundle.openReport', { bundle: handle });
    setFailed(opened.ok ? undefined : opened.error);
  }
  return (
    <PageFrame
      title="Verify a bundle"
      lead={
        bundle === undefined ? (
          'Lockstep checks every digest, both signatures, the journal’s chain, and judges the stored facts again.'
        ) : (
          <span className="font-medium break-all text-ink">{bundle.name}</span>
        )
      }
      footer={
        <>
          <Button
            kind="quiet"
            onPress={() => {
              useWizard.setState({ bundle: undefined });
              goTo('start');
            }}
          >
            Back
          </Button>
          <span className="flex-1" />
          {bundle === undefined || view === undefined ? null : (
            <Button icon={FileText} onPress={() => void openReport(bundle.handle)}>
              Open the report
            </Button>
          )}
          <Button kind={bundle === undefined ? 'primary' : 'plain'} icon={FolderOpen} onPress={() => void browse()}>
            {bundle === undefined ? 'Open a bundle…' : 'Open another…'}
          </Button>
        </>
      }
    >
      <div className="grid gap-4">
        {failed === undefined ? null : <ErrorNote error={failed} />}
        {error === undefined ? null : <ErrorNote error={error} />}
        {busy ? <Loading what="what the verifier finds" rows={2} /> : null}
        {view === undefined ? null : <VerifyResult view={view} />}
        {bundle === undefined ? (
          <Empty icon={FileCheck2} title="No bundle chosen">
            Open a file that ends in .asice.
          </Empty>
        ) : null}
      </div>
    </PageFrame>
  );
}
