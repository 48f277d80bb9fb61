import { Eye, EyeOff } from 'lucide-react';
import { useState } from 'react';
import { Button as AriaButton, FieldError, Input, Label, Text, TextArea, TextField } from 'react-aria-components';

const BOX =
  'w-full rounded-md border border-edge/70 bg-surface px-2.5 text-base text-ink placeholder:text-faint hover:border-edge focus:border-accent disabled:opacity-50';

type Common = {
  label: string;
  value: string;
  onChange: (value: string) => void;
  help?: string;
  placeholder?: string;
  required?: boolean;
  disabled?: boolean;
  autoFocus?: boolean;
  maxLength?: number;
};

function Head({ label, required }: { label: string; required?: boolean }) {
  return (
    <Label className="text-sm font-medium">
      {label}
      {required === true ? null : <span className="font-normal text-faint"> (optional)</span>}
    </Label>
  );
}

function Help({ help }: { help?: string }) {
  return (
    <>
      {help === undefined ? null : (
        <Text slot="description" className="text-xs text-faint">
          {help}
        </Text>
      )}
      <FieldError className="text-xs text-fail" />
    </>
  );
}

/** One line of text. */
export function TextInput({
  label,
  value,
  onChange,
  help,
  placeholder,
  required = true,
  disabled,
  autoFocus,
  type = 'text',
  maxLength,
  onEnter,
}: Common & { type?: 'text' | 'date' | 'datetime-local'; onEnter?: () => void }) {
  return (
    <TextField
      value={value}
      onChange={onChange}
      isRequired={required}
      isDisabled={disabled}
      autoFocus={autoFocus}
      type={type as 'text'}
      maxLength={maxLength}
      className="grid gap-1"
      validationBehavior="aria"
    >
      <Head label={label} required={required} />
      <Input
        className={`h-9 ${BOX}`}
        placeholder={placeholder}
        spellCheck={false}
        autoComplete="off"
        onKeyDown={(event) => {
          if (event.key === 'Enter') onEnter?.();
        }}
      />
      <Help help={help} />
    </TextField>
  );
}

/** Several lines of text. */
export function TextBlock({
  label,
  value,
  onChange,
  help,
  placeholder,
  required = true,
  disabled,
  autoFocus,
  maxLength,
  rows = 3,
}: Common & { rows?: number }) {
  return (
    <TextField
      value={value}
      onChange={onChange}
      isRequired={required}
      isDisabled={disabled}
      autoFocus={autoFocus}
      maxLength={maxLength}
      className="grid gap-1"
      validationBehavior="aria"
    >
      <Head label={label} required={required} />
      <TextArea className={`resize-y py-1.5 leading-relaxed ${BOX}`} rows={rows} placeholder={placeholder} />
      <Help help={help} />
    </TextField>
  );
}

/** A password. The browser is told not to keep it; the page empties the value once it was handed to main. */
export function SecretInput({
  label,
  value,
  onChange,
  help,
  required = true,
  disabled,
  autoFocus,
  onEnter,
}: Common & { onEnter?: () => void }) {
  const [shown, setShown] = useState(false);
  return (
    <TextField
      value={value}
      onChange={onChange}
      isRequired={required}
      isDisabled={disabled}
      autoFocus={autoFocus}
      type={shown ? 'text' : 'password'}
      maxLength={1024}
      className="grid gap-1"
      validationBehavior="aria"
    >
      <Head label={label} required={required} />
      <div className="relative">
        <Input
          className={`h-9 pr-9 ${BOX}`}
          spellCheck={false}
          autoComplete="off"
          onKeyDown={(event) => {
            if (event.key === 'Enter') onEnter?.();
          }}
        />
        {/* slot null: a field's context would make this button clear or label the field */}
        <AriaButton
          slot={null}
          aria-label={shown ? 'Hide what is typed' : 'Show what is typed'}
          onPress={() => setShown(!shown)}
          className="absolute top-1 right-1 inline-flex size-7 items-center justify-center rounded-sm text-faint hover:bg-hover hover:text-ink"
        >
          {shown ? <EyeOff aria-hidden className="size-4" /> : <Eye aria-hidden className="size-4" />}
        </AriaButton>
      </div>
      <Help help={help} />
    </TextField>
  );
}
