import type { EndObservation, LinkEnd, LinkState } from '../links/link.ts';
import type { AccessChanges } from '../people/access-changes.ts';
import type { EventData, Finding, Owner, Target, Verdict } from '../session/events.ts';
import type { Summary } from '../session/summary.ts';

/** One control at one target, as a report shows it. Plain JSON. */
export type ReportItem = {
  /** `control@kind:id`. */
  readonly key: string;
  readonly control: {
    readonly id: string;
    readonly title: string;
    readonly owner: Owner;
    readonly why: string;
    readonly revision: number;
    /** Heading under which the guide has it. */
    readonly group: string;
    /** The worst of its expectations; orders findings, nothing else. */
    readonly severity: Finding['severity'];
    /** Framework → ids, e.g. `{ mds2: ['AUTH-1.1'] }`. */
    readonly references: Readonly<Record<string, readonly string[]>>;
  };
  readonly target: Target;
  readonly verdict: Verdict;
  readonly findings: readonly Finding[];
  /** Entries of the bundle that hold the facts it was judged from. */
  readonly facts: readonly string[];
  /** What is otherwise than in the earlier bundle that the session was compared with. */
  readonly changed?: AccessChanges;
  /** Of a control that judges a link: who proved what. */
  readonly link?: {
    /** Absent where the observations do not decide it. */
    readonly state?: LinkState;
    readonly sentence: string;
    readonly ends: Readonly<Record<LinkEnd, EndObservation>>;
    /** Ends that the guide wants proven. */
    readonly requires: readonly LinkEnd[];
  };
  /** ISO 8601. */
  readonly judgedAt?: string;
  readonly goodUntil?: string;
  readonly answer?: { readonly answer: string; readonly note: string; readonly by: string; readonly at: string };
  readonly waiver?: { readonly reason: string; readonly compensating: string; readonly until: string };
  readonly deferred?: { readonly to: string; readonly note: string };
  readonly changes: readonly {
    readonly id: string;
    readonly summary: string;
    readonly diff: string;
    readonly phase: string;
    readonly undo: boolean;
    readonly ticket?: string;
    readonly approver?: string;
    readonly asPlanned?: boolean;
    readonly differences?: readonly string[];
  }[];
  readonly attachments: readonly {
    readonly name: string;
    readonly file: string;
    readonly sha256: string;
    readonly size: number;
    readonly redacted?: EventData<'attached'>['redacted'];
  }[];
};

export type SeenCertificate = {
  /** Of the DER, hex. */
  readonly sha256: string;
  readonly subject: string;
  readonly notAfter: string;
  /** The steps whose facts hold it, in words. */
  readonly seen: readonly string[];
};

export type Lane = 'checks' | 'answers' | 'changes' | 'waivers' | 'signatures';
/** One event of the session. `at` in ISO 8601. */
export type Moment = { readonly lane: Lane; readonly at: string };

/**
 * Everything that a report shows; a pure function of the journal up to a line, guide and site, so that the same
 * session gives the same bytes. Signatures are not in it: they are made over the report.
 */
export type ReportModel = {
  readonly title: string;
  readonly practice: boolean;
  readonly guide: {
    readonly id: string;
    readonly version: string;
    readonly sha256: string;
    readonly trust: 'trusted' | 'untrusted' | 'unsigned';
    readonly publisher?: string;
    /** Of the certificate that signed it. */
    readonly publisherSha256?: string;
    /** Product and range of its versions, in words. */
    readonly product?: string;
  };
  readonly site: { readonly id: string; readonly name: string; readonly sha256: string };
  readonly session: {
    readonly id: string;
    readonly operators: readonly { readonly id: string; readonly name: string }[];
    readonly openedAt: string;
    readonly lastAt: string;
    readonly lockstep: string;
  };
  /** The journal line that the report was made from, and its SHA-256. */
  readonly generatedFrom: { readonly upTo: number; readonly sha256: string };
  readonly gate?: EventData<'gate.checked'>;
  /** How people were recorded; absent where nobody was looked at under a key and nobody was asked about names. */
  readonly people?: { readonly keyId?: string; readonly namesAgreed?: boolean };
  /** The earlier bundle that the session was compared with. */
  readonly baseline?: EventData<'baseline.chosen'>;
  readonly items: readonly ReportItem[];
  /** Every certificate in the newest facts, by the end of its validity (ISO 8601). */
  readonly certificates: readonly SeenCertificate[];
  /** How long before an end the guide wants to remind, as ISO 8601 durations in days or weeks. */
  readonly reminders: readonly string[];
  /** What happened when, in the order of the journal. */
  readonly timeline: readonly Moment[];
  /** As of `session.lastAt`. */
  readonly summary: Summary;
};
