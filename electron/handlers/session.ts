import type { Input, Output, Snapshot } from '../../core/ipc.ts';
import { ok, type Result } from '../../core/result.ts';
import { chooseWhereToSave } from '../choose-file.ts';
import type { HandlersOf, Shell } from './shell.ts';

/** Opening, resuming and leaving sessions, and the secrets that they use. */
export function sessionHandlers(shell: Shell): HandlersOf<'session' | 'secret'> {
  const { engine, files, identities, pins, secrets, trust } = shell;

  /** The practice hospital's passwords are no secret to anyone here: the session gets them without typing. */
  const supplyPractice = async (opened: Result<Snapshot>, isPractice: boolean): Promise<Output<'session.open'>> => {
    const lab = await shell.practice();
    if (!opened.ok || !isPractice || !lab.ok || lab.value === undefined) return opened;
    // Its guides too name secrets, which the site need not list.
    for (const [name, value] of Object.entries(lab.value.secrets)) {
      const supplied = await engine.call('secret.supply', { name, value });
      if (!supplied.ok) return supplied;
    }
    // A session of an earlier practice hospital has another key, which is gone: it goes on without.
    await engine.call('people.key', { text: lab.value.siteKey });
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
    'session.handOver': async ({ to, identity, passphrase }) => {
      const opens = await identities.key(identity, passphrase);
      if (!opens.ok) return opens;
      const recipient = 'recipient' in to ? files.resolve('recipient', to.recipient) : secrets.peek(to.secret);
      if (!recipient.ok) return recipient;
      const out = await chooseWhereToSave(shell.window(), 'Hand this session over', 'session.p7m', 'Sessions');
      if (out === undefined) return ok(null);
      const handed = await engine.call('session.handOver', {
        to: 'recipient' in to ? { certificate: recipient.value } : { passphrase: recipient.value },
        ...opens.value,
        out,
      });
      if ('secret' in to && handed.ok) secrets.drop(to.secret);
      await identities.opened(opens.value.path, passphrase, handed.ok ? ok({}) : handed);
      return handed;
    },
    'session.takeOver': async ({ file, opens, operator, identity, passphrase }) => {
      const path = files.resolve('session', file);
      if (!path.ok) return path;
      const signs = await identities.key(identity, passphrase);
      if (!signs.ok) return signs;
      const opener = opensWith(shell, opens);
      if (!opener.ok) return opener;
      const lab = await shell.practice();
      const roots = await trust.pems(lab.ok ? lab.value : undefined);
      if (!roots.ok) return roots;
      const { engineer: engineers } = roots.value;
      const moved = { file: path.value, opens: opener.value, operator, ...signs.value, engineers };
      return engine.call('session.takeOver', moved);
    },
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

type Opens = Input<'session.takeOver'>['opens'];

/** What opens the file, with the secret behind its handle; a secret that was typed for it is used up. */
function opensWith(
  { files, secrets }: Shell,
  opens: Opens,
): Result<{ key: string; passphrase?: string } | { passphrase: string }> {
  const secret = opens.secret === undefined ? ok(undefined) : secrets.take(opens.secret);
  if (!secret.ok) return secret;
  if (!('key' in opens)) return ok({ passphrase: secret.value ?? '' });
  const key = files.resolve('identity', opens.key);
  return key.ok ? ok({ key: key.value, ...(secret.value === undefined ? {} : { passphrase: secret.value }) }) : key;
}
