import { useEffect, useState } from 'react';
import type { ItemView } from '../../core/ipc.ts';
import {
  LINK_PICTURE,
  LINK_WORDS,
  linkMeans,
  type LinkProof,
  linkProofs,
  linkState,
  type LinkView,
  PADLOCK,
} from '../../core/report/link-picture.ts';
import type { AppError } from '../../core/result.ts';
import { call } from '../api.ts';
import { showTimesIn } from '../lib/format.ts';
import { Eyebrow } from './layout.tsx';
import { ErrorNote } from './note.tsx';

/** Tells the states apart by how the wire is drawn, too, for those who do not see the colour. */
const WIRES: Readonly<Record<keyof typeof LINK_WORDS, { line: string; width: number; dash?: string; text: string }>> = {
  'encrypted-and-authenticated': { line: 'stroke-pass', width: 5, text: 'text-pass' },
  'encrypted-only': { line: 'stroke-fail', width: 3, dash: '10 5', text: 'text-fail' },
  clear: { line: 'stroke-fail', width: 2, dash: '1 5', text: 'text-fail' },
  undecided: { line: 'stroke-idle', width: 2, dash: '2 6', text: 'text-error' },
};
const PROOFS: Readonly<Record<LinkProof['status'], { ring: string; mark: string; text: string }>> = {
  observed: { ring: 'stroke-pass', mark: 'fill-pass', text: 'text-pass' },
  refuted: { ring: 'stroke-fail', mark: 'fill-fail', text: 'text-fail' },
  'not-tested': { ring: 'stroke-error', mark: 'fill-error', text: 'text-error' },
};

/** The link that a control judges, as the report draws it: which end proved what, and what was not tested. */
export function LinkPicture({ item, judgedAt }: { item: ItemView; judgedAt: string | undefined }) {
  const [link, setLink] = useState<LinkView | null>(null);
  const [error, setError] = useState<AppError>();
  // Judged again, the proofs may be others.
  useEffect(() => {
    let stale = false;
    if (judgedAt === undefined) setLink(null);
    else
      void call('facts.link', { key: item.key }).then((result) => {
        if (stale) return;
        setLink(result.ok ? result.value : null);
        setError(result.ok ? undefined : result.error);
      });
    return () => {
      stale = true;
    };
  }, [item.key, judgedAt]);
  if (error !== undefined)
    return (
      <div className="p-4">
        <ErrorNote error={error} />
      </div>
    );
  return link === null ? null : <Drawn link={link} name={item.target.name} />;
}

function Drawn({ link, name }: { link: LinkView; name: string }) {
  const state = linkState(link);
  const proofs = linkProofs(link);
  const { line, width: stroke, dash, text } = WIRES[state];
  const { width, height, middle, box, boxes, wire, radius } = LINK_PICTURE;
  return (
    <figure className="grid grid-cols-[minmax(0,42rem)] gap-3 px-4 py-3.5" aria-label={`${name}: ${LINK_WORDS[state]}`}>
      <figcaption>
        <span className={`block text-base font-semibold ${text}`}>{LINK_WORDS[state]}</span>
        <span className="block text-sm text-soft">{linkMeans(link)}</span>
      </figcaption>
      <svg viewBox={`0 0 ${width} ${height}`} aria-hidden focusable="false" className="w-full">
        <path d={wire} fill="none" className={line} strokeWidth={stroke} strokeDasharray={dash} />
        {boxes.map((end) => (
          <g key={end.name}>
            <rect
              x={end.x}
              y={box.y}
              width={box.width}
              height={box.height}
              rx="6"
              className="fill-sunken stroke-edge"
            />
            <text
              x={end.x + box.width / 2}
              y={middle.y + 4.5}
              textAnchor="middle"
              className="fill-ink text-[13px] font-medium"
            >
              {end.name}
            </text>
          </g>
        ))}
        <Padlock state={state} line={line} />
        {proofs.map(({ end, status, mark, x }) => (
          <g key={end}>
            <circle cx={x} cy={middle.y} r={radius} className={`fill-surface ${PROOFS[status].ring}`} strokeWidth="2" />
            <text
              x={x}
              y={middle.y + 4.5}
              textAnchor="middle"
              className={`${PROOFS[status].mark} text-[12px] font-semibold`}
            >
              {mark}
            </text>
          </g>
        ))}
      </svg>
      <div className="grid grid-cols-2 gap-x-6">
        {boxes.map(({ name: box }) => (
          <section key={box} className="grid content-start gap-1.5">
            <Eyebrow level={4}>{box}</Eyebrow>
            <ul className="grid gap-1.5 text-sm">
              {proofs
                .filter(({ at }) => at === box.toLowerCase())
                .map((proof) => (
                  <Proof key={proof.end} proof={proof} />
                ))}
            </ul>
          </section>
        ))}
      </div>
    </figure>
  );
}

function Proof({ proof: { status, mark, statement, sentence, required } }: { proof: LinkProof }) {
  return (
    <li className="break-words text-pretty">
      <span className={`font-semibold ${PROOFS[status].text}`}>
        {mark} {statement}.
      </span>{' '}
      <span className="text-soft">{showTimesIn(sentence)}</span>
      {required ? null : <span className="text-faint"> The guide does not ask for it.</span>}
    </li>
  );
}

/** Whether others can read along, in the middle of the wire. */
function Padlock({ state, line }: { state: keyof typeof LINK_WORDS; line: string }) {
  const { middle, radius } = LINK_PICTURE;
  return (
    <g transform={`translate(${middle.x} ${middle.y})`} strokeWidth="2">
      <circle r={radius} className={`fill-surface ${line}`} />
      {state === 'undecided' ? (
        <text y="4.5" textAnchor="middle" className="fill-ink text-[13px] font-semibold">
          ?
        </text>
      ) : (
        <>
          <path
            d={PADLOCK.body}
            className={`${line} ${state === 'encrypted-and-authenticated' ? 'fill-pass' : 'fill-surface'}`}
          />
          <path d={state === 'clear' ? PADLOCK.open : PADLOCK.shut} fill="none" className={line} />
        </>
      )}
    </g>
  );
}
