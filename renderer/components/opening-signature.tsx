import { CircleCheck, PenLine } from 'lucide-react';
import { call } from '../api.ts';
import { useWizard } from '../store.ts';
import { Badge } from './badge.tsx';
import { Card } from './layout.tsx';
import { SignWith } from './sign-with.tsx';

/** The operator's signature on the journal as it opens; it may be left out, and then the bundle says so. */
export function OpeningSignature() {
  const signed = useWizard((state) => state.session.heads.some((head) => head.at === 'open'));
  return (
    <Card
      icon={PenLine}
      title="Your signature on the opening"
      aside={
        signed ? (
          <Badge icon={CircleCheck} tone="pass">
            Signed
          </Badge>
        ) : undefined
      }
    >
      {signed ? (
        <p className="text-sm text-soft">The journal is signed as it opened. You sign it again when it is sealed.</p>
      ) : (
        <div className="grid grid-cols-1 gap-4">
          <p className="text-sm text-soft">
            It shows later that the session was begun by you, with this guide and this site. You can leave it out; the
            bundle then says so.
          </p>
          <SignWith
            label="Sign the opening"
            icon={PenLine}
            kind="plain"
            work={(identity, secret) => call('identity.signOpening', { identity: identity.file.handle, ...secret })}
          />
        </div>
      )}
    </Card>
  );
}
