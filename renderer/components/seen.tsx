import { ChevronRight, Eye } from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';
import { Button as AriaButton, Disclosure, DisclosurePanel, Heading } from 'react-aria-components';
import type { ItemView, Outputs } from '../../core/ipc.ts';
import { tlsEndpoint } from '../../core/probes/tls-endpoint.ts';
import type { AppError } from '../../core/result.ts';
import type { CheckState, ItemState } from '../../core/session/state.ts';
import { call } from '../api.ts';
import { count, showName } from '../lib/format.ts';
import { FactTree } from './fact-tree.tsx';
import { ErrorNote, Note } from './note.tsx';
import { tlsSummary } from './tls-summary.tsx';

/** Facts in short, for probes that see a lot. */
const SUMMARIES: Readonly<Record<string, (facts: unknown) => ReactNode | undefined>> = {
  [tlsEndpoint.id]: tlsSummary,
};

/** What each check saw, whole, with the journal's entry that holds it. */
export function Seen({ item, state }: { item: ItemView; state: ItemState | undefined }) {
  const done = Object.entries(state?.checks ?? {}).filter(([, check]) => check.phase !== 'running');
  const [open, setOpen] = useState(false);
  if (done.length === 0) return null;
  return (
    <Disclosure isExpanded={open} onExpandedChange={setOpen} className="group">
      <Heading level={4}>
        <AriaButton
          slot="trigger"
          className="flex w-full items-center gap-2 px-4 py-2.5 text-left text-sm font-medium hover:bg-hover focus-visible:-outline-offset-2"
        >
          <Eye aria-hidden className="size-4 text-faint" />
          What was seen
          <span className="flex-1 text-xs font-normal text-faint">{count(done.length, 'check')}</span>
          <ChevronRight
            aria-hidden
            className="size-4 text-faint transition-transform group-data-[expanded]:rotate-90"
          />
        </AriaButton>
      </Heading>
      <DisclosurePanel>
        {open ? (
          <div className="grid grid-cols-1 gap-5 border-t border-line bg-sunken/60 px-4 py-4">
            {done.map(([index, check]) => (
              <CheckSeen key={index} item={item} index={Number(index)} check={check} />
            ))}
          </div>
        ) : null}
      </DisclosurePanel>
    </Disclosure>
  );
}

function CheckSeen({ item, index, check }: { item: ItemView; index: number; check: CheckState }) {
  return (
    <div className="grid grid-cols-1 gap-2">
      <header className="flex flex-wrap items-baseline gap-x-3">
        <h5 className="text-sm font-semibold">{item.checks[index]?.title ?? check.probe}</h5>
        <span className="font-mono text-xs text-faint">{check.probe}</span>
        <span className="ml-auto text-xs text-faint tabular-nums">
          Journal entry {check.event}
          {check.file === undefined ? null : <span className="font-mono"> · {check.file}</span>}
        </span>
      </header>
      {check.error === undefined ? (
        <RecordedFacts itemKey={item.key} index={index} event={check.event} probe={check.probe} />
      ) : (
        <ErrorNote error={check.error} />
      )}
    </div>
  );
}

type Recorded = { itemKey: string; index: number; event: number; probe: string };

function RecordedFacts({ itemKey, index, event, probe }: Recorded) {
  const [read, setRead] = useState<Outputs['facts.read']>();
  const [error, setError] = useState<AppError>();
  // The event's number is in the list, so that a second run is read again.
  useEffect(() => {
    let stale = false;
    void call('facts.read', { key: itemKey, check: index }).then((result) => {
      if (stale) return;
      setRead(result.ok ? result.value : undefined);
      setError(result.ok ? undefined : result.error);
    });
    return () => {
      stale = true;
    };
  }, [itemKey, index, event]);
  if (error !== undefined) return <ErrorNote error={error} />;
  if (read === undefined) return <p className="text-sm text-faint">Reading…</p>;
  const changed = sentenceOf(read.facts);
  const elsewhere = read.absent.filter(({ notApplicable }) => notApplicable === true);
  const unknown = read.absent.filter((fact) => !elsewhere.includes(fact));
  return (
    <div className="grid grid-cols-1 gap-3">
      {read.notApplicable === undefined ? null : (
        <p className="text-sm">The question does not arise here: {read.notApplicable}</p>
      )}
      {changed === undefined ? null : <Note title={changed} />}
      {read.facts === undefined ? null : <Facts probe={probe} facts={read.facts} />}
      {elsewhere.length === 0 ? null : (
        <p className="text-sm text-soft">
          Does not exist in this kind of directory: {elsewhere.map((fact) => showName(fact.path)).join(', ')}.
        </p>
      )}
      {unknown.length === 0 ? null : (
        <div className="rounded-md border border-error/30 bg-error-tint px-3 py-2 text-sm">
          <p className="font-semibold text-error">Not learned</p>
          <ul className="mt-0.5 grid gap-0.5">
            {unknown.map((fact) => (
              <li key={fact.path}>
                <span className="font-medium">{showName(fact.path)}</span>: {fact.reason}
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}

/** In short where there is a short form, and whole in any case. */
function Facts({ probe, facts }: { probe: string; facts: unknown }) {
  const summary = SUMMARIES[probe]?.(facts);
  if (summary === undefined) return <FactTree value={facts} />;
  return (
    <>
      {summary}
      <details>
        <summary className="text-sm text-soft">Everything that was recorded</summary>
        <div className="mt-2">
          <FactTree value={facts} />
        </div>
      </details>
    </>
  );
}

/** What changed since the earlier bundle, in one line; undefined where nothing was compared. */
function sentenceOf(facts: unknown): string | undefined {
  const changed = (facts as { changed?: { sentence?: unknown } } | undefined)?.changed;
  return typeof changed?.sentence === 'string' ? changed.sentence : undefined;
}
