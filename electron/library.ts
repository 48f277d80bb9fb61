import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { GuideView, Outputs } from '../core/ipc.ts';
import { ok, type Result } from '../core/result.ts';
import type { Engine } from './engine-process.ts';
import type { Files } from './files.ts';
import type { JsonStore } from './json-store.ts';
import type { Pins } from './pins.ts';
import type { LabInfo } from './practice.ts';
import type { Secrets } from './secrets.ts';
import type { Settings } from './settings.ts';

const GUIDE_FILE = /\.(?:ya?ml|asice)$/;

export type LibraryOptions = {
  /** Folder with the guides that ship. */
  readonly shipped: string;
  readonly engine: Engine;
  readonly files: Files;
  readonly pins: Pins;
  readonly secrets: Secrets;
  readonly settings: JsonStore<Settings>;
  readonly report: (line: string) => void;
};

type Library = Outputs['library.list'];

/**
 * Lists the guides and sites at hand. The practice hospital's guides are the shipped ones, signed; beside them the
 * unsigned ones would only confuse and are left out. A guide that cannot be read is left out and reported.
 */
export async function listLibrary(lab: LabInfo | undefined, options: LibraryOptions): Promise<Result<Library>> {
  const { shipped, engine, files, pins, secrets, settings, report } = options;
  const names = (await readdir(shipped).catch(() => [] as string[])).filter((name) => GUIDE_FILE.test(name)).sort();
  const practicePaths = lab?.guides.map((guide) => guide.path) ?? [];
  const pinned = await pins.list();

  const guides: (Library['guides'][number] & { readonly id: string })[] = [];
  for (const path of [...practicePaths, ...names.map((name) => join(shipped, name))]) {
    const loaded = await engine.call('guide.load', { path, pins: pinned });
    if (!loaded.ok) {
      report(`the guide ${path} is left out of the library: ${loaded.error.message}`);
      continue;
    }
    const practice = practicePaths.includes(path);
    if (!practice && guides.some((guide) => guide.practice && guide.id === loaded.value.id)) continue;
    guides.push({
      id: loaded.value.id,
      file: files.refer('guide', path),
      title: loaded.value.title,
      product: productOf(loaded.value),
      trust: loaded.value.trust,
      practice,
    });
  }

  const sites: Library['sites'][number][] = [];
  if (lab !== undefined) {
    const loaded = await engine.call('site.load', { path: lab.siteFile });
    if (!loaded.ok) return loaded;
    sites.push({ file: files.refer('site', lab.siteFile), name: loaded.value.name, practice: true });
  }
  for (const { path, name } of (await settings.read()).sites) {
    if ((await stat(path).catch(() => undefined))?.isFile() === true)
      sites.push({ file: files.refer('site', path), name, practice: false });
  }
  const lasting = (of: { user: string; password: string }) => ({
    user: of.user,
    secret: secrets.putLasting(of.password),
  });
  return ok({
    guides: guides.map(({ id: _id, ...guide }) => guide),
    sites,
    ...(lab === undefined ? {} : { practiceWriter: lasting(lab.writeCredential) }),
    ...(lab?.deviceCredential === undefined ? {} : { practiceDeviceWriter: lasting(lab.deviceCredential) }),
  });
}

function productOf({ product }: GuideView): string {
  return `${product.vendor} ${product.name} ${product.versions}`;
}
