import { Hand } from 'lucide-react';
import { replyToAsk, useWizard } from '../store.ts';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';

/**
 * A probe waits for somebody to do something at the device, or a change for the word that it may stay. There is no way past
 * it without an answer.
 */
export function AskDialog() {
  const ask = useWizard((state) => state.ask);
  const item = useWizard((state) => state.snapshot?.items.find((entry) => entry.key === state.ask?.key));
  const confirm = ask?.about === 'confirm';
  return (
    <Dialog
      alert
      open={ask !== undefined}
      title={confirm ? 'Your word on this change' : 'Something to do at the device'}
      footer={
        <>
          <Button onPress={() => void replyToAsk(false)}>{confirm ? 'No' : 'I can’t'}</Button>
          <Button kind="primary" autoFocus={!confirm} onPress={() => void replyToAsk(true)}>
            {confirm ? 'Yes' : 'Done'}
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
            {confirm
              ? 'Without a yes the change is not made, or does not stay.'
              : '“I can’t” leaves this check without a result. It will be an error, never a pass.'}
          </p>
        </div>
      </div>
    </Dialog>
  );
}
