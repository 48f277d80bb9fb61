import { join } from 'node:path';
import { ensureDependencies } from './tools/dependencies.mjs';
import { findNode, NODE_FLAGS } from './tools/node.mjs';
import { become, root } from './tools/process.mjs';
import { progressOn, runCommand } from './tools/progress.mjs';

// Standard output belongs to the command: --json has to stay JSON.
const progress = progressOn(process.stderr);

await runCommand(async () => {
  await ensureDependencies(progress);
  const node = await findNode();
  // npm runs scripts in the project's folder; the paths given are those of where the person stands.
  const stands = process.env.npm_lifecycle_event === 'lockstep' ? process.env.INIT_CWD : undefined;
  const ended = await become(node, [...NODE_FLAGS, join(root, 'cli', 'main.ts'), ...process.argv.slice(2)], {
    cwd: stands ?? process.cwd(),
  });
  if (ended.signal !== null) process.kill(process.pid, ended.signal);
  return ended.code;
});
