import { useEffect } from 'react';
import type { Push } from '../core/ipc.ts';
import { call, listen } from './api.ts';
import { AskDialog } from './components/ask-dialog.tsx';
import { HandOverDialog } from './components/hand-over-dialog.tsx';
import { HelpSheet } from './components/help-sheet.tsx';
import { Shell } from './components/shell.tsx';
import { TakeOverDialog } from './components/take-over-dialog.tsx';
import { shortcutOf } from './lib/shortcuts.ts';
import { DonePage } from './pages/done.tsx';
import { GatePage } from './pages/gate.tsx';
import { ReviewPage } from './pages/review.tsx';
import { SignPage } from './pages/sign.tsx';
import { SitePage } from './pages/site.tsx';
import { StartPage } from './pages/start.tsx';
import { VerifyPage } from './pages/verify.tsx';
import { WalkPage } from './pages/walk.tsx';
import { openGuideFile } from './lib/choose.ts';
import { startWizard, takePush, useWizard } from './store.ts';
import { doInWalk } from './walk-actions.ts';

const PAGES = {
  start: StartPage,
  site: SitePage,
  gate: GatePage,
  walk: WalkPage,
  review: ReviewPage,
  sign: SignPage,
  done: DonePage,
  verify: VerifyPage,
} as const;

/** The wizard. Everything it knows comes through the bridge. */
export function App() {
  const page = useWizard((state) => state.page);
  useEffect(() => {
    const stop = listen((push) => {
      if (push.kind === 'menu') void doMenu(push.command);
      else takePush(push);
    });
    void startWizard();
    return stop;
  }, []);
  useEffect(() => {
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
  const Page = PAGES[page];
  return (
    <>
      <Shell>
        <Page />
      </Shell>
      <AskDialog />
      <MoveDialog />
      <HelpSheet />
    </>
  );
}

function MoveDialog() {
  const moving = useWizard((state) => state.moving);
  const close = () => useWizard.setState({ moving: undefined });
  if (moving === undefined) return null;
  return moving === 'hand-over' ? <HandOverDialog onClose={close} /> : <TakeOverDialog onClose={close} />;
}

function onKey(event: KeyboardEvent): void {
  const shortcut = shortcutOf(event);
  if (shortcut === undefined) return;
  const { help, page } = useWizard.getState();
  if (shortcut === 'help') {
    useWizard.setState({ help: !help });
    event.preventDefault();
    return;
  }
  // An open dialog owns the keyboard: a run must not start behind it.
  if (page !== 'walk' || document.querySelector('[role=dialog], [role=alertdialog]') !== null) return;
  event.preventDefault();
  doInWalk(shortcut);
}

async function doMenu(command: Extract<Push, { kind: 'menu' }>['command']): Promise<void> {
  const { snapshot, page, running } = useWizard.getState();
  switch (command) {
    case 'help':
      useWizard.setState((state) => ({ help: !state.help }));
      return;
    case 'open-guide':
      if (snapshot === undefined) {
        useWizard.setState({ page: 'start' });
        await openGuideFile();
      }
      return;
    case 'open-bundle': {
      if (snapshot !== undefined) return;
      const chosen = await call('file.choose', { kind: 'bundle' });
      if (!chosen.ok) useWizard.setState({ notice: chosen.error });
      else if (chosen.value !== null) useWizard.setState({ bundle: chosen.value, page: 'verify' });
      return;
    }
    case 'hand-over':
      if (snapshot !== undefined && !running) useWizard.setState({ moving: 'hand-over' });
      return;
    case 'take-over':
      if (snapshot === undefined) useWizard.setState({ page: 'start', moving: 'take-over' });
      return;
    case 'run':
    case 'next':
    case 'previous':
      if (page === 'walk') doInWalk(command);
      return;
    default:
      command satisfies never;
  }
}
