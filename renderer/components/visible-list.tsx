import { ListChecks } from 'lucide-react';
import type { Snapshot } from '../../core/ipc.ts';
import { count } from '../lib/format.ts';
import { type VisibleGroup, visibleChanges, visibleProbes } from '../lib/visible.ts';
import { CopyButton } from './copy.tsx';
import { Card, Eyebrow } from './layout.tsx';

const CHANGES = 'Only when you apply a change';

/** What those who watch the hospital's network will see, to be told beforehand. */
export function VisibleList({ snapshot }: { snapshot: Snapshot }) {
  const probes = visibleProbes(snapshot);
  const changes = visibleChanges(snapshot);
  const total = probes.reduce((sum, group) => sum + group.sentences.length, 0);
  const groups = changes.length === 0 ? probes : [...probes, { title: CHANGES, sentences: changes }];
  const text = groups
    .flatMap(({ title, sentences }) => [title, ...sentences.map((sentence) => `  - ${sentence}`)])
    .join('\n');
  return (
    <Card
      icon={ListChecks}
      title="What the hospital’s monitoring will see"
      aside={<CopyButton text={text} label="Copy list" />}
    >
      {total === 0 ? (
        <p className="text-sm text-soft">Nothing: no probe of this guide applies here.</p>
      ) : (
        <div className="grid gap-4">
          <p className="text-sm text-soft">
            Tell the security team before you start: {count(total, 'thing')} that could raise an alarm.
          </p>
          {groups.map((group) => (
            <Group key={group.title} group={group} apart={group.title === CHANGES} />
          ))}
        </div>
      )}
    </Card>
  );
}

function Group({ group: { title, sentences }, apart }: { group: VisibleGroup; apart: boolean }) {
  return (
    <section className={`grid gap-1.5 ${apart ? 'border-t border-line pt-3' : ''}`}>
      <Eyebrow>{title}</Eyebrow>
      <ul className="grid list-disc gap-1 pl-4 text-sm break-words marker:text-faint">
        {sentences.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
    </section>
  );
}
