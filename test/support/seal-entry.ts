import { argv, stdout } from 'node:process';
import { resumeSession } from '../../engine/session/open-session.ts';
import { sealSession } from '../../engine/session/seal.ts';
import { value } from './evidence.ts';

// Seals a session as some machine would: its clock, time zone, language, umask and folder come from who starts this.
const [dir = '', out = '', clock = ''] = argv.slice(2);
const session = value(
  await resumeSession(
    dir,
    {},
    {
      now: () => new Date(clock),
      lockstep: '0.0.0',
      runtime: { machine: out },
      operator: 'Erika Example',
      computer: 'one-laptop',
      ask: async () => false,
    },
  ),
);
const sealed = value(await sealSession(session, out, undefined));
await session.close();
stdout.write(sealed.sha256);
