import { useMemo } from 'react';
import { ControlPane } from '../components/control-pane.tsx';
import { StepList } from '../components/step-list.tsx';
import { stepsOf } from '../lib/items.ts';
import { useNow } from '../lib/use-now.ts';
import { useWizard } from '../store.ts';

/** Step by step through the guide: the list on the left, the chosen control beside it. */
export function WalkPage() {
  const snapshot = useWizard((state) => state.snapshot);
  const session = useWizard((state) => state.session);
  const chosen = useWizard((state) => state.current);
  const now = useNow();
  const steps = useMemo(
    () => (snapshot === undefined ? [] : stepsOf(snapshot.items, session, now)),
    [snapshot, session, now],
  );
  if (snapshot === undefined) return null;
  const current = steps.find((step) => step.id === chosen) ?? steps[0];
  return (
    <div className="flex min-h-0 flex-1">
      <StepList steps={steps} current={current} />
      {current === undefined ? (
        <p className="p-8 text-soft">This guide has no controls for this site.</p>
      ) : (
        <ControlPane key={current.id} step={current} />
      )}
    </div>
  );
}
