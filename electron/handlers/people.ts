import type { HandlersOf, Shell } from './shell.ts';

/** The hospital's site key, the consent to names, and the bundle that the open session is compared with. */
export function peopleHandlers(shell: Shell): HandlersOf<'people' | 'baseline'> {
  const { engine, files, secrets, trust } = shell;
  return {
    'people.key': async ({ secret }) => {
      const text = secrets.take(secret);
      return text.ok ? engine.call('people.key', { text: text.value }) : text;
    },
    'people.names': (input) => engine.call('people.names', input),
    'baseline.choose': async ({ bundle }) => {
      const path = files.resolve('bundle', bundle);
      if (!path.ok) return path;
      const lab = await shell.practice();
      const roots = await trust.pems(lab.ok ? lab.value : undefined);
      return roots.ok ? engine.call('baseline.choose', { path: path.value, trust: roots.value }) : roots;
    },
  };
}
