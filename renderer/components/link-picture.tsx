import { useEffect, useState } from 'react';
import type { ItemView } from '../../core/ipc.ts';
import {
  LINK_PICTURE,
  LINK_WORDS,
  type LinkProof,
  linkProofs,
  linkState,
  type LinkView,
} from '../../core/report/link-picture.ts';
import type { AppError } from '../../core/result.ts';
import { call } from '../api.ts';
import { ErrorNote } from './note.tsx';

/** Tells the states apart by how the wire is drawn, too, for those who do not see the colour. */
const WIRES: Readonly<Record<keyof typeof LINK_WORDS, { line: string; width: number; dash?: string; text: string }>> = {
  'encrypted-and-authenticated': { line: 'stroke-pass', width: 5, text: 'text-pass' },
  'encrypted-only': { line: 'stroke-fail', width: 3, dash: '10 5', text: 'text-fail' },
  clear: { line: 'stroke-fail', width: 2, dash: '1 5', text: 'text-fail' },
  undecided: { line: 'stroke-idle', width: 2, dash: '2 6', text: 'text-error' },
};
const PROOFS: Readonly<Record<LinkProof['status'], { ring: string; text: string }>> = {
  observed: { ring: 'stroke-pass', text: 'text-pass' },
  refuted: { ring: 'stroke-fail', text: 'text-fail' },
  'not-tested': { ring: 'stroke-idle', text: 'text-error' },
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
  const { width, height, box, boxes, wire, radius } = LINK_PICTURE;
  const middle = box.y + box.height / 2;
  return (
    <figure className="grid grid-cols-1 gap-2 px-4 py-3" aria-label={`${name}: ${LINK_WORDS[state]}`}>
      <figcaption className={`text-base font-semibold ${text}`}>{LINK_WORDS[state]}</figcaption>
      <svg viewBox={`0 0 ${width} ${height}`} aria-hidden focusable="false" className="w-full max-w-[380px]">
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
            <text x={end.x + box.width / 2} y={middle + 4.5} textAnchor="middle" className="fill-ink text-[12px]">
              {end.name}
            </text>
          </g>
        ))}
        {proofs.map(({ end, status, mark, x }) => (
          <g key={end}>
            <circle cx={x} cy={middle} r={radius} className={`fill-surface ${PROOFS[status].ring}`} strokeWidth="2" />
            <text x={x} y={middle + 4.5} textAnchor="middle" className="fill-ink text-[12px] font-medium">
              {mark}
            </text>
          </g>
        ))}
      </svg>
      <ol className="grid list-decimal gap-1 pl-5 text-sm">
        {proofs.map(({ end, status, sign, word, title, sentence, required }) => (
          <li key={end} className="break-words">
            <span className={`font-semibold ${PROOFS[status].text}`}>
              {sign} {word}
            </span>{' '}
            {title}
            {required ? null : <span className="text-faint"> (the guide does not ask for it)</span>}:{' '}
            <span className="text-soft">{sentence}</span>
          </li>
        ))}
      </ol>
    </figure>
  );
}
