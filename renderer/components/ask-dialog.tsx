import { Hand } from 'lucide-react';
import { type Ask, replyToAsk, useWizard } from '../store.ts';
import { Button } from './button.tsx';
import { Countdown } from './countdown.tsx';
import { Dialog } from './dialog.tsx';

type Words = { readonly title: string; readonly yes: string; readonly no: string; readonly means: string };

const WORDS: Readonly<Record<NonNullable<Ask['about']>, Words>> = {
  device: {
    title: 'Something to do at the device',
    yes: 'Done',
    no: 'I can’t',
    means: '“I can’t” leaves this check without a result. It will be an error, never a pass.',
  },
  free: {
    title: 'Before the device is touched',
    yes: 'Yes, it is free',
    no: 'No, leave it alone',
    means: 'A ward that uses it now could miss results. When in doubt, ask there first.',
  },
  confirm: {
    title: 'Your word on this change',
    yes: 'Yes',
    no: 'No',
    means: 'Without a yes the change is not made, or does not stay.',
  },
};

/**
 * A probe waits for somebody to do something at the device, or a change for the word that it may stay. There is no way past
 * it without an answer, and the engine takes it back when its time is over.
 */
export function AskDialog() {
  const ask = useWizard((state) => state.ask);
  const item = useWizard((state) => state.snapshot?.items.find((entry) => entry.key === state.ask?.key));
  const about = ask?.about ?? 'device';
  const { title, yes, no, means } = WORDS[about];
  return (
    <Dialog
      alert
      open={ask !== undefined}
      title={title}
      footer={
        <>
          <Button onPress={() => void replyToAsk(false)}>{no}</Button>
          {/* Enter alone must not say that a device is free, or that a change may stay. */}
          <Button kind="primary" autoFocus={about === 'device'} onPress={() => void replyToAsk(true)}>
            {yes}
          </Button>
        </>
      }
    >
      <div className="flex gap-3.5">
        <Hand aria-hidden className="mt-0.5 size-5 shrink-0 text-link" />
        <div className="grid min-w-0 flex-1 gap-2.5">
          <p className="text-lg leading-normal break-words whitespace-pre-line text-pretty">{ask?.question}</p>
          {item === undefined ? null : (
            <p className="text-sm text-soft">
              For “{item.control.title}”, {item.target.name}.
            </p>
          )}
          {ask?.until === undefined ? null : <Countdown key={ask.ask} until={ask.until} then={endOf(ask)} />}
          {about === 'confirm' && ask?.until !== undefined ? null : <p className="text-sm text-soft">{means}</p>}
        </div>
      </div>
    </Dialog>
  );
}

/** What happens at the end of the time, as a sentence. */
function endOf({ about = 'device', otherwise = 'this counts as a no' }: Ask): string {
  return `Without ${about === 'device' ? 'an answer' : 'a yes'} in this time ${otherwise}.`;
}
