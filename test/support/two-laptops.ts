import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { VerifyView } from '../../core/ipc.ts';
import type { Result } from '../../core/result.ts';
import type { Opener } from '../../engine/evidence/decrypt.ts';
import { type Identity, identityFromPem } from '../../engine/keys/identity.ts';
import { createPracticeCa, type PracticeCa } from '../../engine/keys/practice-ca.ts';
import { verifyBundle } from '../../engine/session/bundles.ts';
import { type HandOverTo, handOverSession } from '../../engine/session/hand-over.ts';
import { loadGuide } from '../../engine/session/load-guide.ts';
import { loadSite } from '../../engine/session/load-site.ts';
import { openSession, resumeSession } from '../../engine/session/open-session.ts';
import { sealSession } from '../../engine/session/seal.ts';
import type { Session, SessionOptions } from '../../engine/session/session.ts';
import { type TakenSession, takeOverSession } from '../../engine/session/take-over.ts';
import { value } from './evidence.ts';
import { miniGuide, miniSite } from './mini-guide.ts';

export type Person = 'erika' | 'otto';

/** Two data folders on one computer that stand for two laptops, with a device, a guide, a site and two engineers. */
export type Laptops = {
  readonly at: (name: string) => string;
  readonly ca: PracticeCa;
  readonly sessionsOf: (laptop: string) => string;
  /** A session of which one step was walked; its id. */
  readonly start: (laptop: string, computer?: string) => Promise<string>;
  /** Goes on with it to a bundle. */
  readonly goOn: (laptop: string, id: string, who: Person, out: string, computer?: string) => Promise<Result<Session>>;
  readonly handOver: (laptop: string, id: string, who: Person, to: HandOverTo, out: string) => Promise<Result<unknown>>;
  readonly takeOver: (laptop: string, file: string, who: Person, opener: Opener) => Promise<Result<TakenSession>>;
  readonly verify: (bundle: string) => Promise<VerifyView>;
  readonly remove: () => Promise<void>;
};

const NAMES = { erika: 'Erika Example', otto: 'Otto Example' } as const;

export async function twoLaptops(): Promise<Laptops> {
  const dir = await mkdtemp(join(tmpdir(), 'lockstep-laptops-'));
  const at = (name: string) => join(dir, name);
  const server = createServer((request, response) => {
    const body = request.url === '/version' ? { version: '1.2.0' } : { secure: true };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await writeFile(at('guide.yaml'), miniGuide());
  await writeFile(at('site.yaml'), miniSite((server.address() as AddressInfo).port));
  const ca = await createPracticeCa({ now: new Date() });
  await writeFile(at('root.pem'), ca.roots.engineer);
  const identities = new Map<Person, Identity>();
  for (const name of ['erika', 'otto'] as const) {
    const issued = await ca.issue({ commonName: `PRACTICE ${name}`, usage: 'sign', role: 'engineer' });
    await writeFile(at(`${name}.pem`), `${issued.keyPem}\n${issued.chainPem}`, { mode: 0o600 });
    identities.set(name, value(await identityFromPem(await readFile(at(`${name}.pem`), 'utf8'))));
  }
  const identityOf = (who: Person) => identities.get(who) as Identity;
  const sessionsOf = (laptop: string) => join(at(laptop), 'sessions');
  const now = () => new Date();
  const options = (who: Person, computer: string): SessionOptions => ({
    now,
    lockstep: '0.0.0',
    runtime: {},
    ask: async () => false,
    operator: NAMES[who],
    computer,
  });
  const never = new AbortController().signal;

  return {
    at,
    ca,
    sessionsOf,
    start: async (laptop, computer = laptop) => {
      const guide = value(await loadGuide(at('guide.yaml'), {}));
      const site = value(await loadSite(at('site.yaml')));
      const session = value(await openSession(sessionsOf(laptop), guide, site, options('erika', computer)));
      value(await session.signHead('open', identityOf('erika')));
      value(await session.checkGate({}));
      value(await session.acceptPreflight());
      value(await session.run([session.plan.items[0]?.key ?? ''], never));
      await session.close();
      return session.id;
    },
    goOn: async (laptop, id, who, out, computer = laptop) => {
      const resumed = await resumeSession(join(sessionsOf(laptop), id), {}, options(who, computer));
      if (!resumed.ok) return resumed;
      const keys = resumed.value.plan.items.map((item) => item.key);
      value(await resumed.value.run(keys, never));
      value(await sealSession(resumed.value, at(out), identityOf(who)));
      await resumed.value.close();
      return resumed;
    },
    handOver: (laptop, id, who, to, out) =>
      handOverSession(join(sessionsOf(laptop), id), {
        to,
        now,
        identity: identityOf(who),
        operator: NAMES[who],
        out: out.startsWith('/') ? out : at(out),
      }),
    takeOver: (laptop, file, who, opener) =>
      takeOverSession(sessionsOf(laptop), at(file), {
        opener,
        now,
        identity: identityOf(who),
        operator: NAMES[who],
        engineers: [ca.roots.engineer],
        computer: laptop,
      }),
    verify: async (bundle) =>
      value(await verifyBundle(at(bundle), { engineer: [ca.roots.engineer], hospital: [], publisher: [] }, now())),
    remove: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(dir, { recursive: true, force: true });
    },
  };
}
