import type { AttachedView, Input, Output, Outputs, PictureView, Push, SealedView } from '../core/ipc.ts';
import type { Result } from '../core/result.ts';
import type { SignerCertificate } from './evidence/signer-certificates.ts';

/**
 * What the desktop's engine process answers: the renderer's channels with every opaque handle already replaced, by main, with
 * the path or the secret it stands for. Secrets live in the arguments of one call and are never stored or logged.
 */
export type ServiceInputs = {
  'guide.load': { path: string; pins: readonly string[] };
  /** The certificate of a signer of a bundle. */
  'trust.signer': { path: string; sha256: string };
  'site.load': { path: string; guidePath?: string };
  'session.list': Record<string, never>;
  'session.open': { guidePath: string; sitePath: string; operator: string; pins: readonly string[] };
  'session.resume': Input<'session.resume'> & { pins: readonly string[] };
  'session.snapshot': Record<string, never>;
  'session.close': Record<string, never>;
  /** @param to path of a certificate in PEM, or a passphrase */
  'session.handOver': {
    to: { certificate: string } | { passphrase: string };
    path: string;
    passphrase?: string;
    out: string;
  };
  'session.takeOver': {
    file: string;
    /** Path of a PKCS#12 or PEM with its passphrase, or the passphrase of the file. */
    opens: { key: string; passphrase?: string } | { passphrase: string };
    operator: string;
    path: string;
    passphrase?: string;
    engineers: readonly string[];
  };
  'secret.supply': { name: string; value: string };
  'people.key': { text: string };
  'people.names': Input<'people.names'>;
  'baseline.choose': { path: string; trust: TrustPems };
  'gate.check': Input<'gate.check'>;
  'preflight.accept': Record<string, never>;
  'walk.run': Input<'walk.run'>;
  'walk.cancel': Record<string, never>;
  'walk.reply': Input<'walk.reply'>;
  'walk.answer': Input<'walk.answer'>;
  'walk.attach': { key: string; path: string };
  'walk.previewPicture': { path: string };
  'walk.attachPicture': Omit<Input<'walk.attachPicture'>, 'picture'> & { path: string };
  'walk.waive': Input<'walk.waive'>;
  'facts.read': Input<'facts.read'>;
  'facts.link': Input<'facts.link'>;
  'change.plan': Input<'change.plan'>;
  'change.apply': Omit<Input<'change.apply'>, 'secret' | 'keyPassphrase'> & {
    password?: string;
    keyPassphrase?: string;
  };
  'change.settle': Input<'change.settle'>;
  'change.handOff': Input<'change.handOff'> & { path: string };
  'change.undo': Input<'change.undo'>;
  /** Where requests for the authority go; nowhere in particular but in the practice hospital. */
  'certificate.folder': Record<string, never>;
  'certificate.handOff': { key: string; path: string };
  'certificate.import': { key: string; path: string; passphrase?: string };
  'certificate.anchors': { key: string; path: string };
  'identity.unlock': { path: string; passphrase?: string };
  'identity.signOpening': { path: string; passphrase?: string };
  'bundle.seal': { path: string; passphrase?: string };
  'bundle.countersign': Omit<Input<'bundle.countersign'>, 'bundle' | 'identity'> & { bundlePath: string; path: string };
  'bundle.list': Record<string, never>;
  'bundle.verify': { path: string; trust: TrustPems; at?: string };
  /** Writes report.html of the bundle into a temporary folder and says where. */
  'bundle.extractReport': { path: string };
  /** @param to paths of certificates in PEM */
  'bundle.encrypt': { path: string; to: readonly string[]; out: string };
  'bundle.decrypt': { file: string; path: string; passphrase?: string; out: string };
  'bundle.editionPlan': { path: string };
  'bundle.edition': { path: string; out: string };
  'report.save': { path: string; report: string; out: string };
  'timestamp.ask': { path: string; authority: string };
  'timestamp.query': { path: string; out: string };
  'timestamp.answer': { path: string; answer: string };
  'outside.prepare': Omit<Input<'outside.prepare'>, 'bundle'> & { path: string; folder: string };
  /** What was prepared lies beside the signature. */
  'outside.import': { path: string; signature: string };
};

/** Root certificates (PEM) per role; an empty list means that nobody is trusted in that role. */
export type TrustPems = {
  readonly engineer: readonly string[];
  readonly hospital: readonly string[];
  readonly publisher: readonly string[];
  readonly timestamp?: readonly string[];
};

type Sealed = Omit<SealedView, 'bundle'>;
type Paths = {
  'trust.signer': SignerCertificate;
  'certificate.folder': { folder?: string };
  'walk.attach': AttachedView;
  /** null: the file is no picture that can be redacted. */
  'walk.previewPicture': Omit<PictureView, 'picture'> | null;
  'bundle.seal': Sealed;
  'bundle.countersign': Sealed;
  'bundle.list': readonly Sealed[];
  'bundle.extractReport': { path: string };
  'bundle.decrypt': { path: string };
  'outside.import': Sealed;
};

export type ServiceMethod = keyof ServiceInputs;
export type ServiceOutput<M extends ServiceMethod> = M extends keyof Paths
  ? Result<Paths[M]>
  : M extends keyof Outputs
    ? Output<M>
    : never;

export type Service = {
  readonly call: <M extends ServiceMethod>(method: M, input: ServiceInputs[M]) => Promise<ServiceOutput<M>>;
  readonly onPush: (listener: (push: Push) => void) => void;
  /** Cancels what runs, closes the journal. */
  readonly close: () => Promise<void>;
};

/** `dataDir` holds sessions/ and bundles/; `assetsDir` the framework mappings. */
export type ServiceOptions = {
  readonly dataDir: string;
  readonly assetsDir: string;
  readonly lockstep: string;
  readonly runtime: Readonly<Record<string, string>>;
};
