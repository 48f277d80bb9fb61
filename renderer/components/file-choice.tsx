import type { LucideIcon } from 'lucide-react';
import type { FileRef, Input } from '../../core/ipc.ts';
import { call } from '../api.ts';
import { useWizard } from '../store.ts';
import { Button } from './button.tsx';

/** A button that shows the open dialog, and the name of the file that was chosen. */
export function FileChoice({
  label,
  icon,
  kind,
  chosen,
  onChoose,
  disabled,
}: {
  label: string;
  icon: LucideIcon;
  kind: Input<'file.choose'>['kind'];
  chosen: FileRef | undefined;
  onChoose: (file: FileRef) => void;
  disabled: boolean;
}) {
  async function browse(): Promise<void> {
    const file = await call('file.choose', { kind });
    if (!file.ok) useWizard.setState({ notice: file.error });
    else if (file.value !== null) onChoose(file.value);
  }
  return (
    <div className="grid grid-cols-1 justify-items-start gap-1.5">
      <Button size="sm" icon={icon} isDisabled={disabled} onPress={() => void browse()}>
        {label}
      </Button>
      {chosen === undefined ? null : <p className="max-w-full truncate font-mono text-xs text-soft">{chosen.name}</p>}
    </div>
  );
}
