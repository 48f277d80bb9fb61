import { FolderPlus, Stamp } from 'lucide-react';
import { useState } from 'react';
import type { AskedWaiver, FileRef, Outputs, SealedView } from '../../core/ipc.ts';
import { call } from '../api.ts';
import { useTask } from '../lib/use-task.ts';
import { Button } from './button.tsx';
import { CodeBlock } from './code-block.tsx';
import { TextBlock, TextInput } from './field.tsx';
import { ErrorNote } from './note.tsx';
import { Segments } from './segments.tsx';
import { SignWith } from './sign-with.tsx';
import { type TitledWaiver, WaiversToAccept } from './waivers-to-accept.tsx';

/** The hospital's signature: here with an identity's file, or elsewhere with a key that does not leave its machine. */
export function CountersignForm({
  bundle,
  waivers,
  onSigned,
}: {
  bundle: FileRef;
  waivers: readonly (AskedWaiver | TitledWaiver)[];
  onSigned: (view: SealedView) => void;
}) {
  const [where, setWhere] = useState<'here' | 'elsewhere'>('here');
  const [role, setRole] = useState('');
  const [remark, setRemark] = useState('');
  const [accept, setAccept] = useState<readonly string[]>([]);
  const statement = { role: role.trim(), remark: remark.trim(), accept: [...accept] };
  const fields = (busy: boolean) => (
    <>
      <TextInput
        label="Role of who countersigns"
        value={role}
        onChange={setRole}
        maxLength={120}
        placeholder="Head of clinical IT"
        disabled={busy}
      />
      <TextBlock
        label="Remark"
        value={remark}
        onChange={setRemark}
        required={false}
        maxLength={4000}
        rows={2}
        disabled={busy}
      />
    </>
  );
  return (
    <div className="grid grid-cols-1 gap-4">
      <WaiversToAccept waivers={waivers} accepted={accept} onChange={setAccept} />
      <Segments
        label="The hospital’s key is"
        choices={[
          ['here', 'in a file here'],
          ['elsewhere', 'on another machine'],
        ]}
        chosen={where}
        onChoose={setWhere}
      />
      {where === 'here' ? (
        <SignWith
          role="hospital"
          label="Countersign"
          icon={Stamp}
          fields={fields}
          filled={statement.role !== ''}
          work={async (identity, secret) => {
            const signed = await call('bundle.countersign', {
              bundle: bundle.handle,
              identity: identity.file.handle,
              ...statement,
              ...secret,
            });
            if (signed.ok) onSigned(signed.value);
            return signed;
          }}
        />
      ) : (
        <Elsewhere bundle={bundle} statement={statement} fields={fields} onSigned={onSigned} />
      )}
    </div>
  );
}

function Elsewhere({
  bundle,
  statement,
  fields,
  onSigned,
}: {
  bundle: FileRef;
  statement: { role: string; remark: string; accept: string[] };
  fields: (busy: boolean) => React.ReactNode;
  onSigned: (view: SealedView) => void;
}) {
  const [name, setName] = useState('');
  const [prepared, setPrepared] = useState<Outputs['outside.prepare']>(null);
  const { busy, error, run } = useTask<'prepare' | 'add'>();
  const prepare = () =>
    run('prepare', async () => {
      const written = await call('outside.prepare', { bundle: bundle.handle, name: name.trim(), ...statement });
      if (written.ok && written.value !== null) setPrepared(written.value);
      return written;
    });
  const add = () =>
    run('add', async () => {
      const added = await call('outside.import', { bundle: bundle.handle });
      if (added.ok && added.value !== null) onSigned(added.value);
      return added;
    });
  return (
    <div className="grid grid-cols-1 gap-4">
      <div className="grid grid-cols-2 gap-8">
        <div className="grid content-start gap-3.5">
          <TextInput label="Who will sign" value={name} onChange={setName} maxLength={200} />
          {fields(busy !== undefined)}
        </div>
        <ol className="grid list-decimal content-start gap-2 pl-4 text-sm text-soft">
          <li>Write what is to be signed into a folder, with a README that says how.</li>
          <li>Sign it there, with stock OpenSSL or PowerShell, and leave the signature in that folder.</li>
          <li>Add the signature here. It is taken only when it fits.</li>
        </ol>
      </div>
      {prepared === null ? null : (
        <div className="grid grid-cols-1 gap-2">
          <p className="text-sm text-soft">
            To be signed in <span className="font-mono text-xs break-all text-ink">{prepared.folder}</span>:
          </p>
          <CodeBlock label="There" text={prepared.command} />
        </div>
      )}
      {error === undefined ? null : <ErrorNote error={error} />}
      <div className="flex flex-wrap gap-2.5">
        <Button
          kind={prepared === null ? 'primary' : 'plain'}
          icon={FolderPlus}
          busy={busy === 'prepare'}
          isDisabled={name.trim() === '' || statement.role === ''}
          onPress={() => void prepare()}
        >
          Write what is to be signed…
        </Button>
        <Button
          kind={prepared === null ? 'plain' : 'primary'}
          icon={Stamp}
          busy={busy === 'add'}
          onPress={() => void add()}
        >
          Add the signature…
        </Button>
      </div>
    </div>
  );
}
