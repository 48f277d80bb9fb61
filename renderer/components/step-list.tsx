import { ArrowRight, Play, Square } from 'lucide-react';
import { useEffect } from 'react';
import { Button as AriaButton, ToggleButton, ToggleButtonGroup } from 'react-aria-components';
import { countVerdicts, type Filter, filterSteps, groupSteps, isFailing, isToDo, type Step } from '../lib/items.ts';
import { count, showName } from '../lib/format.ts';
import { cancelRun, goTo, runItems, useWizard } from '../store.ts';
import { choose, runnableKeys } from '../walk-actions.ts';
import { Key } from './badge.tsx';
import { Button, Spinner } from './button.tsx';
import { VerdictBar, VerdictIcon } from './verdict.tsx';

/** All steps, grouped, with a verdict per target; run all and cancel; the way to the review. */
export function StepList({ steps, current }: { steps: readonly Step[]; current: Step | undefined }) {
  const filter = useWizard((state) => state.filter);
  const shown = groupSteps(filterSteps(steps, filter));
  const id = current?.id;
  useEffect(() => {
    if (id !== undefined)
      document.querySelector(`[data-step="${CSS.escape(id)}"]`)?.scrollIntoView({ block: 'nearest' });
  }, [id]);
  return (
    <section
      aria-label="Steps"
      className="flex w-[320px] shrink-0 flex-col border-r border-line bg-surface xl:w-[360px]"
    >
      <Top steps={steps} />
      {/* The list itself takes no focus; its rows do, and arrows move between them. */}
      <nav data-steps aria-label="Controls" className="min-h-0 flex-1 overflow-y-auto pb-3">
        {shown.length === 0 ? <NothingShown filter={filter} /> : null}
        {shown.map(({ group, steps: members }) => (
          <section key={group} aria-label={showName(group)}>
            <h2 className="sticky top-0 z-10 bg-surface px-4 pt-3 pb-1 text-2xs font-semibold tracking-[0.06em] text-faint uppercase">
              {showName(group)}
            </h2>
            <ul>
              {members.map((step) => (
                <StepRow key={step.id} step={step} current={step.id === current?.id} />
              ))}
            </ul>
          </section>
        ))}
      </nav>
      <div className="shrink-0 border-t border-line p-3">
        <Button kind="plain" icon={ArrowRight} onPress={() => goTo('review')}>
          Review and sign
        </Button>
      </div>
    </section>
  );
}

function Top({ steps }: { steps: readonly Step[] }) {
  const { running, lastProgress, filter } = useWizard();
  const rows = steps.flatMap((step) => step.rows);
  const counts = countVerdicts(rows);
  const todo = rows.filter(isToDo).length;
  const failing = rows.filter(isFailing).length;
  return (
    <div className="grid shrink-0 gap-3 border-b border-line px-4 pt-4 pb-3">
      <VerdictBar counts={counts} total={rows.length} compact />
      {running ? (
        <div className="grid gap-2" role="status" aria-live="polite">
          <div className="flex items-center gap-2">
            <Spinner />
            <span className="flex-1 text-sm font-medium tabular-nums">
              {lastProgress === undefined ? 'Starting…' : `${lastProgress.done} of ${lastProgress.total} done`}
            </span>
            <Button size="sm" icon={Square} onPress={() => void cancelRun()}>
              Cancel
            </Button>
          </div>
          <div aria-hidden className="h-1 overflow-hidden rounded-full bg-line">
            <div
              className="h-full bg-accent transition-[width]"
              style={{
                width: `${lastProgress === undefined ? 2 : Math.max(2, (lastProgress.done / Math.max(1, lastProgress.total)) * 100)}%`,
              }}
            />
          </div>
        </div>
      ) : (
        <div className="flex items-center gap-2">
          <Button kind="primary" icon={Play} onPress={() => void runItems(runnableKeys(steps))}>
            Run all checks
          </Button>
          <span className="ml-auto flex gap-1" aria-hidden>
            <Key>Shift</Key>
            <Key>r</Key>
          </span>
        </div>
      )}
      <ToggleButtonGroup
        aria-label="Show"
        selectionMode="single"
        disallowEmptySelection
        selectedKeys={[filter]}
        onSelectionChange={(keys) => useWizard.setState({ filter: ([...keys][0] as Filter | undefined) ?? 'all' })}
        className="grid grid-cols-3 gap-0.5 rounded-md bg-sunken p-0.5"
      >
        <FilterButton id="all" name="All" amount={rows.length} />
        <FilterButton id="todo" name="To do" amount={todo} />
        <FilterButton id="failing" name="Failing" amount={failing} />
      </ToggleButtonGroup>
    </div>
  );
}

function FilterButton({ id, name, amount }: { id: Filter; name: string; amount: number }) {
  return (
    <ToggleButton
      id={id}
      className="flex h-7 items-center justify-center gap-1.5 rounded-sm text-sm text-soft transition-colors hover:text-ink data-[selected]:bg-surface data-[selected]:font-semibold data-[selected]:text-ink data-[selected]:shadow-card"
    >
      {name}
      <span className="text-xs font-normal text-faint tabular-nums">{amount}</span>
    </ToggleButton>
  );
}

function StepRow({ step, current }: { step: Step; current: boolean }) {
  const several = step.rows.length > 1;
  const busy = useWizard((state) =>
    step.rows.some(
      (row) => state.progress[row.item.key] !== undefined && state.running && state.lastProgress?.key === row.item.key,
    ),
  );
  return (
    <li>
      <AriaButton
        data-step={step.id}
        aria-current={current ? 'true' : undefined}
        onPress={() => choose(step)}
        className={`relative flex w-full items-start gap-2.5 px-4 py-1.5 text-left transition-colors focus-visible:-outline-offset-2 ${current ? 'bg-tint' : 'hover:bg-hover'}`}
      >
        {current ? <span aria-hidden className="absolute inset-y-0 left-0 w-0.75 bg-accent" /> : null}
        <span className="mt-0.5 flex size-4 items-center justify-center">
          {busy ? <Spinner /> : <VerdictIcon verdict={step.verdict} />}
        </span>
        <span className="min-w-0 flex-1">
          <span className={`block text-sm leading-5 text-pretty ${current ? 'font-semibold' : ''}`}>
            {step.control.title}
          </span>
          {several ? (
            <span className="mt-0.5 flex flex-wrap gap-x-2.5 gap-y-0.5 text-xs text-soft">
              {step.rows.map((row) => (
                <span key={row.item.key} className="inline-flex max-w-full items-center gap-1">
                  <VerdictIcon verdict={row.verdict} small />
                  <span className="truncate">{row.item.target.name}</span>
                </span>
              ))}
            </span>
          ) : null}
          <Marks step={step} />
        </span>
      </AriaButton>
    </li>
  );
}

function Marks({ step }: { step: Step }) {
  const expired = step.rows.some((row) => row.expired);
  const waived = step.rows.some((row) => row.state?.waiver !== undefined && row.verdict === 'fail');
  if (!expired && !waived) return null;
  return (
    <span className="mt-0.5 block text-xs text-error">
      {[expired ? 'Expired' : '', waived ? 'Waiver requested' : ''].filter((mark) => mark !== '').join(' · ')}
    </span>
  );
}

function NothingShown({ filter }: { filter: Filter }) {
  return (
    <div className="grid justify-items-start gap-2 px-4 py-6 text-sm text-soft">
      <p>
        {filter === 'failing'
          ? 'Nothing fails.'
          : filter === 'todo'
            ? 'Nothing is left to do.'
            : `${count(0, 'step')}.`}
      </p>
      <Button size="sm" onPress={() => useWizard.setState({ filter: 'all' })}>
        Show all
      </Button>
    </div>
  );
}
