import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CHANGE_DECLARATIONS } from '../../../core/changes/index.ts';
import { checkGuide } from '../../../core/guide/check.ts';
import { makePlan } from '../../../core/guide/plan.ts';
import { PROBE_DECLARATIONS } from '../../../core/probes/index.ts';
import { siteSchema } from '../../../core/site/schema.ts';
import { offeredChange } from '../../../engine/session/visible.ts';

const text = readFileSync(new URL('../../../assets/guides/orthanc.yaml', import.meta.url), 'utf8');
const { guide } = checkGuide(text, { probes: PROBE_DECLARATIONS, changes: CHANGE_DECLARATIONS });
const SSH = { user: 'root', hostKey: `SHA256:${'a'.repeat(43)}`, secret: 'pacs-ssh' };

function offers(device: Readonly<Record<string, unknown>>): (id: string) => ReturnType<typeof offeredChange> {
  const endpoint = (port: number) => ({ host: 'pacs', port });
  const site = siteSchema.parse({
    site: 'imaging',
    name: 'Imaging',
    devices: [
      {
        id: 'pacs',
        name: 'PACS',
        host: 'pacs',
        adminUrl: 'https://pacs',
        credential: { user: 'lockstep', secret: 'orthanc' },
        endpoints: { https: endpoint(443), 'http-clear': endpoint(8042), dicom: endpoint(4242) },
        ...device,
      },
    ],
  });
  if (guide === undefined) throw new Error('the guide has faults');
  const plan = makePlan(guide, site);
  if (!plan.ok) throw new Error(JSON.stringify(plan.error));
  return (id) => {
    const item = plan.value.items.find(({ control }) => control.id === id);
    return item === undefined ? undefined : offeredChange(item, site);
  };
}

describe('a change that a guide offers', () => {
  it('says what monitoring will see of it, where the site file has all that it takes', () => {
    const offer = offers({ ssh: SSH });
    expect(offer('http.login')).toMatchObject({
      visible: [expect.stringContaining('SSH log-ins to pacs'), expect.anything()],
    });
    expect(offer('http.login')?.lacks).toBeUndefined();
    expect(offer('rest.log-level')?.lacks).toBeUndefined();
    expect(offer('dicom.unknown-caller')).toMatchObject({
      visible: [],
      lacks: 'The site file gives no value for laptopAddress, which this change takes.',
    });
    expect(offer('network.ports')).toBeUndefined();
  });

  it('says what the site file lacks, and announces nothing', () => {
    const offer = offers({});
    for (const id of ['http.login', 'http.clear-closed', 'dicom.encrypted'])
      expect(offer(id)).toMatchObject({
        visible: [],
        lacks: 'The site file names no SSH access for the device pacs: give it ssh with user, hostKey and secret.',
      });
    expect(offer('rest.log-level')?.visible).toHaveLength(1);
  });

  it('says so where the address of the site file does not fit', () => {
    expect(offers({ adminUrl: 'http://pacs:8042' })('rest.log-level')).toMatchObject({
      visible: [],
      lacks: 'This change does not fit the site file: url: only https:// is taken here.',
    });
  });
});
