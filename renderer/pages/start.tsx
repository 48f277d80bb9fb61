import { ArrowRight, BookOpen, FileCheck2, FolderOpen, History, Play, UserRoundPlus } from 'lucide-react';
import { useState } from 'react';
import { Button as AriaButton } from 'react-aria-components';
import type { Outputs } from '../../core/ipc.ts';
import type { AppError } from '../../core/result.ts';
import { Badge, PracticeBadge, TRUST, TrustBadge } from '../components/badge.tsx';
import { Button } from '../components/button.tsx';
import { GuideDialog } from '../components/guide-dialog.tsx';
import { Card, Empty, Eyebrow, Loading, PageFrame } from '../components/layout.tsx';
import { ErrorNote, Note } from '../components/note.tsx';
import { ResumeDialog } from '../components/resume-dialog.tsx';
import { chooseGuide, openGuideFile } from '../lib/choose.ts';
import { count, showTime } from '../lib/format.ts';
import { goTo, loadLibrary, loadSessions, useWizard } from '../store.ts';

type LibraryGuide = Outputs['library.list']['guides'][number];
type SessionRow = Outputs['session.list'][number];

/** Choose a guide, go on with a session, or verify a bundle. */
export function StartPage() {
  const [resuming, setResuming] = useState<SessionRow>();
  const [reading, setReading] = useState(false);
  const guide = useWizard((state) => state.guide);
  async function read(open: () => Promise<void>): Promise<void> {
    const before = useWizard.getState().guide;
    await open();
    const { guide: now } = useWizard.getState();
    if (now !== undefined && now !== before) setReading(true);
  }
  return (
    <PageFrame
      wide
      title="What do you want to harden?"
      lead="A guide comes from the product’s manufacturer. Choose one, say which hospital it is for, and follow it step by step. You leave with signed evidence."
    >
      <div className="grid grid-cols-[minmax(0,1fr)_320px] gap-8">
        <section aria-labelledby="guides" className="min-w-0">
          <div className="mb-3 flex items-center justify-between">
            <Eyebrow level={2} id="guides">
              Guides
            </Eyebrow>
            <Button size="sm" icon={FolderOpen} onPress={() => void read(openGuideFile)}>
              Open a guide file…
            </Button>
          </div>
          <Guides onChoose={(entry) => void read(() => chooseGuide(entry.file))} />
        </section>
        <div className="grid grid-cols-1 content-start gap-8">
          <section aria-labelledby="sessions">
            <div className="mb-3 flex h-7 items-center">
              <Eyebrow level={2} id="sessions">
                Go on with a session
              </Eyebrow>
            </div>
            <HandedOver />
            <Sessions onChoose={setResuming} />
            <div className="mt-3">
              <Button
                size="sm"
                icon={UserRoundPlus}
                onPress={() => useWizard.setState({ moving: 'take-over', handed: undefined })}
              >
                Take a session over…
              </Button>
            </div>
          </section>
          <section aria-labelledby="verify">
            <div className="mb-3">
              <Eyebrow level={2} id="verify">
                Check evidence
              </Eyebrow>
            </div>
            <Card>
              <p className="text-sm text-soft">
                See whether a bundle is sound and complete, and who signed it. Nothing leaves this computer.
              </p>
              <div className="mt-3">
                <Button icon={FileCheck2} onPress={() => goTo('verify')}>
                  Verify a bundle…
                </Button>
              </div>
            </Card>
          </section>
        </div>
      </div>
      {guide === undefined ? null : <GuideDialog chosen={guide} open={reading} onClose={() => setReading(false)} />}
      {resuming === undefined ? null : <ResumeDialog row={resuming} onClose={() => setResuming(undefined)} />}
    </PageFrame>
  );
}

function Guides({ onChoose }: { onChoose: (entry: LibraryGuide) => void }) {
  const library = useWizard((state) => state.library);
  if (library.state === 'loading') return <Loading what="guides" rows={3} />;
  if (library.state === 'failed') return <Failed error={library.error} again={loadLibrary} />;
  if (library.value.guides.length === 0) {
    return (
      <Empty icon={BookOpen} title="No guides are installed">
        Open the guide file that the manufacturer gave you.
      </Empty>
    );
  }
  return (
    <ul className="grid gap-2.5">
      {library.value.guides.map((entry) => (
        <li key={entry.file.handle}>
          <AriaButton
            onPress={() => onChoose(entry)}
            className="group flex w-full items-center gap-4 rounded-lg border border-line bg-surface px-4 py-3.5 text-left shadow-card transition-colors hover:border-edge hover:bg-hover"
          >
            <span
              aria-hidden
              className="flex size-10 shrink-0 items-center justify-center rounded-md bg-tint text-link"
            >
              <BookOpen className="size-5" strokeWidth={1.75} />
            </span>
            <span className="min-w-0 flex-1">
              <span className="flex flex-wrap items-center gap-x-2 gap-y-1">
                <span className="text-lg leading-snug font-semibold">{entry.title}</span>
                <TrustBadge trust={entry.trust} />
                {entry.practice ? <PracticeBadge /> : null}
              </span>
              <span className="mt-0.5 block text-sm text-soft">{entry.product}</span>
              <span className="block text-xs text-faint">{TRUST[entry.trust].means}</span>
            </span>
            <ArrowRight
              aria-hidden
              className="size-4 shrink-0 text-faint transition-transform group-hover:translate-x-0.5"
            />
          </AriaButton>
        </li>
      ))}
    </ul>
  );
}

function Sessions({ onChoose }: { onChoose: (row: SessionRow) => void }) {
  const sessions = useWizard((state) => state.sessions);
  if (sessions.state === 'loading') return <Loading what="sessions" rows={1} />;
  if (sessions.state === 'failed') return <Failed error={sessions.error} again={loadSessions} />;
  if (sessions.value.length === 0) {
    return (
      <Empty icon={History} title="No session yet">
        A walk that you leave is kept, and waits here.
      </Empty>
    );
  }
  return (
    <ul className="divide-y divide-line overflow-hidden rounded-lg border border-line bg-surface shadow-card">
      {sessions.value.map((row) => (
        <li key={row.session}>
          <AriaButton
            onPress={() => onChoose(row)}
            className="flex w-full items-center gap-3 px-3.5 py-2.5 text-left transition-colors hover:bg-hover focus-visible:-outline-offset-2"
          >
            <span className="min-w-0 flex-1">
              <span className="flex items-center gap-2">
                <span className="truncate text-base font-medium">{row.site}</span>
                {row.handedOver !== undefined ? (
                  <Badge>Handed over</Badge>
                ) : row.sealed ? (
                  <Badge tone="accent">Sealed</Badge>
                ) : null}
              </span>
              <span className="block truncate text-sm text-soft">{row.guide}</span>
              <span className="block truncate text-xs text-faint">
                {row.operator} · {showTime(row.openedAt)} · {count(row.events, 'entry', 'entries')}
              </span>
            </span>
            <Play aria-hidden className="size-3.5 shrink-0 text-faint" />
          </AriaButton>
        </li>
      ))}
    </ul>
  );
}

/** Said once, behind a hand-over. */
function HandedOver() {
  const handed = useWizard((state) => state.handed);
  return (
    <div role="status" className="mb-3 empty:hidden">
      {handed === undefined ? null : (
        <Note tone="good" title={`Handed over as ${handed.name}`}>
          For {handed.to}. The session goes on where it is taken over.
        </Note>
      )}
    </div>
  );
}

function Failed({ error, again }: { error: AppError; again: () => Promise<void> }) {
  return (
    <div className="grid justify-items-start gap-2.5">
      <ErrorNote error={error} />
      <Button size="sm" onPress={() => void again()}>
        Try again
      </Button>
    </div>
  );
}
