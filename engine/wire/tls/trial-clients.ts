import type { ClientTrial } from '../../../core/probes/tls-client-authentication.ts';
import { fail, ok, type Result } from '../../../core/result.ts';
import { CLIENT_IDENTITY_KINDS, type TrialIdentity } from '../../../core/site/schema.ts';
import type { ProbeContext } from '../../context.ts';
import { withForeignKey } from '../../keys/mismatched-key.ts';
import { type ClientIdentity, loadTrialIdentity } from '../../keys/trial-identity.ts';
import { makeUnknownIdentity } from './unknown-identity.ts';

/** A client that a server is to refuse. */
export type Client = {
  readonly presents: ClientTrial;
  /** What sets it apart from another that presents the same kind. */
  readonly as?: string;
  /** Of the trial identity of the site. */
  readonly id?: string;
  /** Absent: no certificate. */
  readonly identity?: ClientIdentity;
};
export type Good = { readonly id: string; readonly identity: ClientIdentity };

/**
 * Reads the site's trial identities and makes those that need no hospital: none, unknown CA, self-signed. Errors are those
 * of `loadTrialIdentity`.
 */
export async function prepareClients(
  ids: readonly string[],
  context: ProbeContext,
): Promise<Result<{ good?: Good; clients: Client[]; noMismatch: string }>> {
  const now = context.now();
  const clients: Client[] = [];
  let good: Good | undefined;
  for (const id of new Set(ids)) {
    const loaded = await loadTrialIdentity(id, context);
    if (!loaded.ok) return loaded;
    const { kind, ...identity } = loaded.value;
    if (kind === 'good') good ??= { id, identity };
    else if (isClientTrial(kind)) clients.push({ presents: kind, id, identity });
    else return fail('site.invalid', `The trial identity "${id}" is that of a server, and this trial wants clients.`);
  }
  // As the good one in all but the issuer: a server that only looks at names, or at kinds of keys, must not seem to insist.
  const guise = {
    names: ['device.lockstep.invalid'],
    usage: 'client',
    ...(good === undefined ? {} : { like: good.identity.certificate }),
  } as const;
  clients.unshift(
    { presents: 'none' },
    { presents: 'unknown-ca', identity: await makeUnknownIdentity({ ...guise, by: 'unknown-ca' }, now) },
    { presents: 'self-signed', identity: await makeUnknownIdentity({ ...guise, by: 'itself' }, now) },
  );
  if (good === undefined)
    return ok({ clients, noMismatch: 'The site gives no good identity to take the certificate of.' });
  const namesake = await makeUnknownIdentity({ ...guise, by: 'namesake' }, now);
  clients.push({ presents: 'unknown-ca', as: "in the name of the good one's issuer", identity: namesake });
  const foreign = withForeignKey(good.identity);
  if (foreign.ok) clients.push({ presents: 'key-mismatch', id: good.id, identity: foreign.value });
  const noMismatch = foreign.ok ? '' : `${foreign.error.message} (${foreign.error.cause})`;
  return ok({ clients, good, noMismatch });
}

function isClientTrial(kind: TrialIdentity['kind']): kind is Exclude<(typeof CLIENT_IDENTITY_KINDS)[number], 'good'> {
  return (CLIENT_IDENTITY_KINDS as readonly string[]).includes(kind) && kind !== 'good';
}
