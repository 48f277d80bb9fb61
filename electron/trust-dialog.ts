import { type BrowserWindow, dialog } from 'electron';
import { chooseFile } from './choose-file.ts';
import { readRoot, type Trust, type TrustRole } from './trust.ts';

const SIGNS: Readonly<Record<TrustRole, string>> = {
  engineer: "an engineer's signature on a bundle",
  hospital: "a hospital's countersignature on a bundle",
  publisher: "a publisher's signature on a guide",
  timestamp: 'time-stamps on bundles',
};

/** Lets the person choose a root certificate, shows whose it is, and trusts it for this one role after a clear yes. */
export async function askToTrust(window: BrowserWindow, trust: Trust, role: TrustRole): Promise<void> {
  const path = await chooseFile(window, 'anchor');
  if (path === undefined) return;
  const root = await readRoot(path);
  if (!root.ok) {
    await dialog.showMessageBox(window, { type: 'error', message: root.error.message, detail: root.error.cause ?? '' });
    return;
  }
  const { response } = await dialog.showMessageBox(window, {
    type: 'question',
    message: `Trust this root for ${SIGNS[role]}?`,
    detail: `${root.value.subject}\n\nSHA-256 ${root.value.sha256}\n\nCompare the fingerprint with what its owner told you by another way.`,
    buttons: ['Cancel', 'Trust it'],
    defaultId: 0,
    cancelId: 0,
  });
  if (response !== 1) return;
  const added = await trust.add(role, root.value);
  if (!added.ok)
    await dialog.showMessageBox(window, {
      type: 'error',
      message: added.error.message,
      detail: added.error.cause ?? '',
    });
}
