import type { Channel, Input } from './ipc/inputs.ts';
import type {
  FileRef,
  GuideTrust,
  GuideView,
  SiteView,
  Snapshot,
  IdentityView,
  SealedView,
  EditionView,
  TrustedView,
  AttachedView,
  PictureView,
  TimestampView,
  VerifyView,
  ChangeView,
} from './ipc/views.ts';
import type { LinkView } from './report/link-picture.ts';
import type { AppError, Result } from './result.ts';
import type { Finding, JournalEvent } from './session/events.ts';

/**
 * The one contract between renderer and main: channel → what goes in (checked at run time in main's router) and what comes
 * out (a Result; checked by the compiler). Files, identities and secrets cross as opaque handles that only main can resolve.
 */
export * from './ipc/inputs.ts';
export type * from './ipc/views.ts';

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
      /** What happens without a yes by then, as the end of a sentence. */
      readonly otherwise?: string;
      /**
       * `free`: whether nobody is treated with the device; `confirm`: whether a change that may cut off its own way may stay.
       * Default: something to do at the device.
       */
      readonly about?: 'device' | 'free' | 'confirm';
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
