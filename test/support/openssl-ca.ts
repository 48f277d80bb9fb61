import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type SignOptions = {
  /** Whole days from now on. */
  readonly days?: number;
  /** Extensions instead of those of the request, as openssl's configuration writes them. */
  readonly extensions?: readonly string[];
  readonly subject?: string;
  readonly hash?: string;
};

/** A hospital's authority as stock openssl makes it: a root, an issuing authority below it, certificates for requests. */
export type OpensslCa = {
  readonly folder: string;
  readonly rootFile: string;
  readonly root: string;
  readonly intermediate: string;
  /** PEM of the certificate for a request in PEM. */
  readonly sign: (requestPem: string, options?: SignOptions) => string;
  /** Packs PEM certificates, leaf first, as authorities send them. */
  readonly pack: (
    form: 'der' | 'p7b' | 'p7b-pem' | 'p12' | 'p12-legacy',
    pems: readonly string[],
    key?: string,
  ) => Buffer;
  readonly remove: () => void;
};

export const P12_PASSPHRASE = 'what the CA says by phone';

/** Runs openssl; its standard output. Throws with its words. */
export function openssl(args: readonly string[], input?: string | Buffer): Buffer {
  return execFileSync('openssl', args, { stdio: ['pipe', 'pipe', 'pipe'], ...(input === undefined ? {} : { input }) });
}

export function createOpensslCa(): OpensslCa {
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-openssl-ca-'));
  const at = (name: string) => join(folder, name);
  const save = (name: string, text: string | Buffer): string => {
    writeFileSync(at(name), text);
    return at(name);
  };
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const authority = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'];
  openssl(
    [
      'req',
      '-x509',
      ...newKey,
      '-keyout',
      at('root.key'),
      '-out',
      at('root.crt'),
      '-days',
      '3650',
      '-subj',
      '/O=Hospital/CN=Hospital Root',
    ].concat(authority.flatMap((extension) => ['-addext', extension])),
  );
  openssl([
    'req',
    '-new',
    ...newKey,
    '-keyout',
    at('issuing.key'),
    '-out',
    at('issuing.csr'),
    '-subj',
    '/O=Hospital/CN=Hospital Issuing CA',
  ]);
  const below = save(
    'issuing.ext',
    [...authority, 'subjectKeyIdentifier=hash', 'authorityKeyIdentifier=keyid'].join('\n'),
  );
  openssl([
    'x509',
    '-req',
    '-in',
    at('issuing.csr'),
    '-CA',
    at('root.crt'),
    '-CAkey',
    at('root.key'),
    '-days',
    '1825',
    '-out',
    at('issuing.crt'),
    '-extfile',
    below,
  ]);
  let serial = 0x1000;
  return {
    folder,
    rootFile: at('root.crt'),
    root: readFileSync(at('root.crt'), 'utf8'),
    intermediate: readFileSync(at('issuing.crt'), 'utf8'),
    sign: (requestPem, options = {}) => {
      serial += 1;
      const request = save('request.csr', requestPem);
      const how =
        options.extensions === undefined
          ? ['-copy_extensions', 'copy']
          : ['-extfile', save('leaf.ext', options.extensions.join('\n'))];
      const subject = options.subject === undefined ? [] : ['-subj', options.subject];
      const validity = ['-days', String(options.days ?? 365)];
      return openssl([
        'x509',
        '-req',
        '-in',
        request,
        '-CA',
        at('issuing.crt'),
        '-CAkey',
        at('issuing.key'),
        ...validity,
        '-set_serial',
        String(serial),
        `-${options.hash ?? 'sha256'}`,
        ...subject,
        ...how,
      ]).toString();
    },
    pack: (form, pems, key) => {
      const files = pems.map((pem, index) => save(`pack-${index}.crt`, pem));
      if (form === 'der') return openssl(['x509', '-outform', 'DER'], pems[0]);
      if (form.startsWith('p7b')) {
        const type = form === 'p7b' ? 'DER' : 'PEM';
        return openssl(['crl2pkcs7', '-nocrl', '-outform', type, ...files.flatMap((file) => ['-certfile', file])]);
      }
      const all = save('pack-all.crt', pems.join(''));
      const keyed = key === undefined ? ['-nokeys'] : ['-inkey', save('pack.key', key)];
      const legacy = form === 'p12-legacy' ? ['-legacy'] : [];
      return openssl(['pkcs12', '-export', '-in', all, ...keyed, ...legacy, '-passout', `pass:${P12_PASSPHRASE}`]);
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
