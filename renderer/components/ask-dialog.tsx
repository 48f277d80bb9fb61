import { Hand } from 'lucide-react';
import { replyToAsk, useWizard } from '../store.ts';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';

/** A probe waits for somebody to do something at the device. There is no way past it without an answer. */
export function AskDialog() {
  const ask = useWizard((state) => state.ask);
  const item = useWizard((state) => state.snapshot?.items.find((entry) => entry.key === state.ask?.key));
  return (
    <Dialog
      alert
      open={ask !== undefined}
      title="Something to do at the device"
      footer={
        <>
          <Button onPress={() => void replyToAsk(false)}>I can’t</Button>
          <Button kind="primary" autoFocus onPress={() => void replyToAsk(true)}>
            Done
          </Button>
        </>
      }
    >
      <div className="flex gap-3.5">
        <Hand aria-hidden className="mt-0.5 size-5 shrink-0 text-link" />
        <div className="grid gap-2">
          <p className="text-lg leading-normal whitespace-pre-line text-pretty">{ask?.question}</p>
          {item === undefined ? null : (
            <p className="text-sm text-soft">
              For “{item.control.title}”, {item.target.name}.
            </p>
          )}
          <p className="text-sm text-soft">
            “I can’t” leaves this check without a result. It will be an error, never a pass.
          </p>
        </div>
      </div>
    </Dialog>
  );
}
