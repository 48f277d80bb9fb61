import { FileCheck2, FileText, FolderOpen, RotateCw, Stamp } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { VerifyView } from '../../core/ipc.ts';
import type { AppError } from '../../core/result.ts';
import { call } from '../api.ts';
import { BundleTools } from '../components/bundle-tools.tsx';
import { Button } from '../components/button.tsx';
import { CountersignForm } from '../components/countersign-form.tsx';
import { TextInput } from '../components/field.tsx';
import { Card, Empty, Loading, PageFrame } from '../components/layout.tsx';
import { OpenEncrypted } from '../components/open-encrypted.tsx';
import { ErrorNote } from '../components/note.tsx';
import { PinSigner } from '../components/pin-signer.tsx';
import { TrustList } from '../components/trust-list.tsx';
import { VerifyResult } from '../components/verify-result.tsx';
import { useVerify } from '../lib/use-verify.ts';
import { goTo, useWizard } from '../store.ts';

/** Checks any bundle, and lets the hospital countersign one that lacks only that. */
export function VerifyPage() {
  const bundle = useWizard((state) => state.bundle);
  const { busy, view, error, verify } = useVerify();
  const [day, setDay] = useState('');
  const [failed, setFailed] = useState<AppError>();
  useEffect(() => {
    setDay('');
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
        {bundle === undefined ? (
          <>
            <Empty icon={FileCheck2} title="No bundle chosen">
              Open a file that ends in .asice.
            </Empty>
            <OpenEncrypted onOpened={(opened) => useWizard.setState({ bundle: opened })} />
          </>
        ) : (
          <form
            className="flex items-end gap-2.5"
            onSubmit={(event) => {
              event.preventDefault();
              void verify(bundle, day);
            }}
          >
            <TextInput
              label="As of this day instead of today"
              type="date"
              value={day}
              onChange={setDay}
              required={false}
            />
            <Button type="submit" icon={RotateCw} isDisabled={busy}>
              Check again
            </Button>
          </form>
        )}
        {busy ? <Loading what="what the verifier finds" rows={2} /> : null}
        {view === undefined || bundle === undefined ? null : (
          <>
            <VerifyResult
              view={view}
              onSigner={(signer) => (
                <PinSigner bundle={bundle} signer={signer} onPinned={() => void verify(bundle, day)} />
              )}
            />
            {lacksHospitalOnly(view) ? (
              <Card icon={Stamp} title="Countersign for the hospital">
                <CountersignForm bundle={bundle} waivers={view.waivers} onSigned={() => void verify(bundle, day)} />
              </Card>
            ) : null}
            <BundleTools bundle={bundle} onStamped={() => void verify(bundle, day)} />
          </>
        )}
        <TrustList version={view} onChanged={() => bundle !== undefined && void verify(bundle, day)} />
      </div>
    </PageFrame>
  );
}

/** Nothing is wrong, nothing was left out, and the engineer alone has signed. */
function lacksHospitalOnly({ signers, findings, edition }: VerifyView): boolean {
  const [first, ...others] = signers;
  const wrong = findings.some(({ severity }) => severity === 'bad');
  return first?.role === 'engineer' && others.length === 0 && edition === undefined && !wrong;
}
