import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startDaemon } from './daemon.ts';

export type Orthanc = {
  readonly httpPort: number;
  readonly dicomPort: number;
  readonly log: () => string;
  readonly stop: () => Promise<void>;
};

/** Starts Debian's Orthanc on loopback with an empty store; `options` go into its configuration file. */
export async function startOrthanc(options: Record<string, unknown> = {}): Promise<Orthanc> {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-orthanc-'));
  const [httpPort, dicomPort] = [await freePort(), await freePort()];
  const configuration = {
    Name: 'LOCKSTEP-TEST',
    StorageDirectory: join(folder, 'storage'),
    IndexDirectory: join(folder, 'index'),
    HttpPort: httpPort,
    DicomPort: dicomPort,
    DicomAet: 'ORTHANC',
    RemoteAccessAllowed: false,
    AuthenticationEnabled: false,
    Plugins: [],
    ...options,
  };
  const file = join(folder, 'orthanc.json');
  await writeFile(file, JSON.stringify(configuration));
  const daemon = await startDaemon('Orthanc', [file], { address: '127.0.0.1', port: httpPort });
  return {
    httpPort,
    dicomPort,
    log: daemon.log,
    stop: async () => {
      await daemon.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
