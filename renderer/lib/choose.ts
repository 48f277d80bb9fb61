import type { FileRef } from '../../core/ipc.ts';
import { call } from '../api.ts';
import { useWizard } from '../store.ts';

/** Loads a guide and shows it. The error, if any, goes where the page shows it. */
export async function chooseGuide(file: FileRef): Promise<void> {
  useWizard.setState({ notice: undefined });
  const loaded = await call('guide.load', { guide: file.handle });
  if (loaded.ok) useWizard.setState({ guide: { file, view: loaded.value } });
  else useWizard.setState({ notice: loaded.error, guide: undefined });
}

/** Shows the open dialog for a guide and loads what was chosen. */
export async function openGuideFile(): Promise<void> {
  const chosen = await call('file.choose', { kind: 'guide' });
  if (!chosen.ok) useWizard.setState({ notice: chosen.error });
  else if (chosen.value !== null) await chooseGuide(chosen.value);
}
