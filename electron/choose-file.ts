import { join } from 'node:path';
import { type BrowserWindow, dialog, type OpenDialogOptions, type SaveDialogOptions } from 'electron';
import type { FileKind } from './files.ts';

type Choice = { readonly title: string; readonly filter: string; readonly extensions: readonly string[] };

type Kind = FileKind | 'evidence' | 'certificate' | 'answer' | 'signature' | 'encrypted';

const CHOICES: Readonly<Record<Kind, Choice>> = {
  guide: { title: 'Open a guide', filter: 'Guides', extensions: ['asice', 'yaml', 'yml'] },
  site: { title: 'Open a site', filter: 'Sites', extensions: ['yaml', 'yml'] },
  bundle: { title: 'Open a bundle', filter: 'Bundles', extensions: ['asice'] },
  identity: {
    title: 'Choose the identity to sign with',
    filter: 'Identities (PKCS#12, PEM)',
    extensions: ['p12', 'pfx', 'pem'],
  },
  anchor: { title: 'Choose a root certificate', filter: 'Certificates', extensions: ['pem', 'crt', 'cer'] },
  recipient: { title: "Choose a recipient's certificate", filter: 'Certificates', extensions: ['pem', 'crt', 'cer'] },
  session: { title: 'Open a session that was handed over', filter: 'Sessions', extensions: ['p7m'] },
  certificate: {
    title: "Choose what the hospital's authority sent",
    filter: 'Certificates',
    extensions: ['crt', 'cer', 'pem', 'der', 'p7b', 'p7c', 'pfx', 'p12'],
  },
  evidence: { title: 'Attach evidence', filter: 'All files', extensions: ['*'] },
  answer: { title: "Choose the authority's answer", filter: 'Time-stamps', extensions: ['tsr', 'tst', 'der'] },
  encrypted: { title: 'Open an encrypted bundle', filter: 'Encrypted bundles', extensions: ['p7m', 'der'] },
  signature: { title: 'Choose the signature that was made', filter: 'Signatures', extensions: ['p7s', 'pem', 'der'] },
};

/**
 * Shows the system's open dialog over `window`, in `folder` where one is given.
 * @returns the absolute path, or undefined when the person thought better of it
 */
export async function chooseFile(
  window: BrowserWindow | undefined,
  kind: Kind,
  folder?: string,
): Promise<string | undefined> {
  const { title, filter, extensions } = CHOICES[kind];
  const options: OpenDialogOptions = {
    title,
    properties: ['openFile', 'dontAddToRecent'],
    filters: [{ name: filter, extensions: [...extensions] }],
    ...(folder === undefined ? {} : { defaultPath: folder }),
  };
  const { canceled, filePaths } =
    window === undefined ? await dialog.showOpenDialog(options) : await dialog.showOpenDialog(window, options);
  return canceled ? undefined : filePaths[0];
}

/** Shows the system's dialog for a folder, which may be made there. @returns as `chooseFile` */
export async function chooseFolder(window: BrowserWindow | undefined, title: string): Promise<string | undefined> {
  const options: OpenDialogOptions = {
    title,
    properties: ['openDirectory', 'createDirectory', 'promptToCreate', 'dontAddToRecent'],
  };
  const { canceled, filePaths } =
    window === undefined ? await dialog.showOpenDialog(options) : await dialog.showOpenDialog(window, options);
  return canceled ? undefined : filePaths[0];
}

/**
 * Shows the system's save dialog over `window`.
 * @param suggested a file name; its ending is the dialog's filter
 * @param filter what such files are called
 * @returns as `chooseFile`
 */
export async function chooseWhereToSave(
  window: BrowserWindow | undefined,
  title: string,
  suggested: string,
  filter = 'Text',
  folder?: string,
): Promise<string | undefined> {
  const options: SaveDialogOptions = {
    title,
    defaultPath: folder === undefined ? suggested : join(folder, suggested),
    properties: ['showOverwriteConfirmation', 'dontAddToRecent'],
    filters: [{ name: filter, extensions: [suggested.split('.').at(-1) ?? '*'] }],
  };
  const { canceled, filePath } =
    window === undefined ? await dialog.showSaveDialog(options) : await dialog.showSaveDialog(window, options);
  return canceled || filePath === '' ? undefined : filePath;
}
