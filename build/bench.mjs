import { join } from 'node:path';
import { ensureDependencies } from './tools/dependencies.mjs';
import { findNode, NODE_FLAGS } from './tools/node.mjs';
import { become, root } from './tools/process.mjs';
import { progressOn, runCommand } from './tools/progress.mjs';

// Standard output belongs to the figures: --json has to stay JSON.
const progress = progressOn(process.stderr);

await runCommand(async () => {
  await ensureDependencies(progress);
  const node = await findNode();
  const ended = await become(node, [...NODE_FLAGS, join(root, 'test', 'bench', 'main.ts'), ...process.argv.slice(2)]);
  if (ended.signal !== null) process.kill(process.pid, ended.signal);
  return ended.code;
});
