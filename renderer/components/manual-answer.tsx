import { MessageCircleQuestion, Paperclip } from 'lucide-react';
import { useState } from 'react';
import { Label, Radio, RadioGroup } from 'react-aria-components';
import type { ItemView, PictureView } from '../../core/ipc.ts';
import type { AppError } from '../../core/result.ts';
import type { ItemState } from '../../core/session/state.ts';
import { call } from '../api.ts';
import { count, showName, showTime } from '../lib/format.ts';
import { Button } from './button.tsx';
import { TextBlock } from './field.tsx';
import { ErrorNote } from './note.tsx';
import { RedactDialog } from './redact-dialog.tsx';

const EVIDENCE = { text: 'a text', photo: 'a photo', file: 'a file' } as const;

/** A question that only a person can answer, with the evidence that the guide wants. */
export function ManualAnswer({ item, state }: { item: ItemView; state: ItemState | undefined }) {
  const { manual } = item.control;
  const given = state?.answer;
  const [answer, setAnswer] = useState<string | null>(given?.answer ?? null);
  const [note, setNote] = useState(given?.note ?? '');
  const [busy, setBusy] = useState<'save' | 'attach'>();
  const [error, setError] = useState<AppError>();
  const [picture, setPicture] = useState<PictureView>();
  if (manual === undefined) return null;
  const attached = state?.attachments ?? [];
  const changed =
    answer !== (given?.answer ?? null) ||
    note !== (given?.note ?? '') ||
    attached.length !== (given?.attachments.length ?? 0);

  async function save(): Promise<void> {
    if (answer === null) return;
    setBusy('save');
    const saved = await call('walk.answer', { key: item.key, answer, note });
    setBusy(undefined);
    setError(saved.ok ? undefined : saved.error);
  }
  async function attach(): Promise<void> {
    setBusy('attach');
    const result = await call('walk.attach', { key: item.key });
    setBusy(undefined);
    setError(result.ok ? undefined : result.error);
    if (result.ok && result.value !== null && 'picture' in result.value) setPicture(result.value);
  }

  return (
    <section className="grid gap-3.5 px-4 py-3.5" aria-label={`Question: ${item.target.name}`}>
      <RadioGroup value={answer} onChange={setAnswer} className="grid gap-2">
        <Label className="flex items-start gap-2 text-base font-medium text-pretty">
          <MessageCircleQuestion aria-hidden className="mt-0.75 size-4 shrink-0 text-faint" />
          {manual.question}
        </Label>
        <div className="flex flex-wrap gap-2 pl-6">
          {manual.answers.map((name) => (
            <Radio
              key={name}
              value={name}
              className="relative flex h-8 items-center gap-2 rounded-md border border-edge/60 bg-surface px-3 text-base transition-colors hover:bg-hover data-[focus-visible]:outline-2 data-[focus-visible]:outline-offset-2 data-[focus-visible]:outline-accent data-[selected]:border-accent data-[selected]:bg-tint data-[selected]:font-semibold data-[selected]:text-link"
            >
              {({ isSelected }) => (
                <>
                  <span
                    aria-hidden
                    className={`flex size-3.5 items-center justify-center rounded-full border ${isSelected ? 'border-accent' : 'border-edge'}`}
                  >
                    {isSelected ? <span className="size-2 rounded-full bg-accent" /> : null}
                  </span>
                  {showName(name)}
                </>
              )}
            </Radio>
          ))}
        </div>
      </RadioGroup>
      <div className="grid gap-3 pl-6">
        <TextBlock
          label="Note"
          value={note}
          onChange={setNote}
          required={false}
          maxLength={8000}
          rows={2}
          help="What you saw and where. It stands in the bundle: no passwords, no patient data."
        />
        {attached.length === 0 ? null : (
          <ul className="grid gap-1 text-sm">
            {attached.map((file) => (
              <li key={`${file.sha256}-${file.name}`} className="flex items-center gap-2">
                <Paperclip aria-hidden className="size-3.5 shrink-0 text-faint" />
                <span className="truncate">{file.name}</span>
                <span className="font-mono text-xs text-faint">{file.sha256.slice(0, 12)}…</span>
                {file.redacted === undefined ? null : (
                  <span className="shrink-0 text-xs text-faint">
                    {file.redacted.boxes === 0 ? 'metadata taken out' : count(file.redacted.boxes, 'box', 'boxes')}
                  </span>
                )}
              </li>
            ))}
          </ul>
        )}
        <div className="flex flex-wrap items-center gap-2.5">
          <Button size="sm" icon={Paperclip} busy={busy === 'attach'} onPress={() => void attach()}>
            Attach a file…
          </Button>
          <Button
            size="sm"
            kind={changed && answer !== null ? 'primary' : 'plain'}
            busy={busy === 'save'}
            isDisabled={answer === null || !changed}
            onPress={() => void save()}
          >
            {given === undefined ? 'Record the answer' : 'Record again'}
          </Button>
          <span className="text-xs text-faint">
            {given !== undefined && !changed
              ? `Recorded ${showTime(given.at)}`
              : manual.evidence.length === 0
                ? null
                : `Evidence ${manual.required ? 'needed' : 'welcome'}: ${manual.evidence.map((kind) => EVIDENCE[kind as keyof typeof EVIDENCE] ?? kind).join(', ')}`}
          </span>
        </div>
        {error === undefined ? null : <ErrorNote error={error} />}
        {picture === undefined ? null : (
          <RedactDialog itemKey={item.key} picture={picture} onClose={() => setPicture(undefined)} />
        )}
      </div>
    </section>
  );
}
