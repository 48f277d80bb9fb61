import { text } from 'node:stream/consumers';
import { connectSsh, type SshTarget } from '../../engine/wire/ssh.ts';

/** Logs in as standard input says and runs one command: the SSH code on another runtime. Prints what was seen as JSON. */
const target = JSON.parse(await text(process.stdin)) as SshTarget;
const connected = await connectSsh(target, { signal: AbortSignal.timeout(20_000) });
const ran = connected.ok ? await connected.value.exec('id -un') : connected;
if (connected.ok) connected.value.close();
process.stdout.write(
  JSON.stringify({
    boring: process.versions.electron !== undefined,
    agreed: connected.ok ? connected.value.agreed : undefined,
    said: ran.ok ? ran.value.stdout.toString() : ran.error,
  }),
);
