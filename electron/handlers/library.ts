import { fail, ok } from '../../core/result.ts';
import { chooseFile } from '../choose-file.ts';
import { listLibrary } from '../library.ts';
import { remember } from '../settings.ts';
import type { HandlersOf, Shell } from './shell.ts';

/** What is at hand: the app itself, guides, their publishers, sites, and files that the person chooses. */
export function libraryHandlers(shell: Shell): HandlersOf<'app' | 'library' | 'file' | 'guide' | 'publisher' | 'site'> {
  const { engine, files, identities, pins, settings } = shell;
  // Only a certificate that was shown with a guide can be approved.
  const shown = new Set<string>();
  return {
    'app.info': () => ok(shell.info),
    'library.list': async () => {
      const lab = await shell.practice();
      return lab.ok ? listLibrary(lab.value, { ...shell, shipped: shell.shippedGuides }) : lab;
    },
    'file.choose': async ({ kind }) => {
      const path = await chooseFile(shell.window(), kind);
      if (path === undefined) return ok(null);
      if (kind === 'identity') await identities.add(path);
      return ok(files.refer(kind, path));
    },
    'guide.load': async ({ guide }) => {
      const path = files.resolve('guide', guide);
      if (!path.ok) return path;
      const loaded = await engine.call('guide.load', { path: path.value, pins: await pins.list() });
      if (loaded.ok && loaded.value.signer !== undefined) shown.add(loaded.value.signer.sha256);
      return loaded;
    },
    'publisher.pin': async ({ sha256 }) => {
      if (!shown.has(sha256))
        return fail('guide.untrusted', 'Only a publisher whose guide was opened here can be approved.');
      return pins.add(sha256);
    },
    'publisher.unpin': ({ sha256 }) => pins.remove(sha256),
    'site.load': async ({ site, guide }) => {
      const path = files.resolve('site', site);
      if (!path.ok) return path;
      const guidePath = guide === undefined ? undefined : files.resolve('guide', guide);
      if (guidePath?.ok === false) return guidePath;
      const loaded = await engine.call('site.load', {
        path: path.value,
        ...(guidePath === undefined ? {} : { guidePath: guidePath.value }),
      });
      const lab = await shell.practice();
      const isPractice = lab.ok && lab.value?.siteFile === path.value;
      if (loaded.ok && !isPractice) {
        const { name } = loaded.value;
        await settings.update((present) => ({
          ...present,
          sites: remember(present.sites, { path: path.value, name }),
        }));
      }
      return loaded;
    },
  };
}
