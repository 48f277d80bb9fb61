import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './cli.ts';
import { type Department, GROUP } from './imaging-department.ts';
import { shell, type Step } from './walk-shell.ts';

const SECRETS =
  'directory-bind=env:BIND_PASSWORD orthanc=env:ORTHANC_PASSWORD orthanc-default=env:ORTHANC_KNOWN pacs-ssh=env:PACS_SSH';
const RUN =
  'lockstep run --guide orthanc.asice --trust publisher=publisher-root.pem --operator "Erika Engineer" --quiet';
const APPROVED =
  '--ticket CHG-4712 --approver "Head of IT" --write-for ssh=root=env:PACS_SSH http=lockstep=env:ORTHANC_PASSWORD';
const SSH = 'ssh -F ssh_config pacs';
/** Every file of the configuration with rights, owner, time and digest; old versions that Lockstep keeps there apart. */
const FILES = "find etc -type f ! -name '*.lockstep-*'";
const LIST_FILES = `${SSH} "cd / && { ${FILES} -printf '%p %M %u %g %TY-%Tm-%TdT%TT\\n'; ${FILES} -exec sha256sum {} +; } | sort"`;
const TRUST = '--trust engineer=engineer-root.pem hospital=hospital-root.pem publisher=publisher-root.pem';

/** Every step whose change is one of the host of Orthanc, in the order of the guide. */
export const HOST_CHANGES = [
  'http.login',
  'http.encrypted',
  'http.clear-closed',
  'rest.scripts-off',
  'rest.files-off',
  'rest.plugins',
  'rest.webdav',
  'dicom.encrypted',
  'dicom.client-certificate',
  'dicom.tls-floor',
  'dicom.unknown-caller',
  'dicom.called-title',
  'dicom.host-check',
] as const;

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
  const run = async (name: string, command: string, answer?: string) =>
    void steps.push(await shell(department, name, command, answer));
  const { samba } = department;

  await writeFile(join(department.folder, 'answers.yaml'), ANSWERS);
  await writeFile(join(department.folder, 'changes.txt'), `${HOST_CHANGES.join(' ')}\n`);
  say(
    'A Samba domain controller that takes passwords in clear text and old TLS, and Orthanc as Debian installs it: plain HTTP, so that the password of the check stays where it is and the version has to be typed. The publisher signs the guide, so that it may change something.',
    'As found',
  );
  await run(
    'sign-guide',
    `lockstep guide sign ${join(ROOT, 'assets/guides/orthanc.yaml')} --identity publisher.pem --out orthanc.asice`,
  );
  await run('check-site', 'lockstep site check site-as-found.yaml --guide orthanc.asice');
  const asFound = `${RUN} --site site-as-found.yaml --product-version 1.10.1 --secret ${SECRETS}`;
  await run('first', `${asFound} --identity engineer.pem --out first.asice`);

  say(
    'The group that the site names is missing. Lockstep shows what it will write, and creates it under a ticket; the password of the account that writes comes from an environment variable and is used for this change only.',
    'A change',
  );
  await run(
    'apply',
    `${asFound} --only access.named-group --apply access.named-group --ticket CHG-4711 --approver "Head of IT" --write-user Administrator@hospital.test --write-password env:WRITE_PASSWORD`,
  );
  await run('add-member', `samba-tool group addmembers ${GROUP} anna.berg -s ${samba.configuration}`);

  await department.hardenDirectory();
  say(
    'The domain controller now refuses clear-text binds and old TLS. Orthanc is hardened by the changes that the guide offers, over SSH, as root on its host: a login, HTTPS in front (nginx and a certificate are there), the clear port closed by the firewall, DICOM over TLS with client certificates, and what nobody needs switched off. The site file says where HTTPS will be. Before each write the plan is shown; what could cut off the way it is made over, the firewall, goes back by itself unless somebody confirms.',
    'Hardened',
  );
  await run('site-diff', 'diff site-as-found.yaml site.yaml');
  await run('files-before', `${LIST_FILES} > before.txt && wc -l < before.txt`);
  await run('changes', 'cat changes.txt');
  const harden = `${RUN} --site site.yaml --product-version 1.10.1 --secret ${SECRETS} --only $(cat changes.txt) --apply $(cat changes.txt) ${APPROVED} --identity engineer.pem --out hardening.asice`;
  await run('harden', harden, 'y');
  const session = sessionOf(steps, 'harden');
  await run('verify-hardening', `lockstep verify hardening.asice ${TRUST}`);
  await run(
    'orthanc-lines',
    `${SSH} 'grep -E "WebDavEnabled.*:|DicomCheckModalityHost.*:" /etc/orthanc/orthanc.json' | tee orthanc-lines.txt`,
  );
  say('The manual questions are answered, and the whole guide is walked again.');
  const hardened = `${RUN} --site site.yaml --secret ${SECRETS}`;
  await run('second', `${hardened} --answers answers.yaml --identity engineer.pem --out second.asice`);

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

  say(
    'Somebody looked for an error and left the log at its detailed level. That setting is changed over the REST interface, and this change is undone and made again.',
    'A setting',
  );
  const setLevel = `${SSH} 'curl -sS --user lockstep:'"$ORTHANC_PASSWORD"' -X PUT -d verbose http://127.0.0.1:8042/tools/log-level'`;
  await run('log-verbose', setLevel);
  await run('log-level', `${hardened} --only rest.log-level --apply rest.log-level ${APPROVED}`);
  const logSession = sessionOf(steps, 'log-level');
  await run(
    'log-level-undo',
    `${hardened} --resume ${logSession} --only rest.log-level --undo rest.log-level ${APPROVED}`,
  );
  await run('log-level-again', `${hardened} --only rest.log-level --apply rest.log-level ${APPROVED}`);

  say('Somebody puts everybody into the group, and lets Orthanc run scripts.', 'Broken again');
  await run('break', `samba-tool group addmembers ${GROUP} "Domain Users" -s ${samba.configuration}`);
  await run(
    'break-scripts',
    `${SSH} 'cp -p /etc/orthanc/orthanc.json /root/ && sed -i "/ExecuteLuaEnabled/s/false/true/" /etc/orthanc/orthanc.json && systemctl restart orthanc && sleep 5'`,
  );
  await run('third', `${hardened} --only access.named-group rest.scripts-off`);

  say(
    'All changes of the host are undone, the last first. That is refused as long as somebody else has changed the same file; once that is put right it is done, and every file of the host is what it was.',
    'Undone',
  );
  const undo = `${hardened} --resume ${session} --only $(cat changes.txt) --undo $(cat changes.txt) ${APPROVED.replace('4712', '4713')} --identity engineer.pem --out undone.asice`;
  await run('undo-refused', undo, 'y');
  await run('mend-scripts', `${SSH} 'cp -p /root/orthanc.json /etc/orthanc/ && systemctl restart orthanc && sleep 5'`);
  await run('undo', undo, 'y');
  await run('verify-undone', `lockstep verify undone.asice ${TRUST}`);
  await run('files-after', `${LIST_FILES} > after.txt && diff before.txt after.txt && echo "every file as before"`);
  await run('fourth', asFound);
  return steps;
}

/** The session that the step of that name has started. */
function sessionOf(steps: readonly Step[], name: string): string {
  const step = steps.find((one) => one.kind === 'ran' && one.name === name);
  return /^session (\S+)$/m.exec(step?.kind === 'ran' ? step.output : '')?.[1] ?? '';
}
