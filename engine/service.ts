import { basename, join } from 'node:path';
import type { Push } from '../core/ipc.ts';
import { linkOf } from '../core/report/session-report.ts';
import { fail, ok, type Result } from '../core/result.ts';
import { previewPicture } from './evidence/redact.ts';
import { signerCertificate } from './evidence/signer-certificates.ts';
import { loadIdentity } from './keys/identity.ts';
import { bundleHandlers } from './service-bundles.ts';
import { applyFromPage, certificateHandlers } from './service-certificates.ts';
import { peopleHandlers } from './service-people.ts';
import type { Service, ServiceInputs, ServiceMethod, ServiceOptions } from './service-contract.ts';
import { viewGuide, viewSession, viewSite } from './service-views.ts';
import { planChange, planUndo, settleChange, type ShownChange } from './session/changes.ts';
import { handOff } from './session/hand-off.ts';
import { listSessions } from './session/list.ts';
import { loadGuide } from './session/load-guide.ts';
import { loadSite } from './session/load-site.ts';
import { moveIn, moveOut } from './service-move.ts';
import { openSession, resumeSession } from './session/open-session.ts';
import type { Session, SessionOptions } from './session/session.ts';
import { CHANGES } from './changes/index.ts';
import { planOf } from './session/plan-of.ts';

type Handlers = { readonly [M in ServiceMethod]: (input: ServiceInputs[M]) => Promise<Result<unknown>> };

/** The desktop's engine: one open session at a time, answering main's calls and pushing what happens. */
export function createService(options: ServiceOptions): Service {
  const listeners: ((push: Push) => void)[] = [];
  const push = (message: Push) => {
    for (const listener of listeners) listener(message);
  };
  const sessions = join(options.dataDir, 'sessions');
  let session: Session | undefined;
  let running: AbortController | undefined;
  let asks = 0;
  let current = '';
  const waiting = new Map<string, (yes: boolean) => void>();

  const reply = (ask: string, yes: boolean) => {
    waiting.get(ask)?.(yes);
    if (waiting.delete(ask)) push({ kind: 'asked', ask });
  };
  const hostOf = (operator: string): SessionOptions => ({
    now: () => new Date(),
    lockstep: options.lockstep,
    runtime: options.runtime,
    operator,
    ask: (question, { until, otherwise, kind } = {}) =>
      new Promise((resolve) => {
        asks += 1;
        const ask = `ask-${asks}`;
        const timer =
          until === undefined ? undefined : setTimeout(() => reply(ask, false), until.getTime() - Date.now());
        waiting.set(ask, (yes) => {
          clearTimeout(timer);
          resolve(yes);
        });
        push({
          kind: 'ask',
          ask,
          key: current,
          question,
          ...(until === undefined ? {} : { until: until.toISOString() }),
          ...(otherwise === undefined ? {} : { otherwise }),
          ...(kind === undefined ? {} : { about: kind }),
        });
      }),
    onEvent: (event) => push({ kind: 'journal', events: [event] }),
    onProgress: (progress) => {
      current = progress.key;
      push({ kind: 'progress', ...progress });
    },
  });
  const closeSession = async () => {
    running?.abort();
    for (const ask of waiting.keys()) reply(ask, false);
    await session?.close();
    session = undefined;
  };
  const adopt = async (opened: Result<Session>) => {
    if (!opened.ok) return opened;
    session = opened.value;
    return ok(viewSession(session, false));
  };
  /** Runs `work` on the open session. */
  const inSession = async (work: (open: Session) => Promise<Result<unknown>>): Promise<Result<unknown>> =>
    session === undefined ? fail('session.state', 'No session is open.') : work(session);
  const nothing = async (result: Promise<Result<unknown>>): Promise<Result<null>> => {
    const settled = await result;
    return settled.ok ? ok(null) : settled;
  };

  const handlers: Handlers = {
    'guide.load': async ({ path, pins }) => {
      const guide = await loadGuide(path, { pins });
      return guide.ok ? ok(viewGuide(guide.value)) : guide;
    },
    'trust.signer': ({ path, sha256 }) => signerCertificate(path, sha256, new Date()),
    'site.load': async ({ path, guidePath }) => {
      const site = await loadSite(path);
      if (!site.ok) return site;
      if (guidePath !== undefined) {
        const guide = await loadGuide(guidePath, {});
        if (!guide.ok) return guide;
        const plan = planOf(guide.value, site.value);
        if (!plan.ok) return plan;
      }
      return ok(viewSite(site.value.sealed));
    },
    'session.list': async () => ok(await listSessions(sessions)),
    'session.open': async ({ guidePath, sitePath, operator, pins }) => {
      const guide = await loadGuide(guidePath, { pins });
      if (!guide.ok) return guide;
      const site = await loadSite(sitePath);
      if (!site.ok) return site;
      await closeSession();
      return adopt(await openSession(sessions, guide.value, site.value, hostOf(operator)));
    },
    'session.resume': async ({ session: id, operator, pins }) => {
      await closeSession();
      return adopt(await resumeSession(join(sessions, id), { pins }, hostOf(operator)));
    },
    'session.snapshot': async () => ok(session === undefined ? null : viewSession(session, running !== undefined)),
    'session.close': async () => {
      await closeSession();
      return ok(null);
    },
    'session.handOver': (input) =>
      inSession(async (open) => {
        if (running !== undefined) return fail('session.state', 'Something is running. Let it end first.');
        return moveOut(open, input, closeSession);
      }),
    'session.takeOver': async (input) => {
      await closeSession();
      return moveIn(sessions, input);
    },
    'secret.supply': ({ name, value }) =>
      inSession(async (open) => {
        open.secrets.set(name, value);
        return ok(null);
      }),
    'gate.check': ({ typed, overrideReason }) =>
      inSession((open) =>
        open.checkGate({
          ...(typed === undefined ? {} : { typed }),
          ...(overrideReason === undefined ? {} : { overrideReason }),
        }),
      ),
    'preflight.accept': () => nothing(inSession((open) => open.acceptPreflight())),
    'walk.run': ({ keys }) =>
      inSession(async (open) => {
        if (running !== undefined) return fail('session.state', 'Something is running already.');
        running = new AbortController();
        push({ kind: 'running', running: true });
        try {
          return await open.run(keys, running.signal);
        } finally {
          running = undefined;
          push({ kind: 'running', running: false });
        }
      }),
    'walk.cancel': async () => {
      running?.abort();
      for (const ask of waiting.keys()) reply(ask, false);
      return ok(null);
    },
    'walk.reply': async ({ ask, yes }) => {
      reply(ask, yes);
      return ok(null);
    },
    'walk.answer': ({ key, answer, note }) => nothing(inSession((open) => open.answer(key, answer, note))),
    'walk.attach': ({ key, path }) => inSession((open) => open.attach(key, path)),
    'walk.previewPicture': async ({ path }) => {
      const shown = await previewPicture(path);
      return shown.ok ? ok(shown.value ?? null) : shown;
    },
    'walk.attachPicture': ({ key, path, redacted, boxes, keepOriginal }) =>
      inSession((open) =>
        open.attach(key, path, { boxes, keepOriginal, ...(redacted === undefined ? {} : { redacted }) }),
      ),
    'walk.waive': ({ key, ...waiver }) => nothing(inSession((open) => open.waive(key, waiver))),
    'facts.read': ({ key, check }) =>
      inSession(async (open) => {
        const outcome = open.outcomes.get(key)?.get(check);
        if (outcome === undefined || !('facts' in outcome))
          return fail('session.state', 'This check has not recorded anything yet.', { place: key });
        const { facts, notApplicable, absent } = outcome.facts;
        return ok({
          absent,
          ...(facts === undefined ? {} : { facts }),
          ...(notApplicable === undefined ? {} : { notApplicable }),
        });
      }),
    'facts.link': ({ key }) =>
      inSession(async (open) => {
        const item = open.plan.items.find((candidate) => candidate.key === key);
        if (item === undefined) return fail('input.malformed', 'There is no such step.', { place: key });
        return ok(linkOf(item, open.outcomes.get(key)) ?? null);
      }),
    'change.plan': ({ key }) => inSession(async (open) => viewChange(await planChange(open, key))),
    'change.apply': (input) =>
      inSession((open) => {
        // What is asked from now on is about this step.
        current = input.key;
        return applyFromPage(open, input);
      }),
    'change.settle': ({ key, change }) => inSession((open) => settleChange(open, key, change)),
    'change.handOff': ({ key, change, path }) =>
      inSession(async (open) => {
        const name = basename(path);
        const handed = await handOff(open, [{ key, change }], path, name);
        return handed.ok ? ok({ name }) : handed;
      }),
    'change.undo': ({ key, change }) => inSession(async (open) => viewChange(await planUndo(open, key, change))),
    'identity.unlock': async ({ path, passphrase }) => {
      const identity = await loadIdentity(path, passphrase);
      if (!identity.ok) return identity;
      const { subject, issuer, notAfter } = identity.value;
      return ok({ subject, issuer, notAfter });
    },
    'identity.signOpening': ({ path, passphrase }) =>
      nothing(
        inSession(async (open) => {
          if (open.state().heads.some((head) => head.at === 'open'))
            return fail('session.state', 'The opening of this session is signed already.');
          const identity = await loadIdentity(path, passphrase);
          return identity.ok ? open.signHead('open', identity.value) : identity;
        }),
      ),
    ...certificateHandlers(inSession, viewChange),
    ...peopleHandlers(inSession),
    ...bundleHandlers(inSession, join(options.dataDir, 'bundles')),
  };

  return {
    call: (async (method: ServiceMethod, input: never) => {
      try {
        return await handlers[method](input);
      } catch (error) {
        return fail('internal', 'Lockstep broke down.', {
          cause: error instanceof Error ? (error.stack ?? error.message) : String(error),
        });
      }
    }) as Service['call'],
    onPush: (listener) => {
      listeners.push(listener);
    },
    close: closeSession,
  };
}

function viewChange(shown: Result<ShownChange>): Result<unknown> {
  if (!shown.ok) return shown;
  const { change, plan, visible } = shown.value;
  const declaration = CHANGES.find((candidate) => candidate.declaration.id === plan.kind)?.declaration;
  return ok({
    change,
    kind: plan.kind,
    summary: plan.summary,
    diff: plan.diff,
    undo: plan.undo,
    visible,
    rights: declaration?.rights ?? '',
  });
}
