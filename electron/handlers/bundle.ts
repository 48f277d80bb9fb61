import { basename, resolve } from 'node:path';
import type { SealedView } from '../../core/ipc.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import { chooseFile, chooseWhereToSave } from '../choose-file.ts';
import { guardReport } from '../report-guard.ts';
import type { HandlersOf, Shell } from './shell.ts';

/** Identities, and what is signed with them. */
export function bundleHandlers(shell: Shell): HandlersOf<'identity' | 'bundle'> {
  const { engine, external, files, identities, trust } = shell;
  const { key } = identities;

  const sealed = async (outcome: Result<Omit<SealedView, 'bundle'>>): Promise<Result<SealedView>> =>
    outcome.ok ? ok(await refer(outcome.value)) : outcome;

  const refer = async (bundle: Omit<SealedView, 'bundle'>): Promise<SealedView> => {
    await external.produced(bundle.path);
    return { ...bundle, bundle: files.refer('bundle', bundle.path) };
  };

  return {
    'identity.list': async () => ok(await identities.list()),
    'identity.unlock': async ({ identity, passphrase }) => {
      const opens = await key(identity, passphrase);
      if (!opens.ok) return opens;
      const unlocked = await engine.call('identity.unlock', opens.value);
      await identities.opened(opens.value.path, passphrase, unlocked);
      return unlocked;
    },
    'identity.signOpening': async ({ identity, passphrase }) => {
      const opens = await key(identity, passphrase);
      if (!opens.ok) return opens;
      const signed = await engine.call('identity.signOpening', opens.value);
      await identities.opened(opens.value.path, passphrase, signed.ok ? ok({}) : signed);
      return signed;
    },
    'bundle.seal': async ({ identity, passphrase }) => {
      const opens = await key(identity, passphrase);
      if (!opens.ok) return opens;
      const outcome = await engine.call('bundle.seal', opens.value);
      await identities.opened(opens.value.path, passphrase, outcome.ok ? ok({}) : outcome);
      return sealed(outcome);
    },
    'bundle.countersign': async ({ bundle, identity, passphrase, ...statement }) => {
      const bundlePath = files.resolve('bundle', bundle);
      if (!bundlePath.ok) return bundlePath;
      const opens = await key(identity, passphrase);
      if (!opens.ok) return opens;
      const outcome = await engine.call('bundle.countersign', {
        ...opens.value,
        ...statement,
        bundlePath: bundlePath.value,
      });
      await identities.opened(opens.value.path, passphrase, outcome.ok ? ok({}) : outcome);
      return sealed(outcome);
    },
    'bundle.list': async () => {
      const listed = await engine.call('bundle.list', {});
      return listed.ok ? ok(await Promise.all(listed.value.map(refer))) : listed;
    },
    'bundle.verify': async ({ bundle, ...as }) => {
      const path = files.resolve('bundle', bundle);
      if (!path.ok) return path;
      const lab = await shell.practice();
      const roots = await trust.pems(lab.ok ? lab.value : undefined);
      return roots.ok ? engine.call('bundle.verify', { ...as, path: path.value, trust: roots.value }) : roots;
    },
    'bundle.openReport': async ({ bundle }) => {
      const path = files.resolve('bundle', bundle);
      if (!path.ok) return path;
      const report = await engine.call('bundle.extractReport', { path: path.value });
      if (!report.ok) return report;
      const guarded = await guardReport(report.value.path);
      if (!guarded.ok) return guarded;
      await external.produced(report.value.path);
      return external.openReport(report.value.path);
    },
    'bundle.encrypt': async ({ bundle, to }) => {
      const path = files.resolve('bundle', bundle);
      if (!path.ok) return path;
      const certificates: string[] = [];
      for (const handle of to) {
        const certificate = files.resolve('recipient', handle);
        if (!certificate.ok) return certificate;
        certificates.push(certificate.value);
      }
      const suggested = `${basename(path.value)}.p7m`;
      const out = await chooseWhereToSave(shell.window(), 'Save the encrypted bundle', suggested, 'Encrypted bundles');
      return out === undefined ? ok(null) : engine.call('bundle.encrypt', { path: path.value, to: certificates, out });
    },
    'bundle.decrypt': async ({ identity, passphrase }) => {
      const opens = await key(identity, passphrase);
      if (!opens.ok) return opens;
      const file = await chooseFile(shell.window(), 'encrypted');
      if (file === undefined) return ok(null);
      const suggested = `${basename(file).replace(/(?:\.asice)?\.[^.]+$/, '')}.asice`;
      const out = await chooseWhereToSave(shell.window(), 'Save the opened bundle', suggested, 'Bundles');
      if (out === undefined) return ok(null);
      const opened = await engine.call('bundle.decrypt', { ...opens.value, file, out });
      await identities.opened(opens.value.path, passphrase, opened.ok ? ok({}) : opened);
      if (!opened.ok) return opened;
      await external.produced(opened.value.path);
      return ok(files.refer('bundle', opened.value.path));
    },
    'bundle.editionPlan': async ({ bundle }) => {
      const path = files.resolve('bundle', bundle);
      return path.ok ? engine.call('bundle.editionPlan', { path: path.value }) : path;
    },
    'bundle.edition': async ({ bundle }) => {
      const path = files.resolve('bundle', bundle);
      if (!path.ok) return path;
      const suggested = `${basename(path.value, '.asice')}-for-manufacturer.asice`;
      const out = await chooseWhereToSave(shell.window(), 'Save the edition', suggested, 'Bundles');
      if (out !== undefined && resolve(out) === resolve(path.value))
        return fail('input.malformed', 'The edition would replace the bundle itself. Choose another name.');
      return out === undefined ? ok(null) : engine.call('bundle.edition', { path: path.value, out });
    },
    'bundle.showInFolder': async ({ bundle }) => {
      const path = files.resolve('bundle', bundle);
      return path.ok ? external.showInFolder(path.value) : path;
    },
  };
}
