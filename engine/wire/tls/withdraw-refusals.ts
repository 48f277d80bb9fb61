import type { z } from 'zod';
import type { AbsentFact } from '../../../core/probes/declaration.ts';
import type { tlsEndpoint } from '../../../core/probes/tls-endpoint.ts';

type Facts = z.input<typeof tlsEndpoint.facts>;

/** Lists that are complete only because the server refused the rest. */
const LISTS = ['weakSuites', 'suites', 'signatures', 'groups', 'alpn'] as const;

/**
 * The same facts without those that rest on a refusal, for a server that in the end did not answer what it had accepted
 * before: from some point on it may have refused everything, because it was tired of us. What it accepted stays.
 * @param absent what was absent already
 */
export function withdrawRefusals(
  { accepts = {}, versions = [], ...rest }: Facts,
  absent: readonly AbsentFact[],
): { facts: Facts; absent: AbsentFact[] } {
  const reason =
    'In the end the server no longer answered an offer that it had accepted before, so its refusals prove nothing.';
  const refused = Object.entries(accepts).flatMap(([key, accepted]) => (accepted ? [] : [`accepts.${key}`]));
  const withdrawn = [
    ...refused,
    ...(refused.length > 0 ? ['versions[].accepted'] : []),
    ...LISTS.filter((path) => rest[path] !== undefined),
    ...(rest.acceptsWeakSuite === false ? ['acceptsWeakSuite'] : []),
    // Without TLS 1.2 it rests on the refusal of every version that knows compression.
    ...(rest.compression === false && accepts.tls12 !== true ? ['compression'] : []),
  ];
  const kept = Object.fromEntries(Object.entries(rest).filter(([path]) => !withdrawn.includes(path)));
  return {
    facts: {
      ...(kept as Omit<Facts, 'accepts' | 'versions'>),
      accepts: Object.fromEntries(Object.entries(accepts).filter(([, accepted]) => accepted)),
      versions: versions.map(({ accepted, ...seen }) => (accepted === true ? { ...seen, accepted } : seen)),
    },
    absent: [
      ...absent.filter(({ path }) => !withdrawn.some((one) => path === one || path.startsWith(`${one}.`))),
      ...withdrawn.map((path) => ({ path, reason })),
    ],
  };
}
