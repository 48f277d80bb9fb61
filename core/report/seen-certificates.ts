import type { Plan } from '../guide/plan.ts';
import type { SeenCertificate } from './model.ts';
import type { ItemOutcomes } from './session-report.ts';

/** Facts nest; nothing honest nests this deep. */
const MAX_DEPTH = 12;

/**
 * The certificates that the newest facts hold, each once. Facts of every probe are searched, so that one which is added
 * later needs nothing here: whatever carries `subject`, `notAfter` and the digest of a certificate is one.
 */
export function seenCertificates(plan: Plan, outcomes: ItemOutcomes): readonly SeenCertificate[] {
  const found = new Map<string, { subject: string; notAfter: string; seen: Set<string> }>();
  for (const item of plan.items) {
    const where = `${item.control.title}, ${item.target.name}`;
    const take = (value: unknown, depth: number): void => {
      if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return;
      const certificate = certificateOf(value as Readonly<Record<string, unknown>>);
      if (certificate !== undefined) {
        const known = found.get(certificate.sha256) ?? { ...certificate, seen: new Set<string>() };
        known.seen.add(where);
        found.set(certificate.sha256, known);
      }
      for (const child of Object.values(value)) take(child, depth + 1);
    };
    for (const outcome of outcomes.get(item.key)?.values() ?? []) if ('facts' in outcome) take(outcome.facts.facts, 0);
  }
  return [...found]
    .map(([sha256, { subject, notAfter, seen }]) => ({ sha256, subject, notAfter, seen: [...seen] }))
    .sort((a, b) => (a.notAfter + a.sha256 < b.notAfter + b.sha256 ? -1 : 1));
}

function certificateOf(
  value: Readonly<Record<string, unknown>>,
): { sha256: string; subject: string; notAfter: string } | undefined {
  const { sha256, subject, notAfter } = value;
  return typeof sha256 === 'string' &&
    /^[0-9a-f]{64}$/.test(sha256) &&
    typeof subject === 'string' &&
    typeof notAfter === 'string' &&
    /^\d{4}-/.test(notAfter) &&
    !Number.isNaN(Date.parse(notAfter))
    ? { sha256, subject, notAfter: new Date(notAfter).toISOString() }
    : undefined;
}
