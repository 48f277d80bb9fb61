import type { FileRef, TimestampView } from '../../core/ipc.ts';
import { EncryptBundle } from './encrypt-bundle.tsx';
import { MakeEdition } from './make-edition.tsx';
import { SaveReports } from './save-reports.tsx';
import { TimestampBundle } from './timestamp-bundle.tsx';

/** What can be taken out of a bundle and added to it, wherever it is open. */
export function BundleTools({ bundle, onStamped }: { bundle: FileRef; onStamped: (stamp: TimestampView) => void }) {
  return (
    <div className="grid grid-cols-2 items-start gap-4">
      <SaveReports bundle={bundle} />
      <div className="grid grid-cols-1 gap-4">
        <TimestampBundle bundle={bundle} onStamped={onStamped} />
        <EncryptBundle bundle={bundle} />
        <MakeEdition bundle={bundle} />
      </div>
    </div>
  );
}
