import { ok, type Result } from '../../core/result.ts';
import { chooseFile, chooseWhereToSave } from '../choose-file.ts';
import type { HandlersOf, Shell } from './shell.ts';

/** A device's certificate between its two steps. Files are chosen here; the page sees their names only. */
export function certificateHandlers(shell: Shell): HandlersOf<'certificate'> {
  const { engine, secrets } = shell;
  const folder = async (): Promise<string | undefined> => {
    const place = await engine.call('certificate.folder', {});
    return place.ok ? place.value.folder : undefined;
  };
  const fileName = (key: string, what: string) =>
    `${key.replace(/^.*@\w+:/, '').replace(/[^A-Za-z0-9.-]+/g, '-')}${what}`;
  return {
    'certificate.handOff': async ({ key }) => {
      const suggested = fileName(key, '.csr');
      const path = await chooseWhereToSave(
        shell.window(),
        'Save the request',
        suggested,
        'Certificate request',
        await folder(),
      );
      return path === undefined ? ok(null) : engine.call('certificate.handOff', { key, path });
    },
    'certificate.import': async ({ key, passphrase }) => {
      const secret: Result<string | undefined> = passphrase === undefined ? ok(undefined) : secrets.take(passphrase);
      if (!secret.ok) return secret;
      const path = await chooseFile(shell.window(), 'certificate', await folder());
      if (path === undefined) return ok(null);
      return engine.call('certificate.import', {
        key,
        path,
        ...(secret.value === undefined ? {} : { passphrase: secret.value }),
      });
    },
    'certificate.anchors': async ({ key }) => {
      const suggested = fileName(key, '-trust-anchor.crt');
      const path = await chooseWhereToSave(
        shell.window(),
        'Save the anchor for the other side',
        suggested,
        'Certificate',
      );
      return path === undefined ? ok(null) : engine.call('certificate.anchors', { key, path });
    },
  };
}
