import { type ImpostorTrial, tlsImpostor } from '../../core/probes/tls-impostor.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import { defineProbe, type ProbeContext } from '../context.ts';
import { type ClientIdentity, loadTrialIdentity } from '../keys/trial-identity.ts';
import { abortError } from '../wire/tcp.ts';
import { anchorPems } from '../wire/tls/anchors.ts';
import { type Impostor, listenAsImpostor } from '../wire/tls/impostor.ts';
import { deviceAddresses, visitsOf } from '../wire/tls/impostor-device.ts';
import { askUntil, type Summons, summon } from '../wire/tls/impostor-trigger.ts';
import { type ImpostorSeen, impostorFacts } from '../wire/tls/impostor-trials.ts';
import { makeUnknownIdentity } from '../wire/tls/unknown-identity.ts';

type Shown = { readonly presents: ImpostorTrial | 'good'; readonly id?: string; readonly identity: ClientIdentity };

/** A device that retries, or is slow to hang up, is given this long after the trigger said that it is done. */
const SETTLE_MS = 1_500;
/** Likewise, once it was seen not to come again after the first. */
const SHORT_SETTLE_MS = 500;
/** How long the operator may take to make sure that the device is free, and to set it back. */
const PATIENCE_MS = 600_000;
const KINDS = {
  'server-good': 'good',
  'server-wrong-name': 'wrong-name',
  'server-expired': 'expired',
  'server-revoked': 'revoked',
} as const;

export const tlsImpostorProbe = defineProbe(tlsImpostor, async ({ as, listen, seconds }, context) => {
  const name = as.serverName ?? as.host;
  const anchors = anchorPems(undefined, context);
  if (!anchors.ok) return anchors;
  const shown = await identitiesToShow(name, listen.address, listen.identities, context);
  if (!shown.ok) return shown;
  const device = await deviceAddresses(listen, context);
  const free = await confirmFree(name, context);
  if (!free.ok) return free;
  const [first] = shown.value;
  const listening = await listenAsImpostor(listen.address, listen.port, first.identity, as.starttls === 'ldap');
  if (!listening.ok) return listening;
  const impostor = listening.value;
  const listened = `${listen.address}:${impostor.port}`;
  const summons: Summons = { listen, name, seconds, anchors: anchors.value };
  const seen: ImpostorSeen[] = [];
  let restored: boolean | undefined;
  try {
    for (const one of shown.value) {
      const tried = await show(one, summons, impostor, seen.length > 0, context);
      if (context.signal.aborted) break;
      seen.push(tried);
      // Who never came, or whose API refuses, is not asked again.
      if (tried.visits.length > 0) continue;
      if (!tried.triggered.ok) return tried.triggered;
      break;
    }
    if (listen.trigger === 'operator' && seen.some(({ visits }) => visits.length > 0))
      restored = await checkRestored(name, impostor, first.identity, device, context);
  } finally {
    await impostor.stop();
  }
  if (context.signal.aborted) return { ok: false, error: abortError(context.signal, listened) };
  return ok({ kind: 'facts', ...impostorFacts(seen, listened, device, listen.trigger !== 'operator', restored) });
});

/** The good one first, as a positive control: what a device refuses afterwards it would else have talked to. */
async function identitiesToShow(
  name: string,
  address: string,
  ids: readonly string[],
  context: ProbeContext,
): Promise<Result<[Shown, ...Shown[]]>> {
  const shown: [Shown, ...Shown[]] = [
    {
      presents: 'unknown-ca',
      identity: await makeUnknownIdentity({ by: 'unknown-ca', names: [name, address], usage: 'server' }, context.now()),
    },
  ];
  for (const id of new Set(ids)) {
    const loaded = await loadTrialIdentity(id, context);
    if (!loaded.ok) return loaded;
    const { kind, ...identity } = loaded.value;
    if (!(kind in KINDS))
      return fail('site.invalid', `The trial identity "${id}" is that of a client, and an impostor wants servers.`);
    const presents = KINDS[kind as keyof typeof KINDS];
    if (presents === 'good') shown.unshift({ presents, id, identity });
    else shown.push({ presents, id, identity });
  }
  return ok(shown);
}

async function confirmFree(name: string, context: ProbeContext): Promise<Result<undefined>> {
  // Nobody is treated in a practice hospital.
  if (context.site.practice) return ok(undefined);
  const question = `Is the device free, and nobody treated with it now? For a moment it will talk to Lockstep in the place of ${name}.`;
  const free = await askUntil(Date.now() + PATIENCE_MS, question, context, {
    otherwise: 'the device is left alone, and this check ends as an error',
    kind: 'free',
  });
  if (context.signal.aborted) return { ok: false, error: abortError(context.signal) };
  return free
    ? ok(undefined)
    : fail('probe.cancelled', 'Nobody confirmed that the device is not in clinical use, so it was left alone.', {
        fixBy: 'operator',
      });
}

/** Plays the server with one identity. */
async function show(
  { identity, ...who }: Shown,
  summons: Summons,
  impostor: Impostor,
  again: boolean,
  context: ProbeContext,
): Promise<ImpostorSeen> {
  impostor.present(identity);
  context.progress(`Listening as ${summons.name} on port ${impostor.port} (${who.presents})`);
  const triggered = await summon(summons, impostor, again, context);
  // A device that was refused TLS, or refused it, may come again in clear text.
  if (triggered.ok) await pause(who.presents === 'unknown-ca' ? SETTLE_MS : SHORT_SETTLE_MS, context.signal);
  return { ...who, visits: impostor.present(identity), triggered };
}

/** Whether the device, set back and told to send, stays away. Absent where the operator did not get to it. */
async function checkRestored(
  name: string,
  impostor: Impostor,
  identity: ClientIdentity,
  device: readonly string[] | undefined,
  context: ProbeContext,
): Promise<boolean | undefined> {
  const question = `Set the device back to ${name}, send one test message, and say when it is done.`;
  const done = await askUntil(Date.now() + PATIENCE_MS, question, context, {
    otherwise: 'the record says that nobody checked whether the device was set back',
  });
  if (done) await pause(SETTLE_MS, context.signal);
  // A device that still comes here was not set back, whatever was said.
  if (visitsOf(device, impostor.present(identity)).length > 0) return false;
  return done ? true : undefined;
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    if (signal.aborted) done();
    else signal.addEventListener('abort', done, { once: true });
  });
}
