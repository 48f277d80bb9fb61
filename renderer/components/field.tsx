import { Eye, EyeOff } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { Button as AriaButton, FieldError, Input, Label, Text, TextArea, TextField } from 'react-aria-components';

/** As the contract with main has it: a private key in PEM may be one. */
const MAX_SECRET = 8192;

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

/** What all fields share: the label above, help and faults below. */
function Field({
  label,
  value,
  onChange,
  help,
  required = true,
  disabled,
  autoFocus,
  maxLength,
  type = 'text',
  children,
}: Omit<Common, 'placeholder'> & { type?: 'text' | 'date' | 'datetime-local' | 'password'; children: ReactNode }) {
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
      {children}
      <Help help={help} />
    </TextField>
  );
}

function Line({ onEnter, placeholder, room = '' }: { onEnter?: () => void; placeholder?: string; room?: string }) {
  return (
    <Input
      className={`h-9 ${room} ${BOX}`}
      placeholder={placeholder}
      spellCheck={false}
      autoComplete="off"
      onKeyDown={(event) => {
        if (event.key === 'Enter') onEnter?.();
      }}
    />
  );
}

/** One line of text. */
export function TextInput({
  placeholder,
  onEnter,
  ...field
}: Common & { type?: 'text' | 'date' | 'datetime-local'; onEnter?: () => void }) {
  return (
    <Field {...field}>
      <Line placeholder={placeholder} onEnter={onEnter} />
    </Field>
  );
}

/** Several lines of text. */
export function TextBlock({ placeholder, rows = 3, ...field }: Common & { rows?: number }) {
  return (
    <Field {...field}>
      <TextArea className={`resize-y py-1.5 leading-relaxed ${BOX}`} rows={rows} placeholder={placeholder} />
    </Field>
  );
}

/** A password. The browser is told not to keep it; the page empties the value once it was handed to main. */
export function SecretInput({
  onEnter,
  ...field
}: Omit<Common, 'placeholder' | 'maxLength'> & { onEnter?: () => void }) {
  const [shown, setShown] = useState(false);
  return (
    <Field {...field} type={shown ? 'text' : 'password'} maxLength={MAX_SECRET}>
      <div className="relative">
        <Line onEnter={onEnter} room="pr-9" />
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
    </Field>
  );
}
