import { z } from 'zod';
import type { LinkView } from './report/link-picture.ts';
import type { AppError, Result } from './result.ts';
import type { Finding, JournalEvent, Target } from './session/events.ts';
import type { Summary } from './session/summary.ts';

/**
 * The one contract between renderer and main: channel → what goes in (checked at run time in main's router) and what comes
 * out (a Result; checked by the compiler). Files, identities and secrets cross as opaque handles that only main can resolve.
 */
const handle = z.string().regex(/^h-[0-9a-f]{32}$/);
const none = z.strictObject({});
const key = z.string().min(1).max(400);
const text = (most: number) => z.string().max(most);
/** Largest picture that crosses, in bytes. */
export const MAX_PICTURE = 32 * 1024 ** 2;
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

export const INPUTS = {
  'app.info': none,
  'library.list': none,
  /** Shows the system's open dialog. `kind` picks the title and the file filter. */
  'file.choose': z.strictObject({
    kind: z.enum(['guide', 'site', 'bundle', 'identity', 'anchor', 'recipient', 'session']),
  }),
  'guide.load': z.strictObject({ guide: handle }),
  'publisher.pin': z.strictObject({ sha256 }),
  'publisher.unpin': z.strictObject({ sha256 }),
  /** Whom the person trusts in each role, roots and single signers; the practice hospital is not among them. */
  'trust.list': none,
  /** Trusts a signer of this bundle from now on, in the role in which they signed it: this one certificate and no other. */
  'trust.pin': z.strictObject({ bundle: handle, sha256 }),
  'trust.remove': z.strictObject({ role: z.enum(['engineer', 'hospital', 'publisher', 'timestamp']), sha256 }),
  'site.load': z.strictObject({ site: handle, guide: handle.optional() }),
  'session.list': none,
  'session.open': z.strictObject({ guide: handle, site: handle, operator: text(120).min(1) }),
  'session.resume': z.strictObject({ session: z.uuid(), operator: text(120).min(1) }),
  'session.snapshot': none,
  'session.close': none,
  /**
   * Shows the save dialog, writes the open session there as one encrypted file and closes it. To whoever has the key of a
   * certificate, or knows a passphrase; signed with the identity.
   */
  'session.handOver': z.strictObject({
    to: z.union([z.strictObject({ recipient: handle }), z.strictObject({ secret: handle })]),
    identity: handle,
    passphrase: handle.optional(),
  }),
  /** Checks a session that was handed over and adds the operator, whose identity signs. It is opened by resuming it. */
  'session.takeOver': z.strictObject({
    file: handle,
    /** The key of a certificate with its passphrase, or the passphrase of the file. */
    opens: z.union([z.strictObject({ key: handle, secret: handle.optional() }), z.strictObject({ secret: handle })]),
    operator: text(120).min(1),
    identity: handle,
    passphrase: handle.optional(),
  }),
  /** The one channel that a secret crosses, once, from page to main. */
  'secret.put': z.strictObject({ value: text(1024).min(1) }),
  /** Gives a secret that was put to the open session under the name that the site uses. */
  'secret.supply': z.strictObject({ name: text(80), secret: handle }),
  /** Gives the site key, put like any secret, to the open session. */
  'people.key': z.strictObject({ secret: handle }),
  /** The operator's word on whether people may be named where the guide asks for it. */
  'people.names': z.strictObject({ agreed: z.boolean() }),
  /** Verifies an earlier bundle and compares the open session with it. */
  'baseline.choose': z.strictObject({ bundle: handle }),
  'gate.check': z.strictObject({ typed: text(60).optional(), overrideReason: text(500).optional() }),
  'preflight.accept': none,
  'walk.run': z.strictObject({ keys: z.array(key).min(1).max(2000) }),
  'walk.cancel': none,
  'walk.reply': z.strictObject({ ask: text(60), yes: z.boolean() }),
  'walk.answer': z.strictObject({ key, answer: text(40), note: text(8000) }),
  /** Shows the open dialog and attaches the chosen file to the item; a picture comes back to be looked at first. */
  'walk.attach': z.strictObject({ key }),
  /** Attaches a picture that came back: as it was chosen but without its metadata, or as the page burnt boxes into it. */
  'walk.attachPicture': z.strictObject({
    key,
    picture: handle,
    redacted: z
      .instanceof(Uint8Array)
      .refine(({ length }) => length > 0 && length <= MAX_PICTURE)
      .optional(),
    boxes: z.int().min(0).max(1000),
    keepOriginal: z.boolean(),
  }),
  'walk.waive': z.strictObject({
    key,
    reason: text(2000).min(1),
    compensating: text(2000).min(1),
    until: z.iso.datetime(),
  }),
  /** What a check of the open session saw last; the journal names only the file. */
  'facts.read': z.strictObject({ key, check: z.int().min(0).max(100) }),
  /** Who proved what on the link that an item judges, from what its checks saw last. */
  'facts.link': z.strictObject({ key }),
  'change.plan': z.strictObject({ key }),
  'change.apply': z.strictObject({
    key,
    change: text(60),
    ticket: text(120).min(1),
    approver: text(120).min(1),
    /** The window that was approved; `change.refused` outside of it. */
    notBefore: z.iso.datetime().optional(),
    notAfter: z.iso.datetime().optional(),
    /** The account that writes; absent only where nothing but this computer is touched. */
    user: text(256).min(1).optional(),
    secret: handle.optional(),
    /** Locks a key that is made here, and opens it again when it is installed. */
    keyPassphrase: handle.optional(),
  }),
  /** Reads back a change of which the journal does not say how it ended, and records what was found. */
  'change.settle': z.strictObject({ key, change: text(60) }),
  /** Shows the save dialog and writes a plan that was shown as a file for the directory team. */
  'change.handOff': z.strictObject({ key, change: text(60) }),
  /** Plans the undo of a change that was read back; it is applied with `change.apply` like any other. */
  'change.undo': z.strictObject({ key, change: text(60) }),
  /** Shows the save dialog and writes the request of a step for the hospital's authority, with what to do with it. */
  'certificate.handOff': z.strictObject({ key }),
  /** Shows the open dialog, checks what the authority sent against the request, and plans its installation. */
  'certificate.import': z.strictObject({ key, passphrase: handle.optional() }),
  /** Shows the save dialog and writes what the other side must trust to believe the device's certificate. */
  'certificate.anchors': z.strictObject({ key }),
  'identity.list': none,
  'identity.unlock': z.strictObject({ identity: handle, passphrase: handle.optional() }),
  /** Signs the journal's head as the session opens, so that the operator stands for it from its first line. */
  'identity.signOpening': z.strictObject({ identity: handle, passphrase: handle.optional() }),
  'bundle.seal': z.strictObject({ identity: handle, passphrase: handle.optional() }),
  'bundle.countersign': z.strictObject({
    bundle: handle,
    identity: handle,
    passphrase: handle.optional(),
    role: text(120).min(1),
    remark: text(4000),
    /** Steps whose waivers are accepted; none is accepted unasked. */
    accept: z.array(key).max(2000),
  }),
  /** The bundles of the open session that are still where they were sealed, newest first. */
  'bundle.list': none,
  /** As of `at`; without it, as of now. */
  'bundle.verify': z.strictObject({ bundle: handle, at: z.iso.datetime().optional() }),
  'bundle.openReport': z.strictObject({ bundle: handle }),
  'bundle.showInFolder': z.strictObject({ bundle: handle }),
  /** Shows the save dialog and encrypts the bundle to certificates; the bundle itself stays. */
  'bundle.encrypt': z.strictObject({ bundle: handle, to: z.array(handle).min(1).max(20) }),
  /** Shows the open dialog, then the save dialog, and opens a bundle that was encrypted to a certificate of this key. */
  'bundle.decrypt': z.strictObject({ identity: handle, passphrase: handle.optional() }),
  /** What the manufacturer's edition of a bundle leaves out; nothing is written. */
  'bundle.editionPlan': z.strictObject({ bundle: handle }),
  /** Shows the save dialog and writes that edition; the bundle itself stays. */
  'bundle.edition': z.strictObject({ bundle: handle }),
  /** Shows the save dialog and writes a report as it was sealed, by its id in core's list, or the one for people as PDF. */
  'report.save': z.strictObject({ bundle: handle, report: text(40).min(1) }),
  /** Asks an authority for a time-stamp over the network and adds it. */
  'timestamp.ask': z.strictObject({ bundle: handle, authority: text(2000).min(1) }),
  /** Shows the save dialog and writes the query, for an authority that is asked by other means. */
  'timestamp.query': z.strictObject({ bundle: handle }),
  /** Shows the open dialog and adds the authority's answer. */
  'timestamp.answer': z.strictObject({ bundle: handle }),
  /** Shows a dialog for a folder and writes into it what a hospital signs whose key stays where it is. */
  'outside.prepare': z.strictObject({
    bundle: handle,
    name: text(200).min(1),
    role: text(120).min(1),
    remark: text(4000),
    accept: z.array(key).max(2000),
  }),
  /** Shows the open dialog and adds a signature that was made over what was prepared in its folder. */
  'outside.import': z.strictObject({ bundle: handle }),
} as const satisfies Record<string, z.ZodType>;

export type Channel = keyof typeof INPUTS;
export type Input<C extends Channel> = z.input<(typeof INPUTS)[C]>;

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

/** What each channel answers with, inside a Result. */
export type Outputs = {
  'app.info': {
    readonly version: string;
    readonly runtime: Readonly<Record<string, string>>;
    readonly practice: boolean;
    readonly platform: string;
  };
  'library.list': {
    readonly guides: readonly {
      readonly file: FileRef;
      readonly title: string;
      readonly product: string;
      readonly trust: GuideTrust;
      readonly practice: boolean;
    }[];
    readonly sites: readonly { readonly file: FileRef; readonly name: string; readonly practice: boolean }[];
    /** The account that may change the practice hospital's directory; `secret` is good for `change.apply` any number of times. */
    readonly practiceWriter?: { readonly user: string; readonly secret: string };
    /** Likewise for its device's settings. */
    readonly practiceDeviceWriter?: { readonly user: string; readonly secret: string };
  };
  'file.choose': FileRef | null;
  'guide.load': GuideView;
  'publisher.pin': null;
  'publisher.unpin': null;
  'trust.list': readonly TrustedView[];
  'trust.pin': null;
  'trust.remove': null;
  'site.load': SiteView;
  'session.list': readonly {
    readonly session: string;
    readonly guide: string;
    readonly site: string;
    readonly operator: string;
    readonly openedAt: string;
    readonly events: number;
    readonly sealed: boolean;
    /** To whom it was handed over: it goes on there. */
    readonly handedOver?: string;
  }[];
  'session.open': Snapshot;
  'session.resume': Snapshot;
  'session.snapshot': Snapshot | null;
  'session.close': null;
  /** Null when the person thought better of it: then the session is open as before. */
  'session.handOver': { readonly name: string; readonly to: string } | null;
  'session.takeOver': {
    readonly session: string;
    /** All who walked it, the new operator last. */
    readonly operators: readonly string[];
    readonly notices: readonly string[];
  };
  'secret.put': { readonly handle: string; readonly expiresAt: string };
  'secret.supply': null;
  'people.key': { readonly keyId: string };
  'people.names': null;
  'baseline.choose': null;
  'gate.check': { readonly inRange: boolean };
  'preflight.accept': null;
  'walk.run': { readonly finished: number; readonly cancelled: boolean };
  'walk.cancel': null;
  'walk.reply': null;
  'walk.answer': null;
  'walk.attach': AttachedView | PictureView | null;
  'walk.attachPicture': AttachedView;
  'walk.waive': null;
  'facts.read': {
    readonly facts?: unknown;
    readonly notApplicable?: string;
    readonly absent: readonly { readonly path: string; readonly reason: string; readonly notApplicable?: true }[];
  };
  /** Null where nothing ran yet. */
  'facts.link': LinkView | null;
  'change.plan': ChangeView;
  'change.apply': { readonly asPlanned: boolean; readonly differences: readonly string[] };
  'change.settle': {
    /** False where nothing had been written. */
    readonly written: boolean;
    readonly asPlanned: boolean;
    readonly differences: readonly string[];
  };
  /** The file's name; null when the person thought better of it. */
  'change.handOff': { readonly name: string } | null;
  'change.undo': ChangeView;
  /** Names of the files; null when the person thought better of it. */
  'certificate.handOff': { readonly names: readonly string[] } | null;
  'certificate.import': ChangeView | null;
  'certificate.anchors': { readonly names: readonly string[] } | null;
  'identity.list': readonly IdentityView[];
  'identity.unlock': { readonly subject: string; readonly issuer: string; readonly notAfter: string };
  'identity.signOpening': null;
  'bundle.seal': SealedView;
  'bundle.countersign': SealedView;
  'bundle.list': readonly SealedView[];
  'bundle.verify': VerifyView;
  'bundle.openReport': null;
  'bundle.showInFolder': null;
  /** The file's name; null, here and below, when the person thought better of it. */
  'bundle.encrypt': { readonly name: string; readonly recipients: readonly string[] } | null;
  'bundle.decrypt': FileRef | null;
  'bundle.editionPlan': EditionView;
  'bundle.edition': { readonly name: string } | null;
  'report.save': { readonly name: string } | null;
  'timestamp.ask': TimestampView;
  'timestamp.query': { readonly name: string } | null;
  'timestamp.answer': TimestampView | null;
  'outside.prepare': { readonly folder: string; readonly command: string } | null;
  'outside.import': SealedView | null;
};

export type Output<C extends Channel> = Result<Outputs[C], AppError>;

/** Pushed from main to the page. */
export type Push =
  | { readonly kind: 'journal'; readonly events: readonly JournalEvent[] }
  | {
      readonly kind: 'progress';
      readonly key: string;
      readonly line: string;
      readonly done: number;
      readonly total: number;
    }
  | {
      readonly kind: 'ask';
      readonly ask: string;
      readonly key: string;
      readonly question: string;
      /** When the question is taken back, and no counts as the answer. */
      readonly until?: string;
      /** `confirm`: whether a change that may cut off its own way may stay. Default: something to do at the device. */
      readonly about?: 'device' | 'confirm';
    }
  | { readonly kind: 'asked'; readonly ask: string }
  | { readonly kind: 'running'; readonly running: boolean }
  | {
      readonly kind: 'menu';
      readonly command: 'open-guide' | 'open-bundle' | 'hand-over' | 'take-over' | 'run' | 'next' | 'previous' | 'help';
    };

/** What preload exposes as `window.lockstep`. */
export type Bridge = {
  readonly invoke: <C extends Channel>(channel: C, input: Input<C>) => Promise<Output<C>>;
  readonly onPush: (listener: (push: Push) => void) => () => void;
};

export type { AppError, Finding };
