import type { SealedView } from '../../core/ipc.ts';
import { ok, type Result } from '../../core/result.ts';
import { guardReport } from '../report-guard.ts';
import type { HandlersOf, Shell } from './shell.ts';

/** Identities, and what is signed with them. */
export function bundleHandlers(shell: Shell): HandlersOf<'identity' | 'bundle'> {
  const { engine, external, files, identities, trust } = shell;

  const key = async (
    handle: string,
    passphrase: string | undefined,
  ): Promise<Result<{ path: string; passphrase?: string }>> => {
    const path = files.resolve('identity', handle);
    if (!path.ok) return path;
    const opens = await identities.passphrase(path.value, passphrase);
    if (!opens.ok) return opens;
    return ok({ path: path.value, ...(opens.value === undefined ? {} : { passphrase: opens.value }) });
  };

  const sealed = async (
    outcome: Result<{ path: string; provisional: boolean; sha256: string }>,
  ): Promise<Result<SealedView>> => {
    if (!outcome.ok) return outcome;
    await external.produced(outcome.value.path);
    return ok({ ...outcome.value, bundle: files.refer('bundle', outcome.value.path) });
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
    'bundle.countersign': async ({ bundle, identity, passphrase, role, remark }) => {
      const bundlePath = files.resolve('bundle', bundle);
      if (!bundlePath.ok) return bundlePath;
      const opens = await key(identity, passphrase);
      if (!opens.ok) return opens;
      const outcome = await engine.call('bundle.countersign', {
        ...opens.value,
        bundlePath: bundlePath.value,
        role,
        remark,
      });
      await identities.opened(opens.value.path, passphrase, outcome.ok ? ok({}) : outcome);
      return sealed(outcome);
    },
    'bundle.verify': async ({ bundle }) => {
      const path = files.resolve('bundle', bundle);
      if (!path.ok) return path;
      const lab = await shell.practice();
      const roots = await trust.pems(lab.ok ? lab.value : undefined);
      return roots.ok ? engine.call('bundle.verify', { path: path.value, trust: roots.value }) : roots;
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
    'bundle.showInFolder': async ({ bundle }) => {
      const path = files.resolve('bundle', bundle);
      return path.ok ? external.showInFolder(path.value) : path;
    },
  };
}
