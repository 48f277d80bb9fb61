import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './cli.ts';
import { type Department, GROUP } from './imaging-department.ts';

/** One thing that happened: what a person would say about it, or a command with what it printed. */
export type Step =
  | { readonly kind: 'said'; readonly title?: string; readonly text: string }
  | {
      readonly kind: 'ran';
      readonly name: string;
      readonly command: string;
      /** Standard output and standard error as they came. */
      readonly output: string;
      readonly stdout: string;
      readonly code: number | null;
    };
export type Ran = Extract<Step, { kind: 'ran' }>;

const SECRETS = 'directory-bind=env:BIND_PASSWORD orthanc=env:ORTHANC_PASSWORD orthanc-default=env:ORTHANC_KNOWN';
const RUN =
  'lockstep run --guide orthanc.asice --trust publisher=publisher-root.pem --operator "Erika Engineer" --quiet';
const TRUST = '--trust engineer=engineer-root.pem hospital=hospital-root.pem publisher=publisher-root.pem';

const ANSWERS = `# Sample answers for a test system: nobody runs this Orthanc.
answers:
  rest.webdav: { answer: "false", note: Line of orthanc.json attached., attachments: [orthanc-lines.txt] }
  dicom.host-check: { answer: "true", note: Line of orthanc.json attached., attachments: [orthanc-lines.txt] }
  host.storage: { answer: "yes", note: Sample answer of a test. }
  host.backup: { answer: within a year, note: Sample answer of a test. }
  host.updates: { answer: nothing open, note: Sample answer of a test. }
  governance.next-review: { answer: within a year, note: Sample answer of a test. }
`;

/**
 * The road from default to hardened, by the commands that a person would type, against the running servers. Nothing is
 * asserted here: what came out is returned, for a test to judge and for the transcript to show.
 */
export async function walkDepartment(department: Department): Promise<readonly Step[]> {
  const steps: Step[] = [];
  const say = (text: string, title?: string) =>
    void steps.push({ kind: 'said', text, ...(title === undefined ? {} : { title }) });
  const run = async (name: string, command: string) => void steps.push(await shell(department, name, command));
  const { samba } = department;

  await writeFile(join(department.folder, 'answers.yaml'), ANSWERS);
  await department.orthancAsInstalled();
  say(
    'A Samba domain controller that takes passwords in clear text and old TLS, and Orthanc as Debian installs it: plain HTTP, so that the password of the check stays where it is and the version has to be typed. The publisher signs the guide, so that it may change something.',
    'As found',
  );
  await run(
    'sign-guide',
    `lockstep guide sign ${join(ROOT, 'assets/guides/orthanc.yaml')} --identity publisher.pem --out orthanc.asice`,
  );
  await run('check-site', 'lockstep site check site-as-found.yaml --guide orthanc.asice');
  await run(
    'first',
    `${RUN} --site site-as-found.yaml --product-version 1.10.1 --secret ${SECRETS} --identity engineer.pem --out first.asice`,
  );

  say(
    'The group that the site names is missing. Lockstep shows what it will write, and creates it under a ticket; the password of the account that writes comes from an environment variable and is used for this change only.',
    'A change',
  );
  await run(
    'apply',
    `${RUN} --site site-as-found.yaml --product-version 1.10.1 --secret ${SECRETS} --only access.named-group --apply access.named-group --ticket CHG-4711 --approver "Head of IT" --write-user Administrator@hospital.test --write-password env:WRITE_PASSWORD`,
  );
  await run('add-member', `samba-tool group addmembers ${GROUP} anna.berg -s ${samba.configuration}`);

  await department.orthancHardened();
  await department.hardenDirectory();
  say(
    'The hospital does what the guide says: Orthanc gets a login, DICOM over TLS with client certificates, and a proxy with HTTPS in front; its HTTP port is closed to the network. The domain controller refuses clear-text binds and old TLS. The site file follows.',
    'Hardened',
  );
  await run('site-diff', 'diff site-as-found.yaml site.yaml');
  await run(
    'orthanc-lines',
    'grep -E "WebDavEnabled|DicomCheckModalityHost" orthanc/orthanc.json | tee orthanc-lines.txt',
  );
  await run(
    'second',
    `${RUN} --site site.yaml --secret ${SECRETS} --answers answers.yaml --identity engineer.pem --out second.asice`,
  );

  say(
    'The hospital countersigns. Anyone can verify the bundle, with Lockstep or with stock tools.',
    'Signed by both, verified',
  );
  await run('verify-early', `lockstep verify second.asice ${TRUST}`);
  await run(
    'countersign',
    'lockstep bundle countersign second.asice --identity hospital.pem --role "Head of IT" --remark "Accepted."',
  );
  await run('verify', `lockstep verify second.asice ${TRUST}`);
  await run('unzip', 'unzip -q second.asice -d opened');
  await run('sha256sum', 'cd opened && sha256sum -c --quiet SHA256SUMS && echo "every file as listed"');
  await run(
    'manifest',
    'cd opened && grep -cF "$(openssl dgst -sha256 -binary SHA256SUMS | openssl base64)" META-INF/ASiCManifest001.xml',
  );
  for (const [number, role] of [
    ['001', 'engineer'],
    ['002', 'hospital'],
  ] as const) {
    await run(
      `openssl-${role}`,
      `cd opened && openssl cms -verify -binary -cades -inform DER -in META-INF/signature${number}.p7s -content META-INF/ASiCManifest${number}.xml -CAfile ../${role}-root.pem -out /dev/null`,
    );
  }
  await run(
    'openssl-wrong',
    'cd opened && openssl cms -verify -binary -cades -inform DER -in META-INF/signature001.p7s -content META-INF/ASiCManifest001.xml -CAfile ../hospital-root.pem -out /dev/null',
  );

  say('Somebody puts everybody into the group, and lets Orthanc run scripts.', 'Broken again');
  await run('break', `samba-tool group addmembers ${GROUP} "Domain Users" -s ${samba.configuration}`);
  await department.orthancHardened({ ExecuteLuaEnabled: true });
  await run('third', `${RUN} --site site.yaml --secret ${SECRETS} --only access.named-group rest.scripts-off`);
  return steps;
}

/** Runs one command line in the engineer's folder, as typed. */
export function shell(department: Department, name: string, command: string): Promise<Ran> {
  return new Promise((resolve) => {
    const child = spawn('bash', ['-c', command], {
      cwd: department.folder,
      env: { ...department.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 300_000,
    });
    let [output, stdout] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.on('close', (code) => resolve({ kind: 'ran', name, command, output, stdout, code }));
  });
}
