/** The process inside an isolated host: starts its programs, opens the doors to its published ports, ends with its input. */
import { type Daemon, startDaemon } from './daemon.ts';
import { doorPath, type HostPlan, relay } from './isolated-host.ts';

const plan = JSON.parse(process.argv[2] ?? '{}') as HostPlan;
const daemons: Daemon[] = [];

async function stop(code: number): Promise<void> {
  await Promise.all(daemons.map((daemon) => daemon.stop()));
  process.exit(code);
}

process.stdin.resume();
process.stdin.once('end', () => void stop(0));
process.once('uncaughtException', (error) => {
  process.stderr.write(`${error.stack ?? error.message}\n`);
  void stop(1);
});

for (const { command, args, ready, env } of plan.programs) {
  const listens = { address: plan.address, port: ready };
  daemons.push(await startDaemon(command, args, listens, { env: { ...process.env, ...env } }));
}
for (const port of plan.published) {
  await relay({ path: doorPath(plan.folder, port) }, { host: plan.address, port });
}
process.stdout.write('lockstep-host-ready\n');
