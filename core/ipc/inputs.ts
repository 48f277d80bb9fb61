import { z } from 'zod';

const handle = z.string().regex(/^h-[0-9a-f]{32}$/);
const none = z.strictObject({});
const key = z.string().min(1).max(400);
const text = (most: number) => z.string().max(most);
/** Longest secret, in characters: a private key in PEM may be one, RSA with 4096 bits included. */
const MAX_SECRET = 8192;
/** Largest picture that crosses, in bytes. */
export const MAX_PICTURE = 32 * 1024 ** 2;
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** What goes into each channel, checked at run time in main's router. */
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
  'secret.put': z.strictObject({ value: text(MAX_SECRET).min(1) }),
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
