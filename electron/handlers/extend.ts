import { basename } from 'node:path';
import { ok } from '../../core/result.ts';
import { chooseFile, chooseFolder, chooseWhereToSave } from '../choose-file.ts';
import { stem } from './report.ts';
import type { HandlersOf, Shell } from './shell.ts';

/** What is added to a bundle from elsewhere: time-stamps, and signatures of keys that stay where they are. */
export function extendHandlers({ engine, files, window, external }: Shell): HandlersOf<'timestamp' | 'outside'> {
  return {
    'timestamp.ask': async ({ bundle, authority }) => {
      const path = files.resolve('bundle', bundle);
      return path.ok ? engine.call('timestamp.ask', { path: path.value, authority }) : path;
    },
    'timestamp.query': async ({ bundle }) => {
      const path = files.resolve('bundle', bundle);
      if (!path.ok) return path;
      const out = await chooseWhereToSave(
        window(),
        'Save the query for the authority',
        `${stem(path.value)}.tsq`,
        'Time-stamp query',
      );
      return out === undefined ? ok(null) : engine.call('timestamp.query', { path: path.value, out });
    },
    'timestamp.answer': async ({ bundle }) => {
      const path = files.resolve('bundle', bundle);
      if (!path.ok) return path;
      const answer = await chooseFile(window(), 'answer');
      return answer === undefined ? ok(null) : engine.call('timestamp.answer', { path: path.value, answer });
    },
    'outside.prepare': async ({ bundle, ...statement }) => {
      const path = files.resolve('bundle', bundle);
      if (!path.ok) return path;
      const folder = await chooseFolder(window(), 'Choose an empty folder for what is to be signed');
      return folder === undefined
        ? ok(null)
        : engine.call('outside.prepare', { ...statement, path: path.value, folder });
    },
    'outside.import': async ({ bundle }) => {
      const path = files.resolve('bundle', bundle);
      if (!path.ok) return path;
      const signature = await chooseFile(window(), 'signature');
      if (signature === undefined) return ok(null);
      const added = await engine.call('outside.import', { path: path.value, signature });
      if (!added.ok) return added;
      await external.produced(added.value.path);
      return ok({ ...added.value, bundle: files.refer('bundle', added.value.path, basename(added.value.path)) });
    },
  };
}
