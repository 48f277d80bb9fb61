import { FolderOpen, IdCard } from 'lucide-react';
import { useCallback, useEffect, useState } from 'react';
import { Label, Radio, RadioGroup } from 'react-aria-components';
import type { IdentityView } from '../../core/ipc.ts';
import type { AppError } from '../../core/result.ts';
import { call } from '../api.ts';
import { PracticeBadge } from './badge.tsx';
import { Button } from './button.tsx';
import { Empty, Loading } from './layout.tsx';
import { ErrorNote } from './note.tsx';

/** The identities that main knows for a role, and any other file. */
export function IdentityPicker({
  role,
  chosen,
  onChoose,
  disabled = false,
}: {
  /** `any`: a key that opens what was encrypted to it is nobody's in particular. */
  role: 'engineer' | 'hospital' | 'any';
  chosen?: IdentityView;
  onChoose: (identity: IdentityView) => void;
  disabled?: boolean;
}) {
  const [list, setList] = useState<readonly IdentityView[]>();
  const [error, setError] = useState<AppError>();
  const load = useCallback(async () => {
    const identities = await call('identity.list', {});
    if (identities.ok)
      setList((before) => [
        ...identities.value,
        ...(before ?? []).filter((entry) => !identities.value.some((known) => known.file.handle === entry.file.handle)),
      ]);
    setError(identities.ok ? undefined : identities.error);
  }, []);
  useEffect(() => void load(), [load]);

  async function browse(): Promise<void> {
    const file = await call('file.choose', { kind: 'identity' });
    setError(file.ok ? undefined : file.error);
    if (!file.ok || file.value === null) return;
    const identity: IdentityView = { file: file.value, role: 'unknown', practice: false, needsPassphrase: true };
    setList((before) => [...(before ?? []), identity]);
    onChoose(identity);
  }

  const fitting = (list ?? []).filter(
    (identity) => role === 'any' || identity.role === role || identity.role === 'unknown',
  );
  return (
    <div className="grid grid-cols-1 gap-2.5">
      {error === undefined ? null : (
        <>
          <ErrorNote error={error} />
          <div>
            <Button size="sm" onPress={() => void load()}>
              Try again
            </Button>
          </div>
        </>
      )}
      {list === undefined && error === undefined ? <Loading what="identities" rows={1} /> : null}
      {list !== undefined && fitting.length === 0 ? (
        <Empty icon={IdCard} title="No identity yet">
          Open your certificate with its key: a .p12 or .pfx file, or a PEM.
        </Empty>
      ) : null}
      {fitting.length === 0 ? null : (
        <RadioGroup
          isDisabled={disabled}
          value={chosen?.file.handle ?? null}
          onChange={(handle) => {
            const identity = fitting.find((entry) => entry.file.handle === handle);
            if (identity !== undefined) onChoose(identity);
          }}
          className="grid grid-cols-1 gap-2"
        >
          <Label className="text-sm font-medium">Identity</Label>
          {fitting.map((identity) => (
            <Radio
              key={identity.file.handle}
              value={identity.file.handle}
              className="relative flex items-center gap-3 rounded-md border border-edge/60 bg-surface px-3 py-2 transition-colors hover:bg-hover data-[focus-visible]:outline-2 data-[focus-visible]:outline-offset-2 data-[focus-visible]:outline-accent data-[selected]:border-accent data-[selected]:bg-tint"
            >
              {({ isSelected }) => (
                <>
                  <span
                    aria-hidden
                    className={`flex size-4 shrink-0 items-center justify-center rounded-full border ${isSelected ? 'border-accent' : 'border-edge'}`}
                  >
                    {isSelected ? <span className="size-2 rounded-full bg-accent" /> : null}
                  </span>
                  <span className="min-w-0 flex-1">
                    <span className="block truncate text-base font-medium">
                      {identity.subject ?? identity.file.name}
                    </span>
                    <span className="block truncate text-xs text-faint">
                      {identity.file.name}
                      {identity.needsPassphrase ? ' · passphrase needed' : ''}
                    </span>
                  </span>
                  {identity.practice ? <PracticeBadge /> : null}
                </>
              )}
            </Radio>
          ))}
        </RadioGroup>
      )}
      <div>
        <Button size="sm" icon={FolderOpen} isDisabled={disabled} onPress={() => void browse()}>
          Use another file…
        </Button>
      </div>
    </div>
  );
}
