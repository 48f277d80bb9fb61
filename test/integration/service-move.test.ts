import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createService } from '../../engine/service.ts';
import type { Service } from '../../engine/service-contract.ts';
import { value } from '../support/evidence.ts';
import { type Laptops, twoLaptops } from '../support/two-laptops.ts';

// What the desktop does with the engine, without the dialogs around it.
const PASSPHRASE = 'the night shift knows it';

let both: Laptops;
const services: Service[] = [];
beforeAll(async () => {
  both = await twoLaptops();
});
afterAll(async () => {
  for (const service of services) await service.close();
  await both.remove();
});

function serviceOf(laptop: string): Service {
  const service = createService({ dataDir: both.at(laptop), assetsDir: '', lockstep: '0.0.0', runtime: {} });
  services.push(service);
  return service;
}

it('leaves one engine and goes on in another; a refusal leaves the session open', async () => {
  const [day, night] = [serviceOf('day'), serviceOf('night')];
  const opening = { guidePath: both.at('guide.yaml'), sitePath: both.at('site.yaml'), operator: 'Erika', pins: [] };
  const opened = value(await day.call('session.open', opening));
  const erika = { path: both.at('erika.pem'), out: both.at('desk.p7m') };
  const refused = await day.call('session.handOver', { to: { passphrase: 'short' }, ...erika });
  expect(refused).toMatchObject({ ok: false, error: { code: 'input.malformed' } });
  const strange = await day.call('session.handOver', { to: { certificate: both.at('root.pem') }, ...erika });
  expect(strange).toMatchObject({ ok: false, error: { code: 'identity.invalid' } });
  expect(value(await day.call('session.snapshot', {}))?.session).toBe(opened.session);

  const handed = value(await day.call('session.handOver', { to: { passphrase: PASSPHRASE }, ...erika }));
  expect(handed).toEqual({ name: 'desk.p7m', to: 'whoever knows the passphrase' });
  expect(value(await day.call('session.snapshot', {}))).toBeNull();
  expect(value(await day.call('session.list', {}))).toMatchObject([{ handedOver: 'whoever knows the passphrase' }]);
  const held = await day.call('session.resume', { session: opened.session, operator: 'Erika', pins: [] });
  expect(held).toMatchObject({ ok: false, error: { code: 'session.state' } });

  const otto = {
    file: both.at('desk.p7m'),
    operator: 'Otto',
    path: both.at('otto.pem'),
    engineers: [both.ca.roots.engineer],
  };
  const taken = value(await night.call('session.takeOver', { opens: { passphrase: PASSPHRASE }, ...otto }));
  expect(taken).toEqual({ session: opened.session, operators: ['Erika', 'Otto'], notices: [] });
  const resumed = value(await night.call('session.resume', { session: taken.session, operator: 'Otto', pins: [] }));
  expect(resumed.events.filter(({ type }) => type === 'head.signed').map(({ by }) => by)).toEqual(['erika', 'otto']);
  expect(resumed.notices).toEqual([]);
});

it('leaves the passphrase in no file of either laptop', async () => {
  const names = await readdir(both.at('.'), { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  expect(files.length).toBeGreaterThan(6);
  for (const file of files) expect((await readFile(file)).includes(PASSPHRASE), file).toBe(false);
});
