import { Label, Radio, RadioGroup } from 'react-aria-components';

/** A choice of one among a few, side by side. */
export function Segments<T extends string>({
  label,
  choices,
  chosen,
  onChoose,
}: {
  label: string;
  choices: readonly (readonly [T, string])[];
  chosen: T;
  onChoose: (choice: T) => void;
}) {
  return (
    <RadioGroup
      value={chosen}
      onChange={(value) => onChoose(value as T)}
      orientation="horizontal"
      className="flex flex-wrap items-center gap-x-4 gap-y-2"
    >
      <Label className="text-sm font-medium">{label}</Label>
      <div className="flex rounded-md border border-edge/60 bg-sunken p-0.5">
        {choices.map(([value, name]) => (
          <Radio
            key={value}
            value={value}
            className="relative flex h-7 items-center rounded-sm px-3 text-sm text-soft data-[focus-visible]:outline-2 data-[focus-visible]:outline-offset-2 data-[focus-visible]:outline-accent data-[selected]:bg-surface data-[selected]:font-semibold data-[selected]:text-link data-[selected]:shadow-card"
          >
            {name}
          </Radio>
        ))}
      </div>
    </RadioGroup>
  );
}
