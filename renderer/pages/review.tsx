import { ArrowDown, ArrowRight, ArrowUp, CircleCheck, CircleDashed, CircleX, type LucideIcon } from 'lucide-react';
import { useMemo, useState } from 'react';
import { type Summary, summarize, type SummaryWord } from '../../core/session/summary.ts';
import { OwnerBadge } from '../components/badge.tsx';
import { Button } from '../components/button.tsx';
import { Card, PageFrame } from '../components/layout.tsx';
import { Verdict, VerdictBar, VerdictIcon } from '../components/verdict.tsx';
import { count, showDate } from '../lib/format.ts';
import { actorsOf, countVerdicts, isFailing, isToDo, type Row, rowOf } from '../lib/items.ts';
import { useNow } from '../lib/use-now.ts';
import { PARTY_WORDS, SUMMARY_WORDS } from '../lib/words.ts';
import { goTo, useWizard } from '../store.ts';

const LOOKS: Readonly<Record<SummaryWord, { icon: LucideIcon; text: string }>> = {
  hardened: { icon: CircleCheck, text: 'text-pass' },
  open: { icon: CircleX, text: 'text-fail' },
  undecided: { icon: CircleDashed, text: 'text-error' },
};

/** Where the session stands, who must act, and every item, before it is sealed. */
export function ReviewPage() {
  const snapshot = useWizard((state) => state.snapshot);
  const session = useWizard((state) => state.session);
  const accepted = useWizard((state) => state.sealed?.accepted);
  const now = useNow();
  const rows = useMemo(() => snapshot?.items.map((item) => rowOf(item, session, now)) ?? [], [snapshot, session, now]);
  if (snapshot === undefined) return null;
  const summary = summarize(snapshot.items, session, now, new Set(accepted));
  return (
    <PageFrame
      wide
      title="Review"
      lead={`${snapshot.guide.title}, at ${snapshot.site.name}.`}
      footer={
        <>
          <Button kind="quiet" onPress={() => goTo('walk')}>
            Back to the walk
          </Button>
          <span className="flex-1" />
          {summary.word === 'hardened' ? null : (
            <span className="text-sm text-soft">You can sign as it stands: the bundle says “{summary.word}”.</span>
          )}
          <Button kind="primary" icon={ArrowRight} onPress={() => goTo('sign')}>
            Seal and sign
          </Button>
        </>
      }
    >
      <div className="grid gap-6">
        <SummaryCard summary={summary} rows={rows} />
        <WhoMustAct rows={rows} />
        <Waivers rows={rows} />
        <Items rows={rows} />
      </div>
    </PageFrame>
  );
}

function SummaryCard({ summary, rows }: { summary: Summary; rows: readonly Row[] }) {
  const { icon: Icon, text } = LOOKS[summary.word];
  const words = SUMMARY_WORDS[summary.word];
  const counts = countVerdicts(rows);
  return (
    <Card>
      <div className="grid grid-cols-[auto_minmax(0,1fr)] items-center gap-x-6 gap-y-4 lg:grid-cols-[minmax(0,1fr)_minmax(0,1fr)]">
        <div className="flex items-center gap-3.5">
          <Icon aria-hidden className={`size-9 shrink-0 ${text}`} strokeWidth={1.75} />
          <div>
            <p className={`text-2xl font-semibold tracking-tight ${text}`}>{words.word}</p>
            <p className="max-w-[44ch] text-sm text-soft text-pretty">{words.means}</p>
          </div>
        </div>
        <div className="grid gap-2">
          <VerdictBar counts={counts} total={summary.total} />
          <p className="text-xs text-faint">
            {count(summary.total, 'item')} · {count(summary.expired.length, 'expired', 'expired')} ·{' '}
            {count(summary.waived.length, 'waiver')} requested
          </p>
        </div>
      </div>
    </Card>
  );
}

const MOST_SHOWN = 5;

function WhoMustAct({ rows }: { rows: readonly Row[] }) {
  const open = rows.filter((row) => isFailing(row) || isToDo(row));
  if (open.length === 0) return null;
  const groups = new Map<string, Row[]>();
  for (const row of open) for (const actor of actorsOf(row)) groups.set(actor, [...(groups.get(actor) ?? []), row]);
  return (
    <Card title="Who must act" flush>
      <div className="grid grid-cols-2 divide-x divide-line">
        {[...groups].map(([actor, members]) => (
          <section
            key={actor}
            className="min-w-0 border-t border-line p-4 [&:nth-child(-n+2)]:border-t-0"
            aria-label={PARTY_WORDS[actor] ?? actor}
          >
            <h3 className="flex items-baseline gap-2 text-base font-semibold">
              {PARTY_WORDS[actor] ?? actor}
              <span className="text-xs font-normal text-faint tabular-nums">{count(members.length, 'item')}</span>
            </h3>
            <ul className="mt-2 grid gap-2">
              {members.slice(0, MOST_SHOWN).map((row) => (
                <li key={row.item.key} className="flex items-start gap-2 text-sm">
                  <span className="mt-0.5">
                    <VerdictIcon verdict={row.verdict} />
                  </span>
                  <span className="min-w-0">
                    <ItemLink row={row} />
                    <span className="block text-xs text-faint">{row.item.target.name}</span>
                    {row.state?.findings[0] === undefined ? null : (
                      <span className="block text-soft">{row.state.findings[0].sentence}</span>
                    )}
                  </span>
                </li>
              ))}
            </ul>
            {members.length > MOST_SHOWN ? (
              <p className="mt-2 text-xs text-faint">and {members.length - MOST_SHOWN} more in the table below</p>
            ) : null}
          </section>
        ))}
      </div>
    </Card>
  );
}

function Waivers({ rows }: { rows: readonly Row[] }) {
  const waived = rows.filter((row) => row.state?.waiver !== undefined);
  if (waived.length === 0) return null;
  return (
    <Card title="Waivers requested">
      <ul className="grid gap-3 text-sm">
        {waived.map((row) => (
          <li key={row.item.key}>
            <ItemLink row={row} />{' '}
            <span className="text-faint">
              · {row.item.target.name} · until {showDate(row.state?.waiver?.until ?? '')}
            </span>
            <p className="text-soft">
              {row.state?.waiver?.reason} Meanwhile: {row.state?.waiver?.compensating}
            </p>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function ItemLink({ row }: { row: Row }) {
  return (
    <button
      type="button"
      className="text-left font-medium text-link underline-offset-2 hover:underline"
      onClick={() => useWizard.setState({ current: row.item.control.id, page: 'walk', filter: 'all' })}
    >
      {row.item.control.title}
    </button>
  );
}

const WORST = ['fail', 'error', 'not-reviewed', 'pass', 'not-applicable'];
type Column = 'verdict' | 'control' | 'target' | 'owner' | 'until';
const COLUMNS: readonly { readonly id: Column; readonly name: string; readonly by: (row: Row) => string | number }[] = [
  { id: 'verdict', name: 'Verdict', by: (row) => WORST.indexOf(row.verdict) },
  { id: 'control', name: 'Control', by: (row) => row.item.control.title.toLowerCase() },
  { id: 'target', name: 'Target', by: (row) => row.item.target.name.toLowerCase() },
  { id: 'owner', name: 'Owner', by: (row) => row.item.control.owner },
  { id: 'until', name: 'Good until', by: (row) => row.state?.goodUntil ?? '9999' },
];

function Items({ rows }: { rows: readonly Row[] }) {
  const [sort, setSort] = useState<{ column: Column; down: boolean }>({ column: 'verdict', down: false });
  const sorted = useMemo(() => {
    const by = COLUMNS.find((column) => column.id === sort.column)?.by ?? (() => 0);
    const compare = (a: Row, b: Row) => (by(a) < by(b) ? -1 : by(a) > by(b) ? 1 : 0);
    return [...rows].sort((a, b) => (sort.down ? -compare(a, b) : compare(a, b)));
  }, [rows, sort]);
  return (
    <Card title="All items" aside={<span className="text-xs text-faint tabular-nums">{rows.length}</span>} flush>
      {rows.length === 0 ? (
        <p className="p-4 text-sm text-soft">The guide gives nothing to check at this site.</p>
      ) : null}
      <table className="w-full text-left text-sm">
        <thead className="text-xs text-soft">
          <tr>
            {COLUMNS.map((column) => {
              const active = sort.column === column.id;
              const Arrow = sort.down ? ArrowDown : ArrowUp;
              return (
                <th
                  key={column.id}
                  scope="col"
                  aria-sort={active ? (sort.down ? 'descending' : 'ascending') : 'none'}
                  className="border-b border-line px-1.5 py-1 font-medium first:pl-2.5"
                >
                  <button
                    type="button"
                    className="inline-flex items-center gap-1 rounded-sm px-1.5 py-1 hover:bg-hover hover:text-ink"
                    onClick={() => setSort({ column: column.id, down: active && !sort.down })}
                  >
                    {column.name}
                    <Arrow aria-hidden className={`size-3 ${active ? '' : 'invisible'}`} />
                  </button>
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {sorted.map((row) => (
            <tr key={row.item.key} className="border-b border-line last:border-b-0 hover:bg-hover">
              <td className="py-1.5 pr-3 pl-4">
                <Verdict verdict={row.verdict} size="sm" />
              </td>
              <td className="px-3 py-1.5">
                <ItemLink row={row} />
              </td>
              <td className="px-3 py-1.5 text-soft">{row.item.target.name}</td>
              <td className="px-3 py-1.5">
                <OwnerBadge owner={row.item.control.owner} />
              </td>
              <td className="px-3 py-1.5 whitespace-nowrap text-soft tabular-nums">
                {row.state?.goodUntil === undefined ? '' : showDate(row.state.goodUntil)}
                {row.expired ? <span className="ml-1.5 font-medium text-error">expired</span> : null}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}
