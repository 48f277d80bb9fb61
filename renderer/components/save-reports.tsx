import { Download, FileText } from 'lucide-react';
import { useState } from 'react';
import type { FileRef } from '../../core/ipc.ts';
import { REPORTS } from '../../core/report/index.ts';
import { call } from '../api.ts';
import { useTask } from '../lib/use-task.ts';
import { Button } from './button.tsx';
import { Card } from './layout.tsx';
import { ErrorNote } from './note.tsx';

/** PDF is printed on the way out; all others lie in the bundle as they were sealed. */
const CHOICES: readonly { readonly id: string; readonly title: string; readonly file: string }[] = [
  { id: 'pdf', title: 'Report for people, as PDF', file: 'report.pdf' },
  ...REPORTS,
];

/** Saves a report of a bundle where the person says. */
export function SaveReports({ bundle }: { bundle: FileRef }) {
  const { busy, error, run } = useTask<string>();
  const [saved, setSaved] = useState<Readonly<Record<string, string>>>({});
  const save = (id: string) =>
    run(id, async () => {
      const result = await call('report.save', { bundle: bundle.handle, report: id });
      if (result.ok && result.value !== null) {
        const { name } = result.value;
        setSaved((before) => ({ ...before, [id]: name }));
      }
      return result;
    });
  return (
    <Card icon={FileText} title="Reports" flush>
      <ul className="divide-y divide-line">
        {CHOICES.map(({ id, title, file }) => (
          <li key={id} className="flex items-center gap-3 px-4 py-2 text-sm">
            <span className="min-w-0 flex-1">
              <span className="block font-medium">{title}</span>
              <span className="block font-mono text-xs break-all text-faint" role="status">
                {saved[id] === undefined ? file.replace(/^.*\//, '') : `Saved as ${saved[id]}`}
              </span>
            </span>
            <Button
              size="sm"
              icon={Download}
              busy={busy === id}
              isDisabled={busy !== undefined}
              aria-label={id === 'pdf' ? 'Save as PDF…' : `Save “${title}”…`}
              onPress={() => void save(id)}
            >
              {id === 'pdf' ? 'Save as PDF…' : 'Save…'}
            </Button>
          </li>
        ))}
      </ul>
      {error === undefined ? null : (
        <div className="border-t border-line p-4">
          <ErrorNote error={error} />
        </div>
      )}
    </Card>
  );
}
