import { dirname, join } from 'node:path';
import { fail, ok, type Result } from '../core/result.ts';
import type { ServiceInputs, ServiceMethod } from './service-contract.ts';
import { type Applied, applyChange, type ShownChange } from './session/changes.ts';
import { exportAnchors, handOffRequest, importCertificate } from './session/enrol.ts';
import type { Session } from './session/session.ts';

type CertificateMethod = Extract<ServiceMethod, `certificate.${string}`>;
type Handlers = { readonly [M in CertificateMethod]: (input: ServiceInputs[M]) => Promise<Result<unknown>> };

/**
 * What the desktop's engine does about a device's certificate between its two steps: the request goes out, the answer comes in.
 * @param inSession runs its work on the open session
 * @param view what the page sees of a plan
 */
export function certificateHandlers(
  inSession: (work: (open: Session) => Promise<Result<unknown>>) => Promise<Result<unknown>>,
  view: (shown: Result<ShownChange>) => Result<unknown>,
): Handlers {
  const named = async (files: Promise<Result<readonly string[]>>): Promise<Result<unknown>> => {
    const written = await files;
    return written.ok ? ok({ names: written.value }) : written;
  };
  return {
    // Whoever runs the practice hospital's authority looks into this folder beside its site file.
    'certificate.folder': () =>
      inSession(async ({ site }) => ok(site.sealed.practice ? { folder: join(dirname(site.path), 'authority') } : {})),
    'certificate.handOff': ({ key, path }) => inSession((open) => named(handOffRequest(open, key, path))),
    'certificate.import': ({ key, path, passphrase }) =>
      inSession(async (open) => view(await importCertificate(open, key, path, passphrase))),
    'certificate.anchors': ({ key, path }) => inSession((open) => named(exportAnchors(open, key, path))),
  };
}

/**
 * Applies a change as the page asked for it. An account is needed for all that is written elsewhere; only a request whose key is
 * made here touches nothing but this computer. Errors: `input.malformed`, and those of `applyChange`.
 */
export async function applyFromPage(
  session: Session,
  { key, change, user, password, keyPassphrase, ...approval }: ServiceInputs['change.apply'],
): Promise<Result<Applied>> {
  const step = session.state().items[key]?.changes.find(({ id }) => id === change)?.step;
  const local = step?.made === 'here' && (step.do === 'request' || step.do === 'discard');
  if (!local && (user === undefined || password === undefined))
    return fail('input.malformed', 'This change needs an account that may write, and its password.');
  const credential = {
    user: user ?? '',
    password: password ?? '',
    ...(keyPassphrase === undefined ? {} : { keyPassphrase }),
  };
  return applyChange(session, key, change, { ...approval, credential });
}
