import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import type { AppError, Result } from '../../core/result.ts';
import { useTask } from '../lib/use-task.ts';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { ErrorNote } from './note.tsx';

/**
 * A dialog about one thing to do. While it is done nobody can start it twice; how it failed stands where it was asked for.
 * @param leave what not doing it is called; without it the dialog is left by its cross alone
 * @param work does it, and closes the dialog where that is the end of it
 * @param children what is asked; `act` is for the Enter key
 */
export function ActionDialog({
  title,
  wide = false,
  leave,
  label,
  icon,
  ready = true,
  work,
  onClose,
  children,
}: {
  title: string;
  wide?: boolean;
  leave?: string;
  label: string;
  icon?: LucideIcon;
  ready?: boolean;
  work: () => Promise<Result<unknown, AppError>>;
  onClose: () => void;
  children: (act: () => void) => ReactNode;
}) {
  const { busy, error, run } = useTask<'act'>();
  const act = () => {
    if (ready && busy === undefined) void run('act', work);
  };
  return (
    <Dialog
      open
      wide={wide}
      title={title}
      onClose={onClose}
      footer={
        <>
          {leave === undefined ? null : <Button onPress={onClose}>{leave}</Button>}
          <Button
            kind="primary"
            {...(icon === undefined ? {} : { icon })}
            busy={busy !== undefined}
            isDisabled={!ready}
            onPress={act}
          >
            {label}
          </Button>
        </>
      }
    >
      <div className="grid grid-cols-1 gap-4">
        {children(act)}
        {error === undefined ? null : <ErrorNote error={error} />}
      </div>
    </Dialog>
  );
}
