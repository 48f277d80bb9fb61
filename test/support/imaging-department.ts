import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './cli.ts';
import { type DebianHost, startDebianHost } from './debian-host.ts';
import { addGroup, addMember, addUser, startSamba, type SambaServer } from './samba.ts';
import { createPracticeCa, type PracticeCa } from '../../engine/keys/practice-ca.ts';

const PACS = 'pacs.hospital.example';
const FIXTURES = join(ROOT, 'test', 'fixtures', 'orthanc');
const PORTS = { HTTP_PORT: '8042', HTTPS_PORT: '443', DICOM_PORT: '4242' } as const;
const INSECURE_DIRECTORY = ['ldap server require strong auth = no'];
const SECURE_DIRECTORY = [
  'ldap server require strong auth = yes',
  'tls priority = SECURE128:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.3',
];

/** The group that the site names for its one role; it is missing at first. */
export const GROUP = 'PACS-Readers';

/** Every password of the department, by the environment variable in which the command line gets it. */
export const PASSWORDS = {
  BIND_PASSWORD: 'Practice-B1nd-7f3a!',
  ORTHANC_PASSWORD: 'practice-orthanc-91c4e0',
  ORTHANC_KNOWN: 'orthanc',
  WRITE_PASSWORD: '',
};

/** A Samba domain controller and a host with Orthanc, all real, and a folder as an engineer would have it on the laptop. */
export type Department = {
  /** The engineer's folder, where the commands run. `ssh -F ssh_config pacs` logs in to the host of Orthanc. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly samba: SambaServer;
  readonly host: DebianHost;
  readonly hardenDirectory: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

/**
 * Starts the directory with its insecure settings, and Orthanc exactly as Debian installs it, on a host where the hospital has
 * installed nginx, put a certificate, and switched the firewall on, which lets everything through. Needs root.
 */
export async function startDepartment(): Promise<Department> {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-imaging-'));
  const ca = await createPracticeCa({ now: new Date() });
  const samba = await startSamba({ ca, globals: INSECURE_DIRECTORY });
  let host: DebianHost | undefined;
  const stop = async () => {
    await host?.stop();
    await samba.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await fillDirectory(samba);
    await writeKeys(folder, ca);
    host = await startDebianHost('pacs', [
      'install -d /etc/orthanc/tls',
      `install -m 644 ${join(folder, 'pacs.crt')} /etc/orthanc/tls/server.crt`,
      `install -m 640 -g orthanc ${join(folder, 'pacs.key')} /etc/orthanc/tls/server.key`,
      `install -m 644 ${join(folder, 'hospital-ca.pem')} /etc/orthanc/tls/hospital-ca.crt`,
      'systemctl enable nftables && systemctl start nftables',
    ]);
    await copyFile(host.sshConfig, join(folder, 'ssh_config'));
    await writeSites(folder, host, samba);
    await writeBin(folder);
    return {
      folder,
      env: {
        PATH: `${join(folder, 'bin')}:${process.env.PATH ?? ''}`,
        HOME: folder,
        LOCKSTEP_DATA_DIR: join(folder, 'sessions'),
        ...PASSWORDS,
        WRITE_PASSWORD: samba.adminPassword,
        PACS_SSH: host.clientKey,
      },
      samba,
      host,
      hardenDirectory: () => samba.restart(SECURE_DIRECTORY),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** People, and a group whose name is spelt much like the one that is missing. */
function fillDirectory(samba: SambaServer): Promise<void> {
  return samba.admin(async (client) => {
    await addUser(client, { name: 'svc-lockstep', password: PASSWORDS.BIND_PASSWORD });
    for (const name of ['anna.berg', 'ben.falk']) await addUser(client, { name });
    const other = await addGroup(client, { name: 'PACS-Reader' });
    await addMember(client, other, `CN=ben.falk,CN=Users,${samba.baseDn}`);
  });
}

async function writeKeys(folder: string, ca: PracticeCa): Promise<void> {
  const pacs = await ca.issue({ commonName: PACS, sans: [PACS], usage: 'server', curve: 'rsa-2048' });
  const laptop = await ca.issue({
    commonName: 'laptop',
    sans: ['laptop.hospital.example'],
    usage: 'client',
    curve: 'rsa-2048',
  });
  for (const [name, issued] of [
    ['pacs', pacs],
    ['laptop', laptop],
  ] as const) {
    await writeFile(join(folder, `${name}.crt`), issued.chainPem);
    await writeFile(join(folder, `${name}.key`), issued.keyPem, { mode: 0o600 });
  }
  await writeFile(join(folder, 'hospital-ca.pem'), ca.roots.hospital);
  for (const role of ['engineer', 'hospital', 'publisher'] as const) {
    const issued = await ca.issue({ commonName: `PRACTICE ${role}`, usage: 'sign', role });
    await writeFile(join(folder, `${role}.pem`), `${issued.keyPem}\n${issued.chainPem}`, { mode: 0o600 });
    await writeFile(join(folder, `${role}-root.pem`), ca.roots[role]);
  }
}

/** The site as it was found (plain HTTP) and as it is meant to be. */
async function writeSites(folder: string, host: DebianHost, samba: SambaServer): Promise<void> {
  const site = await filled('site.yaml', {
    ...PORTS,
    ADDRESS: host.address,
    CA: 'hospital-ca.pem',
    CLIENT_CERTIFICATE: 'laptop.crt',
    CLIENT_KEY: 'laptop.key',
  });
  const directory = [
    `  laptopAddress: ${host.laptop}`,
    'directory:',
    '  kind: active-directory',
    `  baseDn: ${samba.baseDn}`,
    '  servers:',
    `    - { id: dc1, host: ${samba.host}, ldaps: ${samba.ldaps}, ldap: ${samba.ldap} }`,
    '  anchors: [hospital-ca]',
    '  bindAccount: svc-lockstep@hospital.test',
    'roles:',
    `  - { id: reader, name: Image reader, group: ${GROUP} }`,
  ];
  let whole = replaced(site, /^hosts: \{ (.*) \}$/m, (line) =>
    line.replace(' }', `, ${samba.host}: "${samba.address}" }`),
  );
  whole = replaced(
    whole,
    /^ {4}aeTitle: .*$/m,
    (line) => `    ssh: { user: root, hostKey: "${host.hostKey}", secret: pacs-ssh }\n${line}`,
  );
  await writeFile(join(folder, 'site.yaml'), `${whole}${directory.join('\n')}\n`);
  let found = replaced(whole, /adminUrl: .*/, () => `adminUrl: http://${PACS}:8042`);
  found = replaced(found, /https: \{ host: (\S+), port: 443 \}/, (line) => line.replace('443', '8042'));
  await writeFile(join(folder, 'site-as-found.yaml'), `${found}${directory.join('\n')}\n`);
}

function replaced(text: string, pattern: RegExp, by: (found: string) => string): string {
  if (!pattern.test(text)) throw new Error(`the fixture has no ${pattern}`);
  return text.replace(pattern, by);
}

async function writeBin(folder: string): Promise<void> {
  await mkdir(join(folder, 'bin'));
  const lockstep = join(folder, 'bin', 'lockstep');
  await writeFile(
    lockstep,
    `#!/bin/sh\nexec "${process.execPath}" --disable-warning=ExperimentalWarning "${join(ROOT, 'cli', 'main.ts')}" "$@"\n`,
  );
  await chmod(lockstep, 0o755);
}

async function filled(name: string, values: Readonly<Record<string, string>>): Promise<string> {
  const text = await readFile(join(FIXTURES, name), 'utf8');
  return text.replace(/@([A-Z_]+)@/g, (mark, key: string) => values[key] ?? mark);
}
