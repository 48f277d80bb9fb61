import { ArrowRight, Building2, FolderOpen, KeyRound } from 'lucide-react';
import { useState } from 'react';
import type { FileRef, SiteView } from '../../core/ipc.ts';
import type { AppError } from '../../core/result.ts';
import { call } from '../api.ts';
import { PracticeBadge } from '../components/badge.tsx';
import { BaselinePanel } from '../components/baseline-panel.tsx';
import { Button } from '../components/button.tsx';
import { TextInput } from '../components/field.tsx';
import { Inputs } from '../components/guide-dialog.tsx';
import { Card, Empty, PageFrame } from '../components/layout.tsx';
import { ErrorNote, Note } from '../components/note.tsx';
import { OpeningSignature } from '../components/opening-signature.tsx';
import { SecretsPanel } from '../components/secrets-panel.tsx';
import { SiteKeyPanel } from '../components/site-key-panel.tsx';
import { SiteDetails } from '../components/site-details.tsx';
import { count } from '../lib/format.ts';
import { goTo, nextPage, openSession, useWizard } from '../store.ts';

/** Which hospital, who walks, and the passwords that the site names. */
export function SitePage() {
  const snapshot = useWizard((state) => state.snapshot);
  return snapshot === undefined ? <ChooseSite /> : <SupplySecrets />;
}

function ChooseSite() {
  const guide = useWizard((state) => state.guide);
  const site = useWizard((state) => state.site);
  const [operator, setOperator] = useState('');
  const [error, setError] = useState<{ file: string; error: AppError }>();
  const [busy, setBusy] = useState<'load' | 'open'>();

  async function load(file: FileRef): Promise<void> {
    setBusy('load');
    const loaded = await call('site.load', {
      site: file.handle,
      ...(guide === undefined ? {} : { guide: guide.file.handle }),
    });
    setBusy(undefined);
    setError(loaded.ok ? undefined : { file: file.name, error: loaded.error });
    useWizard.setState({ site: loaded.ok ? { file, view: loaded.value } : undefined });
  }
  async function browse(): Promise<void> {
    const chosen = await call('file.choose', { kind: 'site' });
    if (!chosen.ok) setError({ file: '', error: chosen.error });
    else if (chosen.value !== null) await load(chosen.value);
  }
  async function start(): Promise<void> {
    if (site === undefined || operator.trim() === '') return;
    setBusy('open');
    const failed = await openSession(operator.trim());
    setBusy(undefined);
    setError(failed === undefined ? undefined : { file: site.file.name, error: failed });
  }

  return (
    <PageFrame
      wide
      title="Which hospital is it for?"
      lead={
        guide === undefined ? (
          'Choose a guide first.'
        ) : (
          <>
            The site file says where the directory, the devices and their links are. It holds no password. It is checked
            against “{guide.view.title}”.
          </>
        )
      }
      footer={
        <>
          <Button kind="quiet" onPress={() => goTo('start')}>
            Back
          </Button>
          <span className="flex-1" />
          {site === undefined ? (
            <span className="text-sm text-faint">Choose a site first</span>
          ) : operator.trim() === '' ? (
            <span className="text-sm text-faint">Your name is missing</span>
          ) : null}
          <Button
            kind="primary"
            icon={ArrowRight}
            busy={busy === 'open'}
            isDisabled={site === undefined || operator.trim() === '' || guide === undefined}
            onPress={() => void start()}
          >
            Start the session
          </Button>
        </>
      }
    >
      <div className="grid grid-cols-[minmax(0,1fr)_320px] gap-6">
        <div className="grid min-w-0 content-start gap-4">
          {error === undefined ? null : <ErrorNote error={error.error} />}
          {site === undefined ? (
            error === undefined ? (
              <Empty icon={Building2} title="No site chosen">
                Open the hospital’s site file, or take the practice hospital to try everything out.
              </Empty>
            ) : null
          ) : (
            <SiteDetails site={site.view} />
          )}
        </div>
        <div className="grid grid-cols-1 content-start gap-4">
          <Card title="Site file">
            <SiteChoice
              site={site?.view}
              busy={busy === 'load'}
              onLoad={(file) => void load(file)}
              onBrowse={() => void browse()}
            />
          </Card>
          <Card title="Who walks">
            <TextInput
              label="Your name"
              value={operator}
              onChange={setOperator}
              maxLength={120}
              onEnter={() => void start()}
              help="It stands in the journal and in the bundle."
            />
          </Card>
          {guide === undefined || guide.view.inputs.length === 0 ? null : (
            <Card>
              <Inputs inputs={guide.view.inputs} />
            </Card>
          )}
        </div>
      </div>
    </PageFrame>
  );
}

function SiteChoice({
  site,
  busy,
  onLoad,
  onBrowse,
}: {
  site?: SiteView;
  busy: boolean;
  onLoad: (file: FileRef) => void;
  onBrowse: () => void;
}) {
  const library = useWizard((state) => state.library);
  const sites = library.state === 'ready' ? library.value.sites : [];
  return (
    <div className="grid gap-2">
      {library.state === 'failed' ? <ErrorNote error={library.error} /> : null}
      {sites.map((entry) => (
        <div key={entry.file.handle} className="flex items-center gap-2">
          <span className="min-w-0 flex-1 truncate text-base">{entry.name}</span>
          {entry.practice ? <PracticeBadge /> : null}
          <Button
            size="sm"
            isDisabled={busy}
            onPress={() => onLoad(entry.file)}
            aria-label={`${site?.name === entry.name ? 'Chosen' : 'Choose'}: ${entry.name}`}
          >
            {site?.name === entry.name ? 'Chosen' : 'Choose'}
          </Button>
        </div>
      ))}
      <Button icon={FolderOpen} busy={busy} onPress={onBrowse}>
        Open a site file…
      </Button>
    </div>
  );
}

function SupplySecrets() {
  const snapshot = useWizard((state) => state.snapshot);
  const session = useWizard((state) => state.session);
  if (snapshot === undefined) return null;
  const missing = snapshot.secrets.filter((secret) => !secret.supplied).length;
  return (
    <PageFrame
      title={snapshot.site.name}
      lead="Lockstep asks for each password once, keeps it in memory for this session only, and never writes it down: not in the journal, not in the bundle."
      footer={
        <>
          <span className="flex-1 text-sm text-soft">
            {missing === 0 ? null : `${count(missing, 'password')} missing: checks that need it will end as errors.`}
          </span>
          <Button kind="primary" icon={ArrowRight} onPress={() => goTo(nextPage(session))}>
            {missing === 0 ? 'Continue' : 'Continue without'}
          </Button>
        </>
      }
    >
      <div className="grid gap-4">
        {snapshot.readOnly === undefined ? null : (
          <Note tone="warn" title="Read-only">
            {snapshot.readOnly}
          </Note>
        )}
        {snapshot.notices.map((notice) => (
          <Note key={notice}>{notice}</Note>
        ))}
        <Card icon={KeyRound} title="Passwords">
          <SecretsPanel secrets={snapshot.secrets} />
        </Card>
        {snapshot.people === undefined ? null : <SiteKeyPanel people={snapshot.people} />}
        <BaselinePanel />
        <OpeningSignature />
        <SiteDetails site={snapshot.site} />
      </div>
    </PageFrame>
  );
}
