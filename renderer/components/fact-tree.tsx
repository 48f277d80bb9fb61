import { showDate, showName, showTime } from '../lib/format.ts';

type Json = Record<string, unknown>;

const MOST_ENTRIES = 60;
const DATE_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/;
const PEM = /^-----BEGIN ([A-Z0-9 ]+)-----/;

/** What a probe saw, as a person reads it: names and values, lists of like things as tables. Nothing is left out. */
export function FactTree({ value }: { value: unknown }) {
  if (!isObject(value)) return <Value value={value} />;
  return <ObjectFacts object={value} />;
}

function ObjectFacts({ object, nested = false }: { object: Json; nested?: boolean }) {
  const entries = Object.entries(object);
  if (entries.length === 0) return <span className="text-faint">nothing</span>;
  return (
    <dl className={`grid gap-y-1 text-sm ${nested ? 'border-l-2 border-line pl-3' : ''}`}>
      {entries.map(([name, value]) => (
        <div
          key={name}
          className={
            isWide(value) ? 'grid gap-1 py-1' : 'grid grid-cols-[minmax(140px,max-content)_minmax(0,1fr)] gap-x-4'
          }
        >
          <dt className="text-faint">{showName(name)}</dt>
          <dd className="min-w-0">
            <Value value={value} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Value({ value }: { value: unknown }) {
  if (Array.isArray(value)) return <List list={value} />;
  if (isObject(value)) return <ObjectFacts object={value} nested />;
  return <Scalar value={value} />;
}

function Scalar({ value }: { value: unknown }) {
  if (typeof value === 'boolean') return <span className="font-medium">{value ? 'yes' : 'no'}</span>;
  if (typeof value === 'number') return <span className="font-medium tabular-nums">{value}</span>;
  if (value === null || value === undefined) return <span className="text-faint">null</span>;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const pem = PEM.exec(text);
  if (pem !== null) {
    return (
      <details>
        <summary className="text-soft">{(pem[1] ?? 'data').toLowerCase()}, PEM</summary>
        <pre className="mt-1 overflow-x-auto font-mono text-2xs leading-4 select-text">{text}</pre>
      </details>
    );
  }
  if (DATE_TIME.test(text)) {
    return (
      <time dateTime={text} title={text} className="font-medium tabular-nums">
        {/T00:00:00(\.0+)?Z$/.test(text) ? showDate(text) : showTime(text)}
      </time>
    );
  }
  if (text === '') return <span className="text-faint">empty text</span>;
  return (
    <span
      className={`select-text ${/^[0-9a-f]{32,}$/.test(text) ? 'font-mono text-xs break-all' : 'font-medium break-words'}`}
    >
      {text}
    </span>
  );
}

function List({ list }: { list: readonly unknown[] }) {
  if (list.length === 0) return <span className="text-faint">none</span>;
  const shown = list.slice(0, MOST_ENTRIES);
  const rest = list.length - shown.length;
  return (
    <>
      {shown.every((entry) => isObject(entry) && Object.values(entry).every((cell) => !isObject(cell))) ? (
        <Table rows={shown as Json[]} />
      ) : shown.some(isObject) ? (
        <div className="grid gap-2">
          {shown.map((entry, index) => (
            <Value key={index} value={entry} />
          ))}
        </div>
      ) : (
        <ul className="flex flex-wrap gap-1">
          {shown.map((entry, index) => (
            <li key={index} className="rounded-sm bg-idle-tint px-1.5 text-sm">
              <Value value={entry} />
            </li>
          ))}
        </ul>
      )}
      {rest > 0 ? <p className="mt-1 text-xs text-faint">and {rest} more, all of them in the bundle</p> : null}
    </>
  );
}

function Table({ rows }: { rows: readonly Json[] }) {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return (
    <div
      className="overflow-x-auto rounded-md border border-line"
      tabIndex={0}
      role="group"
      aria-label="Table of facts"
    >
      <table className="w-full text-left text-sm">
        <thead className="bg-sunken text-xs text-soft">
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col" className="px-2.5 py-1 font-medium whitespace-nowrap">
                {showName(column)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index} className="border-t border-line">
              {columns.map((column) => (
                <td key={column} className="px-2.5 py-1 align-top">
                  {column in row ? <Value value={row[column]} /> : <span className="text-faint">not known</span>}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isWide(value: unknown): boolean {
  return isObject(value) || (Array.isArray(value) && value.some(isObject));
}
