import { SHORTCUTS } from '../lib/shortcuts.ts';
import { useWizard } from '../store.ts';
import { Key } from './badge.tsx';
import { Dialog } from './dialog.tsx';
import { Eyebrow } from './layout.tsx';
import { Verdict } from './verdict.tsx';

const MEANINGS = [
  ['pass', 'Observed, and as the guide wants it.'],
  ['fail', 'Observed, and not as the guide wants it.'],
  ['error', 'Could not be tested. The reason and who can fix it are shown.'],
  ['not-reviewed', 'Nothing ran, or nobody answered yet.'],
  ['not-applicable', 'The question does not arise here; the reason is shown.'],
] as const;

/** Shortcuts and what the verdicts mean. */
export function HelpSheet() {
  const open = useWizard((state) => state.help);
  return (
    <Dialog wide title="Keyboard and verdicts" open={open} onClose={() => useWizard.setState({ help: false })}>
      <div className="grid grid-cols-2 gap-8">
        <div>
          <Eyebrow>Keyboard</Eyebrow>
          <dl className="mt-2 grid gap-1.5">
            {SHORTCUTS.map((shortcut) => (
              <div key={shortcut.id} className="flex items-center gap-3 text-sm">
                <dt className="flex w-20 shrink-0 gap-1">
                  {shortcut.shown.map((key) => (
                    <Key key={key}>{key}</Key>
                  ))}
                </dt>
                <dd>{shortcut.does}</dd>
              </div>
            ))}
          </dl>
          <p className="mt-3 text-xs text-faint">
            Tab moves between everything that can be pressed; Escape closes a dialog.
          </p>
        </div>
        <div>
          <Eyebrow>Verdicts</Eyebrow>
          <dl className="mt-2 grid gap-2.5">
            {MEANINGS.map(([verdict, means]) => (
              <div key={verdict} className="grid justify-items-start gap-0.5 text-sm">
                <dt>
                  <Verdict verdict={verdict} size="sm" />
                </dt>
                <dd className="text-soft">{means}</dd>
              </div>
            ))}
          </dl>
        </div>
      </div>
    </Dialog>
  );
}
