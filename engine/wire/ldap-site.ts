import { createHmac, hash, randomBytes } from 'node:crypto';
import { appError, fail, ok, type AppError, type Result } from '../../core/result.ts';
import type { Directory } from '../../core/site/schema.ts';
import type { WriteCredential } from '../changes/change.ts';
import type { ProbeContext } from '../context.ts';
import { isWrongPassword } from './ldap-errors.ts';
import { openLdap, type LdapSession } from './ldap.ts';
import type { DialTarget } from './ldap-dial.ts';
import { addressOf, type DirectoryServer, serversOf } from './ldap-servers.ts';
import { parseDn } from './ldap-names.ts';
import { parseNumber } from './ldap-values.ts';

/** What the root DSE (RFC 4512, 5.1) says about a directory. */
export type RootDse = {
  readonly kind: 'active-directory' | 'ldap';
  readonly namingContexts: readonly string[];
  readonly defaultNamingContext?: string;
  readonly configurationNamingContext?: string;
  readonly domainFunctionality?: number;
  readonly forestFunctionality?: number;
  readonly currentTime?: string;
  /** Functional level of this very server. */
  readonly controllerFunctionality?: number;
  /** Site of the forest that the server lies in (MS-ADTS 3.1.1.3.2.2). */
  readonly adSite?: string;
  readonly globalCatalog?: boolean;
  readonly synchronized?: boolean;
};

/** A bound session with what is needed around it. */
export type SiteDirectory = {
  readonly session: LdapSession;
  readonly root: RootDse;
  readonly baseDn: string;
  readonly user: string;
};

const ACTIVE_DIRECTORY_OIDS = ['1.2.840.113556.1.4.800', '1.2.840.113556.1.4.1851'];
const ROOT_ATTRIBUTES = [
  'namingContexts',
  'defaultNamingContext',
  'configurationNamingContext',
  'supportedCapabilities',
  'domainFunctionality',
  'forestFunctionality',
  'currentTime',
  'domainControllerFunctionality',
  'dsServiceName',
  'isGlobalCatalogReady',
  'isSynchronized',
];

/** Reads the root DSE; servers answer it without a bind. */
export async function readRootDse(session: LdapSession): Promise<Result<RootDse>> {
  const read = await session.read('', ROOT_ATTRIBUTES);
  if (!read.ok) return read;
  const entry = read.value;
  if (entry === undefined) return fail('ldap.protocol', 'The directory shows no root DSE.', { place: session.place });
  const text = (name: string) => entry.text(name);
  const optional = <K extends string, V>(key: K, value: V | undefined) => (value === undefined ? {} : { [key]: value });
  return ok({
    kind: entry.texts('supportedCapabilities').some((oid) => ACTIVE_DIRECTORY_OIDS.includes(oid))
      ? 'active-directory'
      : 'ldap',
    namingContexts: entry.texts('namingContexts'),
    ...optional('defaultNamingContext', text('defaultNamingContext')),
    ...optional('configurationNamingContext', text('configurationNamingContext')),
    ...optional('domainFunctionality', parseNumber(text('domainFunctionality'))),
    ...optional('forestFunctionality', parseNumber(text('forestFunctionality'))),
    ...optional('currentTime', text('currentTime')),
    ...optional('controllerFunctionality', parseNumber(text('domainControllerFunctionality'))),
    ...optional('adSite', siteOf(text('dsServiceName'))),
    ...optional('globalCatalog', truth(text('isGlobalCatalogReady'))),
    ...optional('synchronized', truth(text('isSynchronized'))),
  } as RootDse);
}

function truth(text: string | undefined): boolean | undefined {
  return text === 'TRUE' ? true : text === 'FALSE' ? false : undefined;
}

/** `CN=NTDS Settings,CN=DC1,CN=Servers,CN=Vienna,CN=Sites,…` as `Vienna`. */
function siteOf(serviceName: string | undefined): string | undefined {
  return serviceName === undefined ? undefined : parseDn(serviceName)?.[3]?.[0]?.value;
}

/** The directory of the site, or `site.invalid` where it has none. */
export function directoryOf(context: ProbeContext): Result<Directory> {
  const { directory } = context.site;
  return directory === undefined ? fail('site.invalid', 'The site file names no directory.') : ok(directory);
}

/** PEM of the anchors by which the directory proves itself. */
export function directoryAnchors(context: ProbeContext, directory: Directory): Result<string[]> {
  const found = directory.anchors.map((id) => ({ id, pem: context.anchor(id) }));
  const missing = found.filter(({ pem }) => pem === undefined).map(({ id }) => id);
  if (missing.length > 0) return fail('site.invalid', `The site file has no anchor ${missing.join(', ')}.`);
  return ok(found.map(({ pem }) => pem ?? ''));
}

/** The ways in to one server, in the order in which they are tried. */
export function waysTo(server: DirectoryServer, context: ProbeContext, anchors: readonly string[]): DialTarget[] {
  const address = addressOf(server, context);
  const common = { host: server.host, anchors, ...(address === undefined ? {} : { address }) };
  return [
    ...(server.ldaps === undefined ? [] : [{ ...common, port: server.ldaps, mode: 'ldaps' as const }]),
    ...(server.ldap === undefined ? [] : [{ ...common, port: server.ldap, mode: 'starttls' as const }]),
  ];
}

/**
 * Logons that a directory refused in the last minutes, as keyed digests: the same wrong password again, once per control,
 * would lock the account out.
 */
const refused = new Map<string, { until: number; error: AppError }>();
const REFUSED_MS = 5 * 60_000;
/** Bytes that SHA-256 takes at a time. */
const HMAC_BLOCK = 64;
const refusedKey = randomBytes(32);

/** Binds, unless this very logon was refused a short while ago. */
export async function bindOnce(
  session: LdapSession,
  directory: Directory,
  who: WriteCredential,
  now: Date,
): Promise<Result<void>> {
  const parts = [directory.baseDn, session.place, who.user, who.password];
  const key = createHmac('sha256', refusedKey).update(JSON.stringify(parts)).digest('hex');
  const before = refused.get(key);
  if (before !== undefined && now.getTime() < before.until) {
    const { code, message, fixBy, place } = before.error;
    return fail(
      code,
      `${message} It was not tried again, so that the account is not locked out; supply another password, or wait five minutes.`,
      {
        fixBy,
        ...(place === undefined ? {} : { place }),
      },
    );
  }
  const bound = await session.bind(who.user, who.password);
  // Every other refusal, of a disabled account for one, comes to those who know the password, and counts for nothing.
  if (!bound.ok && bound.error.code === 'ldap.credentials' && isWrongPassword(bound.error))
    refused.set(key, { until: now.getTime() + REFUSED_MS, error: bound.error });
  else refused.delete(key);
  return bound;
}

/**
 * Opens the first server of the site that proves itself, binds and runs `work` within that host's connection slot. The
 * user is the site's bind account, or `credential` for a change.
 * @returns what `work` returns; else the most telling error: a certificate that fails before a host that is down
 */
export async function withDirectory<T>(
  context: ProbeContext,
  work: (directory: SiteDirectory) => Promise<Result<T>>,
  credential?: WriteCredential,
): Promise<Result<T>> {
  const site = directoryOf(context);
  if (!site.ok) return site;
  const directory = site.value;
  const anchors = directoryAnchors(context, directory);
  if (!anchors.ok) return anchors;
  const who = credential === undefined ? await siteCredential(context, directory) : ok(credential);
  if (!who.ok) return who;
  const servers = await serversOf(context, directory);
  if (!servers.ok) return servers;
  const errors: AppError[] = [];
  for (const server of servers.value) {
    for (const target of waysTo(server, context, anchors.value)) {
      const outcome = await context.connection(server.host, async () => {
        const opened = await openLdap(target, context.signal);
        if (!opened.ok) return { opened };
        try {
          return { done: await runBound(opened.value, directory, who.value, context.now(), work) };
        } finally {
          opened.value.close();
        }
      });
      if (outcome.done !== undefined) return outcome.done;
      errors.push(outcome.opened.error);
      if (context.signal.aborted) return { ok: false, error: outcome.opened.error };
    }
  }
  const telling =
    errors.find(({ code }) => code.startsWith('tls.')) ??
    errors.find(({ code }) => code.startsWith('ldap.')) ??
    errors[0];
  return { ok: false, error: telling ?? appError('site.invalid', 'No directory server of the site names a port.') };
}

async function siteCredential(context: ProbeContext, directory: Directory): Promise<Result<WriteCredential>> {
  const password = await context.secret(directory.secret);
  return password.ok ? ok({ user: directory.bindAccount, password: password.value }) : password;
}

async function runBound<T>(
  session: LdapSession,
  directory: Directory,
  who: WriteCredential,
  now: Date,
  work: (directory: SiteDirectory) => Promise<Result<T>>,
): Promise<Result<T>> {
  const bound = await bindOnce(session, directory, who, now);
  if (!bound.ok) return bound;
  const root = await readRootDse(session);
  if (!root.ok) return root;
  return work({ session, root: root.value, baseDn: directory.baseDn, user: who.user });
}

/** A person's pseudonym: HMAC-SHA256 of the stable id under the site's key, hex; undefined without a key. */
export function pseudonymOf({ siteKey }: ProbeContext, id: string): string | undefined {
  if (siteKey === undefined) return undefined;
  const text = id.toLowerCase();
  if (siteKey.length > HMAC_BLOCK) return createHmac('sha256', siteKey).update(text).digest('hex');
  // RFC 2104, 2, by digests in one call each: tens of thousands of Hmac objects take ten times as long.
  const { inner, outer } = blocksOf(siteKey);
  const digest = hash('sha256', Buffer.concat([inner, Buffer.from(text)]), 'buffer');
  return hash('sha256', Buffer.concat([outer, digest]), 'hex');
}

/** The key as HMAC puts it in front, for as long as the key itself is held. */
const blocks = new WeakMap<Uint8Array, { readonly inner: Buffer; readonly outer: Buffer }>();

function blocksOf(key: Uint8Array): { readonly inner: Buffer; readonly outer: Buffer } {
  const known = blocks.get(key) ?? { inner: padded(key, 0x36), outer: padded(key, 0x5c) };
  blocks.set(key, known);
  return known;
}

function padded(key: Uint8Array, pad: number): Buffer {
  const block = Buffer.alloc(HMAC_BLOCK, pad);
  for (const [at, byte] of key.entries()) block[at] = byte ^ pad;
  return block;
}
