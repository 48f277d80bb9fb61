import { ok } from '../../core/result.ts';
import { chooseFile, chooseWhereToSave } from '../choose-file.ts';
import type { HandlersOf, Shell } from './shell.ts';

/** Walking through the items: probing, answering, attaching, waiving and changing. */
export function walkHandlers(shell: Shell): HandlersOf<'gate' | 'preflight' | 'walk' | 'facts' | 'change'> {
  const { engine, files, secrets } = shell;
  return {
    'gate.check': (input) => engine.call('gate.check', input),
    'preflight.accept': () => engine.call('preflight.accept', {}),
    'walk.run': (input) => engine.call('walk.run', input),
    'walk.cancel': () => engine.call('walk.cancel', {}),
    'walk.reply': (input) => engine.call('walk.reply', input),
    'walk.answer': (input) => engine.call('walk.answer', input),
    'walk.attach': async ({ key }) => {
      const path = await chooseFile(shell.window(), 'evidence');
      if (path === undefined) return ok(null);
      const shown = await engine.call('walk.previewPicture', { path });
      if (!shown.ok) return shown;
      if (shown.value === null) return engine.call('walk.attach', { key, path });
      return ok({ picture: files.refer('evidence', path), ...shown.value });
    },
    'walk.attachPicture': async ({ picture, ...rest }) => {
      const path = files.resolve('evidence', picture);
      return path.ok ? engine.call('walk.attachPicture', { ...rest, path: path.value }) : path;
    },
    'walk.waive': (input) => engine.call('walk.waive', input),
    'facts.read': (input) => engine.call('facts.read', input),
    'facts.link': (input) => engine.call('facts.link', input),
    'change.plan': (input) => engine.call('change.plan', input),
    'change.apply': async ({ secret, keyPassphrase, ...rest }) => {
      const password = secret === undefined ? ok(undefined) : secrets.take(secret);
      if (!password.ok) return password;
      const locks = keyPassphrase === undefined ? ok(undefined) : secrets.take(keyPassphrase);
      if (!locks.ok) return locks;
      return engine.call('change.apply', {
        ...rest,
        ...(password.value === undefined ? {} : { password: password.value }),
        ...(locks.value === undefined ? {} : { keyPassphrase: locks.value }),
      });
    },
    'change.settle': (input) => engine.call('change.settle', input),
    'change.handOff': async (input) => {
      const suggested = `${input.key.replace(/[^A-Za-z0-9.-]+/g, '-')}-hand-off.txt`;
      const path = await chooseWhereToSave(shell.window(), 'Hand it to the directory team', suggested);
      return path === undefined ? ok(null) : engine.call('change.handOff', { ...input, path });
    },
    'change.undo': (input) => engine.call('change.undo', input),
  };
}
