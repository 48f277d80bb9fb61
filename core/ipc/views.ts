import type { JournalEvent, Target } from '../session/events.ts';
import type { Summary } from '../session/summary.ts';

export type FileRef = { readonly handle: string; readonly name: string };
export type GuideTrust = 'trusted' | 'untrusted' | 'unsigned';
export type PublisherView = {
  readonly subject: string;
  readonly issuer: string;
  readonly sha256: string;
  readonly notAfter: string;
};

export type GuideView = {
  readonly id: string;
  readonly version: string;
  readonly title: string;
  readonly summary: string;
  readonly publisher: { readonly name: string; readonly contact: string };
  readonly product: {
    readonly vendor: string;
    readonly name: string;
    readonly versions: string;
    readonly observed: boolean;
  };
  readonly controls: number;
  readonly trust: GuideTrust;
  /** The certificate that signed it; absent when unsigned. */
  readonly signer?: PublisherView;
  readonly inputs: readonly {
    readonly name: string;
    readonly title: string;
    readonly type: string;
    readonly owner: string;
    readonly help?: string;
  }[];
};

export type SiteView = {
  readonly id: string;
  readonly name: string;
  readonly practice: boolean;
  readonly directory?: {
    readonly kind: string;
    readonly baseDn: string;
    readonly servers: readonly string[];
    readonly bindAccount: string;
  };
  readonly anchors: readonly {
    readonly id: string;
    readonly subject: string;
    readonly sha256: string;
    readonly notAfter: string;
  }[];
  readonly roles: readonly { readonly id: string; readonly name: string; readonly group: string }[];
  readonly devices: readonly { readonly id: string; readonly name: string; readonly host: string }[];
  readonly links: readonly {
    readonly id: string;
    readonly name: string;
    readonly protocol: string;
    readonly device: string;
    readonly server: string;
  }[];
};

/** A plan item as the walk shows it. */
export type ItemView = {
  readonly key: string;
  readonly control: {
    readonly id: string;
    readonly revision: number;
    readonly title: string;
    readonly owner: 'manufacturer' | 'hospital' | 'shared';
    readonly group: string;
    readonly why: string;
    readonly instructions: string;
    readonly references: Readonly<Record<string, readonly string[]>>;
    readonly validFor?: string;
    readonly manual?: {
      readonly question: string;
      readonly evidence: readonly string[];
      readonly required: boolean;
      readonly answers: readonly string[];
    };
    readonly change?: {
      readonly kind: string;
      readonly title: string;
      readonly rights: string;
      readonly visible: readonly string[];
      /** What the site file lacks for it, as a sentence. */
      readonly lacks?: string;
    };
  };
  readonly target: Target;
  readonly applies: boolean;
  /** Whether it judges a link's state: `facts.link` says who proved what. */
  readonly link: boolean;
  readonly checks: readonly { readonly probe: string; readonly title: string; readonly visible: readonly string[] }[];
};

/** How people are recorded, besides what the journal says of it. */
export type PeopleView = {
  /** Id of the key that the site file names. */
  readonly expected?: string;
  /** The site key was given since the session was opened here. */
  readonly keyed: boolean;
  /** Steps that ask for names, with what they are applied to. */
  readonly asking: readonly { readonly key: string; readonly title: string; readonly target: string }[];
};

export type Snapshot = {
  readonly session: string;
  readonly guide: GuideView;
  readonly site: SiteView;
  readonly items: readonly ItemView[];
  /** The whole journal so far; the renderer reduces it with core's reducer. */
  readonly events: readonly JournalEvent[];
  /** Absent where the site has no directory, and so nobody is looked at. */
  readonly people?: PeopleView;
  /** Passwords that the site names, and whether they were supplied. */
  readonly secrets: readonly { readonly name: string; readonly purpose: string; readonly supplied: boolean }[];
  readonly running: boolean;
  /** Why nothing may be changed here (an unsigned or untrusted guide); absent where changes are allowed. */
  readonly readOnly?: string;
  /** What resuming found, e.g. a torn last line kept aside. */
  readonly notices: readonly string[];
};

export type IdentityView = {
  readonly file: FileRef;
  readonly subject?: string;
  readonly role: 'engineer' | 'hospital' | 'unknown';
  readonly practice: boolean;
  readonly needsPassphrase: boolean;
};
export type SealedView = {
  readonly bundle: FileRef;
  readonly path: string;
  readonly provisional: boolean;
  readonly sha256: string;
  /** Waivers that it asks for. */
  readonly waivers: readonly AskedWaiver[];
  /** Steps whose waivers a countersignature accepts. */
  readonly accepted: readonly string[];
};
/** What an edition of a bundle leaves out, by which rule, what stays, and who signed: they stay named. */
export type EditionView = {
  readonly leftOut: readonly { readonly name: string; readonly rule: string }[];
  readonly stays: readonly string[];
  readonly signers: readonly string[];
};
/** A certificate that is trusted in one role. */
export type TrustedView = {
  readonly role: 'engineer' | 'hospital' | 'publisher' | 'timestamp';
  readonly subject: string;
  readonly sha256: string;
  /** ISO 8601. */
  readonly notAfter: string;
  /** A root, and all that leads to it; or a signer, this one certificate alone. */
  readonly kind: 'root' | 'signer';
};
export type AttachedView = { readonly name: string; readonly sha256: string };
/** A chosen picture, without its metadata and the right way up, that is not attached yet. */
export type PictureView = { readonly picture: FileRef; readonly type: string; readonly bytes: Uint8Array<ArrayBuffer> };
export type TimestampView = { readonly time: string; readonly authority: string; readonly sha256: string };
/** A waiver that a bundle asks for. */
export type AskedWaiver = {
  readonly key: string;
  readonly reason: string;
  readonly compensating: string;
  /** ISO 8601. */
  readonly until: string;
};
export type VerifyView = {
  /** Nothing bad was found and both parties have signed. */
  readonly sound: boolean;
  /** Every step is decided and no evidence has run out. */
  readonly complete: boolean;
  /** It is an edition: for whom, and how many parts it leaves out. Then nothing can be judged again, and it is never sound. */
  readonly edition?: { readonly for: string; readonly leftOut: number };
  /** The verdicts judged again, summed up; absent where guide and facts could not be read. */
  readonly summary?: Summary;
  readonly findings: readonly {
    readonly severity: 'bad' | 'warn' | 'info';
    readonly code: string;
    readonly sentence: string;
    readonly place?: string;
  }[];
  readonly signers: readonly {
    readonly role: string;
    readonly subject: string;
    readonly at?: string;
    /** Of the certificate, and whether it leads to somebody who is trusted in this role. */
    readonly sha256?: string;
    readonly trusted?: boolean;
  }[];
  /** Waivers that the bundle asks for; those that a countersignature accepted are in `summary.waived`. */
  readonly waivers: readonly AskedWaiver[];
};
export type ChangeView = {
  readonly change: string;
  readonly kind: string;
  readonly summary: string;
  readonly diff: string;
  readonly undo: boolean;
  readonly visible: readonly string[];
  readonly rights: string;
};
