import type { Output, Snapshot } from '../../core/ipc.ts';
import { ok, type Result } from '../../core/result.ts';
import type { HandlersOf, Shell } from './shell.ts';

/** Opening, resuming and leaving sessions, and the secrets that they use. */
export function sessionHandlers(shell: Shell): HandlersOf<'session' | 'secret'> {
  const { engine, files, pins, secrets } = shell;

  /** The practice hospital's passwords are no secret to anyone here: the session gets them without typing. */
  const supplyPractice = async (opened: Result<Snapshot>, isPractice: boolean): Promise<Output<'session.open'>> => {
    const lab = await shell.practice();
    if (!opened.ok || !isPractice || !lab.ok || lab.value === undefined) return opened;
    // Its guides too name secrets, which the site need not list.
    for (const [name, value] of Object.entries(lab.value.secrets)) {
      const supplied = await engine.call('secret.supply', { name, value });
      if (!supplied.ok) return supplied;
    }
    const keyed = await engine.call('people.key', { text: lab.value.siteKey });
    if (!keyed.ok) return keyed;
    const now = await engine.call('session.snapshot', {});
    return now.ok && now.value !== null ? ok(now.value) : opened;
  };

  return {
    'session.list': () => engine.call('session.list', {}),
    'session.open': async ({ guide, site, operator }) => {
      const guidePath = files.resolve('guide', guide);
      if (!guidePath.ok) return guidePath;
      const sitePath = files.resolve('site', site);
      if (!sitePath.ok) return sitePath;
      const opened = await engine.call('session.open', {
        guidePath: guidePath.value,
        sitePath: sitePath.value,
        operator,
        pins: await pins.list(),
      });
      const lab = await shell.practice();
      return supplyPractice(opened, lab.ok && lab.value?.siteFile === sitePath.value);
    },
    'session.resume': async (input) => {
      const resumed = await engine.call('session.resume', { ...input, pins: await pins.list() });
      return supplyPractice(resumed, resumed.ok && resumed.value.site.practice);
    },
    'session.snapshot': () => engine.call('session.snapshot', {}),
    'session.close': () => engine.call('session.close', {}),
    'secret.put': ({ value }) => {
      const { handle, expiresAt } = secrets.put(value);
      return ok({ handle, expiresAt: expiresAt.toISOString() });
    },
    'secret.supply': async ({ name, secret }) => {
      const value = secrets.take(secret);
      return value.ok ? engine.call('secret.supply', { name, value: value.value }) : value;
    },
  };
}
