import { filterSteps, type Filter, isRunnable, isToDo, type Step, stepsOf } from './lib/items.ts';
import type { ShortcutId } from './lib/shortcuts.ts';
import { cancelRun, runItems, useWizard } from './store.ts';

const FILTERS: readonly Filter[] = ['all', 'todo', 'failing'];

function allSteps(): readonly Step[] {
  const { snapshot, session } = useWizard.getState();
  return snapshot === undefined ? [] : stepsOf(snapshot.items, session, new Date());
}

/** What a key or a menu entry does in the walk. */
export function doInWalk(action: Exclude<ShortcutId, 'help'>): void {
  const state = useWizard.getState();
  const steps = allSteps();
  const shown = filterSteps(steps, state.filter);
  const current = steps.find((step) => step.id === state.current) ?? steps[0];
  switch (action) {
    case 'next':
      choose(stepBeside(shown, steps, current, 1));
      return;
    case 'previous':
      choose(stepBeside(shown, steps, current, -1));
      return;
    case 'next-todo': {
      const from = current === undefined ? -1 : steps.indexOf(current);
      const inTurn = [...steps.slice(from + 1), ...steps.slice(0, from + 1)];
      choose(inTurn.find((step) => step.rows.some(isToDo)));
      return;
    }
    case 'open':
      document.querySelector<HTMLElement>('[data-step-heading]')?.focus();
      return;
    case 'run':
      void runItems(runnableKeys(current === undefined ? [] : [current]));
      return;
    case 'run-all':
      void runItems(runnableKeys(steps));
      return;
    case 'cancel':
      if (state.running) void cancelRun();
      return;
    case 'filter':
      useWizard.setState({ filter: FILTERS[(FILTERS.indexOf(state.filter) + 1) % FILTERS.length] ?? 'all' });
      return;
    default:
      action satisfies never;
  }
}

/** Keys of everything in these steps that a probe can run for. */
export function runnableKeys(steps: readonly Step[]): readonly string[] {
  return steps.flatMap((step) => step.rows.filter(isRunnable).map((row) => row.item.key));
}

/** The next shown step; also from one that the filter hides. */
function stepBeside(
  shown: readonly Step[],
  all: readonly Step[],
  current: Step | undefined,
  by: 1 | -1,
): Step | undefined {
  if (current === undefined) return shown[0];
  const at = all.indexOf(current);
  const beyond = shown.filter((step) => (by === 1 ? all.indexOf(step) > at : all.indexOf(step) < at));
  return by === 1 ? beyond[0] : beyond.at(-1);
}

/** Selects a step, and brings its row into view. */
export function choose(step: Step | undefined): void {
  if (step === undefined) return;
  useWizard.setState({ current: step.id });
  const row = document.querySelector<HTMLElement>(`[data-step="${CSS.escape(step.id)}"]`);
  row?.scrollIntoView({ block: 'nearest' });
  // Keyboard focus follows only where it already is in the list; it never leaves a field.
  if (document.activeElement?.closest('[data-steps]') != null) row?.focus();
}
