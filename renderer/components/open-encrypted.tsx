import { LockOpen } from 'lucide-react';
import type { FileRef } from '../../core/ipc.ts';
import { call } from '../api.ts';
import { Card } from './layout.tsx';
import { SignWith } from './sign-with.tsx';

/** Opens a bundle that was encrypted to a certificate of the person's. */
export function OpenEncrypted({ onOpened }: { onOpened: (bundle: FileRef) => void }) {
  return (
    <Card icon={LockOpen} title="Encrypted for you">
      <div className="grid grid-cols-1 gap-4">
        <p className="text-sm text-soft">
          A file that ends in .p7m opens with the key of the certificate it was encrypted to.
        </p>
        <SignWith
          role="any"
          label="Open an encrypted bundle…"
          icon={LockOpen}
          kind="plain"
          work={async (identity, secret) => {
            const opened = await call('bundle.decrypt', { identity: identity.file.handle, ...secret });
            if (opened.ok && opened.value !== null) onOpened(opened.value);
            return opened;
          }}
        />
      </div>
    </Card>
  );
}
