import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { ok, type Result } from '../core/result.ts';
import { readSmallFile } from './evidence/container-reader.ts';
import { importCountersignature, prepareCountersignature } from './evidence/countersign-outside.ts';
import { opensslSignCommand } from './evidence/countersign-readme.ts';
import { decryptFile } from './evidence/decrypt.ts';
import { makeEdition } from './evidence/edition.ts';
import { encryptFile } from './evidence/encrypt.ts';
import { addTimestamp, askAuthority, timestampQuery } from './evidence/timestamp.ts';
import { loadDecryptionKey } from './keys/decryption-key.ts';
import { loadIdentity } from './keys/identity.ts';
import type { ServiceInputs, ServiceMethod } from './service-contract.ts';
import {
  checkAccepted,
  countersignBundle,
  describeBundle,
  extractReport,
  saveReport,
  verifyBundle,
} from './session/bundles.ts';
import { readSmallFile as readText } from './session/load-site.ts';
import { saveFile } from './session/save-file.ts';
import { bundleName, sealSession } from './session/seal.ts';
import type { Session } from './session/session.ts';

type Subject = 'bundle' | 'report' | 'timestamp' | 'outside';
type BundleMethod = Extract<ServiceMethod, `${Subject}.${string}`>;
type Handlers = { readonly [M in BundleMethod]: (input: ServiceInputs[M]) => Promise<Result<unknown>> };

/** Largest answer of a time-stamp authority that is read, in bytes. */
const MAX_ANSWER = 256 * 1024;

/**
 * What the desktop's engine does with bundles.
 * @param inSession runs its work on the open session
 * @param folder where sealed bundles go
 */
export function bundleHandlers(
  inSession: (work: (open: Session) => Promise<Result<unknown>>) => Promise<Result<unknown>>,
  folder: string,
): Handlers {
  return {
    'bundle.seal': ({ path, passphrase }) =>
      inSession(async (open) => {
        const identity = await loadIdentity(path, passphrase);
        if (!identity.ok) return identity;
        const sealed = await sealSession(open, join(folder, bundleName(open)), identity.value);
        return sealed.ok ? describeBundle(sealed.value.path, new Date()) : sealed;
      }),
    'bundle.countersign': async ({ bundlePath, path, passphrase, role, remark, accept }) => {
      const identity = await loadIdentity(path, passphrase);
      if (!identity.ok) return identity;
      const accepted = await checkAccepted(bundlePath, accept);
      if (!accepted.ok) return accepted;
      const statement = { role, remark, acceptedWaivers: accepted.value };
      const signed = await countersignBundle(bundlePath, identity.value, statement, new Date());
      return signed.ok ? describeBundle(signed.value.path, new Date()) : signed;
    },
    'bundle.list': () =>
      inSession(async (open) => {
        const names = open.journal.events.flatMap((event) => (event.type === 'sealed' ? [event.data.file] : []));
        const bundles = [];
        for (const name of new Set(names.toReversed())) {
          const bundle = await describeBundle(join(folder, basename(name)), new Date());
          // One that was taken away or altered is no longer a bundle of this session.
          if (bundle.ok) bundles.push(bundle.value);
        }
        return ok(bundles);
      }),
    'bundle.verify': async ({ path, trust, at }) =>
      verifyBundle(path, trust, at === undefined ? new Date() : new Date(at)),
    'bundle.extractReport': async ({ path }) => extractReport(path, await mkdtemp(join(tmpdir(), 'lockstep-report-'))),
    'bundle.encrypt': async ({ path, to, out }) => {
      const recipients: string[] = [];
      for (const file of to) {
        const pem = await readText(file, "recipient's certificate");
        if (!pem.ok) return pem;
        recipients.push(pem.value);
      }
      const done = await encryptFile(path, recipients, out, new Date());
      return done.ok ? ok({ name: basename(out), recipients: done.value.recipients }) : done;
    },
    'bundle.decrypt': async ({ file, path, passphrase, out }) => {
      const key = await loadDecryptionKey(path, passphrase);
      if (!key.ok) return key;
      try {
        const opened = await decryptFile(file, { key: key.value }, out);
        return opened.ok ? ok({ path: out }) : opened;
      } finally {
        key.value.pkcs8.fill(0);
      }
    },
    'bundle.editionPlan': ({ path }) => makeEdition(path, new Date()),
    'bundle.edition': async ({ path, out }) => {
      const made = await makeEdition(path, new Date(), out);
      return made.ok ? ok({ name: basename(out) }) : made;
    },
    'report.save': async ({ path, report, out }) => {
      const saved = await saveReport(path, report, out);
      return saved.ok ? ok({ name: basename(out) }) : saved;
    },
    'timestamp.ask': async ({ path, authority }) => {
      const query = await timestampQuery(path, new Date());
      if (!query.ok) return query;
      const answer = await askAuthority(authority, query.value);
      if (!answer.ok) return answer;
      return addTimestamp({ bundle: path, response: answer.value, query: query.value, now: new Date() });
    },
    'timestamp.query': async ({ path, out }) => {
      const query = await timestampQuery(path, new Date());
      if (!query.ok) return query;
      const saved = await saveFile(out, query.value);
      return saved.ok ? ok({ name: basename(out) }) : saved;
    },
    'timestamp.answer': async ({ path, answer }) => {
      const response = await readSmallFile(answer, MAX_ANSWER);
      return response.ok ? addTimestamp({ bundle: path, response: response.value, now: new Date() }) : response;
    },
    'outside.prepare': async ({ path, folder: dir, name, role, remark, accept }) => {
      const accepted = await checkAccepted(path, accept);
      if (!accepted.ok) return accepted;
      const statement = { name, role, remark, acceptedWaivers: accepted.value };
      const prepared = await prepareCountersignature({ bundle: path, dir, statement, now: new Date() });
      return prepared.ok ? ok({ folder: dir, command: opensslSignCommand(prepared.value.number) }) : prepared;
    },
    'outside.import': async ({ path, signature }) => {
      const added = await importCountersignature({
        bundle: path,
        signature,
        from: dirname(signature),
        now: new Date(),
      });
      return added.ok ? describeBundle(path, new Date()) : added;
    },
  };
}
