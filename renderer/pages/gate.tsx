import { ArrowRight } from 'lucide-react';
import type { SessionState } from '../../core/session/state.ts';
import { call } from '../api.ts';
import { Button } from '../components/button.tsx';
import { Card, PageFrame } from '../components/layout.tsx';
import { NamesConsent } from '../components/names-consent.tsx';
import { ErrorNote } from '../components/note.tsx';
import { SiteKeyPanel } from '../components/site-key-panel.tsx';
import { SecretsPanel } from '../components/secrets-panel.tsx';
import { VersionGate } from '../components/version-gate.tsx';
import { VisibleList } from '../components/visible-list.tsx';
import { useTask } from '../lib/use-task.ts';
import { goTo, useWizard } from '../store.ts';

/** The gate: does the guide fit this version? And the preflight: what will the hospital's monitoring see? */
export function GatePage() {
  const snapshot = useWizard((state) => state.snapshot);
  const session = useWizard((state) => state.session);
  const { busy, error, run } = useTask<'accept'>();
  if (snapshot === undefined) return null;
  const open = isPassed(session);
  const accept = () =>
    run('accept', async () => {
      const accepted = await call('preflight.accept', {});
      if (accepted.ok) goTo('walk');
      return accepted;
    });
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
            <Button
              kind="primary"
              icon={ArrowRight}
              busy={busy !== undefined}
              isDisabled={!open}
              onPress={() => void accept()}
            >
              Accept and start the walk
            </Button>
          )}
        </>
      }
    >
      <div className="grid grid-cols-2 items-start gap-6">
        <div className="grid min-w-0 gap-4">
          {error === undefined ? null : <ErrorNote error={error} />}
          <VersionGate snapshot={snapshot} session={session} />
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
        <VisibleList snapshot={snapshot} />
      </div>
    </PageFrame>
  );
}

function isPassed(session: SessionState): boolean {
  return session.gate !== undefined && (session.gate.inRange || session.gate.overridden);
}
