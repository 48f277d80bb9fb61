import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { checkChain } from '../../engine/keys/chain.ts';
import { readCertificatesPem, type ReadCertificate } from '../../engine/keys/read-certificate.ts';
import { needs } from '../support/debian.ts';
import { oddChains } from '../support/odd-chains.ts';

const run = promisify(execFile);
const folder = await mkdtemp(join(tmpdir(), 'lockstep-chains-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

function read(pem: string): ReadCertificate[] {
  const result = readCertificatesPem(pem);
  if (!result.ok) throw new Error(result.error.cause);
  return result.value;
}

/** `openssl verify` as a second opinion. */
async function opensslAccepts(presented: string, anchors: string): Promise<boolean> {
  const [leaf = '', ...rest] = presented.match(/-----BEGIN[\s\S]+?-----END CERTIFICATE-----\n?/g) ?? [];
  const [leafFile, restFile, anchorFile] = [
    join(folder, 'leaf.pem'),
    join(folder, 'rest.pem'),
    join(folder, 'anchors.pem'),
  ];
  await writeFile(leafFile, leaf);
  await writeFile(restFile, rest.join('') || leaf);
  await writeFile(anchorFile, anchors);
  try {
    await run('openssl', [
      'verify',
      '-no-CApath',
      '-no-CAstore',
      '-purpose',
      'sslserver',
      '-CAfile',
      anchorFile,
      '-untrusted',
      restFile,
      leafFile,
    ]);
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(!needs('openssl'))('our chain builder and openssl verify agree', async () => {
  it.each(await oddChains())('$title: $problem', async ({ presented, anchors, opensslAgrees }) => {
    const ours = checkChain(read(presented), read(anchors), new Date(), 'server').trusted;
    expect(await opensslAccepts(presented, anchors)).toBe(opensslAgrees === false ? !ours : ours);
  });
});
