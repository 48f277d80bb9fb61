import { Factory, FileOutput } from 'lucide-react';
import { useState } from 'react';
import { EDITION_RULES } from '../../core/bundle/edition.ts';
import type { EditionView, FileRef } from '../../core/ipc.ts';
import { call } from '../api.ts';
import { count } from '../lib/format.ts';
import { useTask } from '../lib/use-task.ts';
import { ActionDialog } from './action-dialog.tsx';
import { Button } from './button.tsx';
import { Card } from './layout.tsx';
import { ErrorNote, Note } from './note.tsx';

/** A copy for the manufacturer without what the hospital keeps; what that is, is shown before anything is written. */
export function MakeEdition({ bundle }: { bundle: FileRef }) {
  const [plan, setPlan] = useState<EditionView>();
  const [saved, setSaved] = useState<string>();
  const { busy, error, run } = useTask<'plan'>();
  const show = () =>
    run('plan', async () => {
      const shown = await call('bundle.editionPlan', { bundle: bundle.handle });
      if (shown.ok) setPlan(shown.value);
      return shown;
    });
  const save = async () => {
    const written = await call('bundle.edition', { bundle: bundle.handle });
    if (written.ok && written.value !== null) {
      setSaved(written.value.name);
      setPlan(undefined);
    }
    return written;
  };
  return (
    <Card icon={Factory} title="Edition for the manufacturer">
      <div className="grid grid-cols-1 gap-3.5">
        <p className="text-sm text-soft text-pretty">
          A copy without people, addresses and facts. The verdicts and all signatures stay, and verify; nobody can judge
          again from it.
        </p>
        <div>
          <Button size="sm" icon={FileOutput} busy={busy !== undefined} onPress={() => void show()}>
            Show what it leaves out…
          </Button>
        </div>
        <div role="status" className="empty:hidden">
          {saved === undefined ? null : <Note tone="good" title={`Saved as ${saved}`} />}
        </div>
        {error === undefined ? null : <ErrorNote error={error} />}
      </div>
      {plan === undefined ? null : (
        <ActionDialog
          wide
          title="What the manufacturer does not get"
          leave="Not now"
          label="Save the edition…"
          work={save}
          onClose={() => setPlan(undefined)}
        >
          {() => (
            <div className="grid grid-cols-1 gap-4 text-sm">
              {EDITION_RULES.map(({ id, why }) => {
                const names = plan.leftOut.filter(({ rule }) => rule === id).map(({ name }) => name);
                return names.length === 0 ? null : (
                  <details key={id} className="rounded-md border border-line px-3 py-2">
                    <summary className="text-pretty">
                      <span className="font-medium capitalize">{id}</span>, {count(names.length, 'file')}:{' '}
                      <span className="text-soft">{why}</span>
                    </summary>
                    <ul className="mt-1.5 grid gap-0.5 font-mono text-xs break-all">
                      {names.map((name) => (
                        <li key={name}>{name}</li>
                      ))}
                    </ul>
                  </details>
                );
              })}
              <div>
                <p className="font-medium">What stays</p>
                <p className="font-mono text-xs leading-5 break-all text-soft">{plan.stays.join(', ')}</p>
              </div>
              <p className="text-pretty">
                Who signed stays named, in certificates and statement: {plan.signers.join('; ')}. So do the ids of the
                site’s roles, links and devices.
              </p>
            </div>
          )}
        </ActionDialog>
      )}
    </Card>
  );
}
