import { REPORTS } from '../../core/report/index.ts';
import { sessionReport } from '../../core/report/session-report.ts';
import { renderHtmlReport } from '../../core/report/html.ts';
import { ok, type Result } from '../../core/result.ts';
import { sealBundle, sessionFiles } from '../evidence/seal.ts';
import type { Identity } from '../keys/identity.ts';
import type { Session } from './session.ts';

export type SealedBundle = {
  readonly path: string;
  readonly sha256: string;
  readonly signatures: number;
  /** True until engineer and hospital have both signed. */
  readonly provisional: boolean;
};

/**
 * Signs the journal's head, seals everything up to there into `out`, and records that it was sealed, outside the payload.
 * Without an identity the bundle is unsigned. Errors: those of signing, sealing and the journal.
 */
export async function sealSession(
  session: Session,
  out: string,
  identity: Identity | undefined,
): Promise<Result<SealedBundle>> {
  if (identity !== undefined) {
    const signed = await session.signHead('close', identity);
    if (!signed.ok) return signed;
  }
  const upTo = session.journal.events.length - 1;
  const model = sessionReport(session.plan, session.journal.events, session.journal.head(), session.outcomes);
  const { guide, site } = await sessionFiles(session.dir);
  const sealed = await sealBundle({
    sessionDir: session.dir,
    upTo,
    guide,
    site,
    report: renderHtmlReport(model),
    reports: Object.fromEntries(
      REPORTS.filter((report) => report.file !== 'report.html').map((report) => [report.file, report.render(model)]),
    ),
    now: session.now(),
    out,
    ...(identity === undefined ? {} : { identity }),
  });
  if (!sealed.ok) return sealed;
  const { sha256, signatures, provisional } = sealed.value;
  const recorded = await session.journal.append('sealed', { upTo, file: out.split(/[\\/]/).at(-1) ?? out, sha256 });
  return recorded.ok ? ok({ path: out, sha256, signatures, provisional }) : recorded;
}

/** A file name for the bundle of a session: site, guide and the day, safe on every system. */
export function bundleName(session: Session): string {
  const { guide, version } = session.plan.guide;
  const stamp = session.now().toISOString().slice(0, 16).replace(/[-:]/g, '').replace('T', '-');
  return `${session.site.sealed.site}-${guide}-${version}-${stamp}.asice`;
}
