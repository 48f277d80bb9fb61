import { CheckboxGroup, Label } from 'react-aria-components';
import type { AskedWaiver } from '../../core/ipc.ts';
import { showDate } from '../lib/format.ts';
import { TickBox } from './tick-box.tsx';

/** A waiver with the title of its step, where the guide is at hand. */
export type TitledWaiver = AskedWaiver & { readonly title: string };

/** The waivers that a bundle asks for. None is accepted that the hospital did not tick. */
export function WaiversToAccept({
  waivers,
  accepted,
  onChange,
}: {
  waivers: readonly (AskedWaiver | TitledWaiver)[];
  accepted: readonly string[];
  onChange: (keys: readonly string[]) => void;
}) {
  if (waivers.length === 0) return null;
  return (
    <CheckboxGroup
      value={[...accepted]}
      onChange={onChange}
      className="grid grid-cols-1 gap-2 rounded-md border border-error/30 bg-error-tint px-3 py-2.5"
    >
      <Label className="text-sm font-semibold">Waivers asked for. Tick those that the hospital accepts.</Label>
      {waivers.map((waiver) => (
        <TickBox key={waiver.key} value={waiver.key}>
          <span className="min-w-0 break-words">
            <span className="font-medium">{'title' in waiver ? waiver.title : waiver.key}</span>, until{' '}
            {showDate(waiver.until)}
            <span className="block text-soft">
              {waiver.reason} Meanwhile: {waiver.compensating}
            </span>
          </span>
        </TickBox>
      ))}
    </CheckboxGroup>
  );
}
