import type { TlsVersion, WeakSuiteClass } from '../../../core/probes/tls-endpoint.ts';
import { KEYED_SUITE_NAMES } from './keyed-suites.ts';
import { RARE_SUITE_NAMES } from './rare-suites.ts';

/** Cipher suites by number (IANA TLS registry; the EXPORT1024 ones from draft-ietf-tls-56-bit-ciphersuites). */
export const SUITE_NAMES: Readonly<Record<number, string>> = {
  0x0001: 'TLS_RSA_WITH_NULL_MD5',
  0x0002: 'TLS_RSA_WITH_NULL_SHA',
  0x0003: 'TLS_RSA_EXPORT_WITH_RC4_40_MD5',
  0x0004: 'TLS_RSA_WITH_RC4_128_MD5',
  0x0005: 'TLS_RSA_WITH_RC4_128_SHA',
  0x0006: 'TLS_RSA_EXPORT_WITH_RC2_CBC_40_MD5',
  0x0008: 'TLS_RSA_EXPORT_WITH_DES40_CBC_SHA',
  0x0009: 'TLS_RSA_WITH_DES_CBC_SHA',
  0x000a: 'TLS_RSA_WITH_3DES_EDE_CBC_SHA',
  0x000b: 'TLS_DH_DSS_EXPORT_WITH_DES40_CBC_SHA',
  0x000c: 'TLS_DH_DSS_WITH_DES_CBC_SHA',
  0x000d: 'TLS_DH_DSS_WITH_3DES_EDE_CBC_SHA',
  0x000e: 'TLS_DH_RSA_EXPORT_WITH_DES40_CBC_SHA',
  0x000f: 'TLS_DH_RSA_WITH_DES_CBC_SHA',
  0x0010: 'TLS_DH_RSA_WITH_3DES_EDE_CBC_SHA',
  0x0011: 'TLS_DHE_DSS_EXPORT_WITH_DES40_CBC_SHA',
  0x0012: 'TLS_DHE_DSS_WITH_DES_CBC_SHA',
  0x0013: 'TLS_DHE_DSS_WITH_3DES_EDE_CBC_SHA',
  0x0014: 'TLS_DHE_RSA_EXPORT_WITH_DES40_CBC_SHA',
  0x0015: 'TLS_DHE_RSA_WITH_DES_CBC_SHA',
  0x0016: 'TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA',
  0x0017: 'TLS_DH_anon_EXPORT_WITH_RC4_40_MD5',
  0x0018: 'TLS_DH_anon_WITH_RC4_128_MD5',
  0x0019: 'TLS_DH_anon_EXPORT_WITH_DES40_CBC_SHA',
  0x001a: 'TLS_DH_anon_WITH_DES_CBC_SHA',
  0x001b: 'TLS_DH_anon_WITH_3DES_EDE_CBC_SHA',
  0x002f: 'TLS_RSA_WITH_AES_128_CBC_SHA',
  0x0032: 'TLS_DHE_DSS_WITH_AES_128_CBC_SHA',
  0x0033: 'TLS_DHE_RSA_WITH_AES_128_CBC_SHA',
  0x0034: 'TLS_DH_anon_WITH_AES_128_CBC_SHA',
  0x0035: 'TLS_RSA_WITH_AES_256_CBC_SHA',
  0x0038: 'TLS_DHE_DSS_WITH_AES_256_CBC_SHA',
  0x0039: 'TLS_DHE_RSA_WITH_AES_256_CBC_SHA',
  0x003a: 'TLS_DH_anon_WITH_AES_256_CBC_SHA',
  0x003b: 'TLS_RSA_WITH_NULL_SHA256',
  0x003c: 'TLS_RSA_WITH_AES_128_CBC_SHA256',
  0x003d: 'TLS_RSA_WITH_AES_256_CBC_SHA256',
  0x0041: 'TLS_RSA_WITH_CAMELLIA_128_CBC_SHA',
  0x0046: 'TLS_DH_anon_WITH_CAMELLIA_128_CBC_SHA',
  0x0060: 'TLS_RSA_EXPORT1024_WITH_RC4_56_MD5',
  0x0061: 'TLS_RSA_EXPORT1024_WITH_RC2_CBC_56_MD5',
  0x0062: 'TLS_RSA_EXPORT1024_WITH_DES_CBC_SHA',
  0x0063: 'TLS_DHE_DSS_EXPORT1024_WITH_DES_CBC_SHA',
  0x0064: 'TLS_RSA_EXPORT1024_WITH_RC4_56_SHA',
  0x0065: 'TLS_DHE_DSS_EXPORT1024_WITH_RC4_56_SHA',
  0x0066: 'TLS_DHE_DSS_WITH_RC4_128_SHA',
  0x0067: 'TLS_DHE_RSA_WITH_AES_128_CBC_SHA256',
  0x006b: 'TLS_DHE_RSA_WITH_AES_256_CBC_SHA256',
  0x006c: 'TLS_DH_anon_WITH_AES_128_CBC_SHA256',
  0x006d: 'TLS_DH_anon_WITH_AES_256_CBC_SHA256',
  0x0084: 'TLS_RSA_WITH_CAMELLIA_256_CBC_SHA',
  0x0089: 'TLS_DH_anon_WITH_CAMELLIA_256_CBC_SHA',
  0x009c: 'TLS_RSA_WITH_AES_128_GCM_SHA256',
  0x009d: 'TLS_RSA_WITH_AES_256_GCM_SHA384',
  0x009e: 'TLS_DHE_RSA_WITH_AES_128_GCM_SHA256',
  0x009f: 'TLS_DHE_RSA_WITH_AES_256_GCM_SHA384',
  0x00a6: 'TLS_DH_anon_WITH_AES_128_GCM_SHA256',
  0x00a7: 'TLS_DH_anon_WITH_AES_256_GCM_SHA384',
  0x00c6: 'TLS_SM4_GCM_SM3',
  0x00c7: 'TLS_SM4_CCM_SM3',
  0x1301: 'TLS_AES_128_GCM_SHA256',
  0x1302: 'TLS_AES_256_GCM_SHA384',
  0x1303: 'TLS_CHACHA20_POLY1305_SHA256',
  0x1304: 'TLS_AES_128_CCM_SHA256',
  0x1305: 'TLS_AES_128_CCM_8_SHA256',
  0x1306: 'TLS_AEGIS_256_SHA512',
  0x1307: 'TLS_AEGIS_128L_SHA256',
  0xc001: 'TLS_ECDH_ECDSA_WITH_NULL_SHA',
  0xc002: 'TLS_ECDH_ECDSA_WITH_RC4_128_SHA',
  0xc003: 'TLS_ECDH_ECDSA_WITH_3DES_EDE_CBC_SHA',
  0xc006: 'TLS_ECDHE_ECDSA_WITH_NULL_SHA',
  0xc007: 'TLS_ECDHE_ECDSA_WITH_RC4_128_SHA',
  0xc008: 'TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA',
  0xc009: 'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA',
  0xc00a: 'TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA',
  0xc00b: 'TLS_ECDH_RSA_WITH_NULL_SHA',
  0xc00c: 'TLS_ECDH_RSA_WITH_RC4_128_SHA',
  0xc00d: 'TLS_ECDH_RSA_WITH_3DES_EDE_CBC_SHA',
  0xc010: 'TLS_ECDHE_RSA_WITH_NULL_SHA',
  0xc011: 'TLS_ECDHE_RSA_WITH_RC4_128_SHA',
  0xc012: 'TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA',
  0xc013: 'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA',
  0xc014: 'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA',
  0xc015: 'TLS_ECDH_anon_WITH_NULL_SHA',
  0xc016: 'TLS_ECDH_anon_WITH_RC4_128_SHA',
  0xc017: 'TLS_ECDH_anon_WITH_3DES_EDE_CBC_SHA',
  0xc018: 'TLS_ECDH_anon_WITH_AES_128_CBC_SHA',
  0xc019: 'TLS_ECDH_anon_WITH_AES_256_CBC_SHA',
  0xc023: 'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256',
  0xc024: 'TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384',
  0xc027: 'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256',
  0xc028: 'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384',
  0xc02b: 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
  0xc02c: 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
  0xc02f: 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
  0xc030: 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
  0xc0b4: 'TLS_SHA256_SHA256',
  0xc0b5: 'TLS_SHA384_SHA384',
  0xc103: 'TLS_GOSTR341112_256_WITH_KUZNYECHIK_MGM_L',
  0xc104: 'TLS_GOSTR341112_256_WITH_MAGMA_MGM_L',
  0xc105: 'TLS_GOSTR341112_256_WITH_KUZNYECHIK_MGM_S',
  0xc106: 'TLS_GOSTR341112_256_WITH_MAGMA_MGM_S',
  0xcca8: 'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
  0xcca9: 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
  0xccaa: 'TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
};

/** The name of a suite in the IANA registry, or its number. */
export function suiteName(suite: number): string {
  return (
    SUITE_NAMES[suite] ??
    RARE_SUITE_NAMES[suite] ??
    KEYED_SUITE_NAMES[suite] ??
    `0x${suite.toString(16).padStart(4, '0')}`
  );
}

/** The class of a weak suite by its name; undefined for one that is not weak in this sense. */
export function weakClass(suite: number): WeakSuiteClass | undefined {
  const name = suiteName(suite);
  // Order matters: an anonymous export suite counts as anonymous, an export RC4 suite as export.
  if (name.includes('_anon_')) return 'anonymous';
  if (name.includes('_EXPORT')) return 'export';
  // The two of TLS 1.3 that protect integrity only are called by their hash alone (RFC 9150).
  if (name.includes('_NULL_') || name.startsWith('TLS_SHA')) return 'null';
  if (name.includes('_RC4_')) return 'rc4';
  if (name.includes('_3DES_')) return '3des';
  if (name.includes('_DES_') || name.includes('_DES40_')) return 'des';
  return undefined;
}

const ALL = Object.keys(SUITE_NAMES).map(Number);
const isTls13 = (suite: number): boolean => suite >> 8 === 0x13 || MORE_OF_TLS13.has(suite);
/** RFC 8998, RFC 9150 and RFC 9367; the others have a block of their own. */
const MORE_OF_TLS13 = new Set([0x00c6, 0x00c7, 0xc0b4, 0xc0b5, 0xc103, 0xc104, 0xc105, 0xc106]);
export const TLS13_SUITES: readonly number[] = [...ALL.filter((suite) => suite >> 8 === 0x13), ...MORE_OF_TLS13];
const COMMON_WEAK = ALL.filter((suite) => !isTls13(suite) && weakClass(suite) !== undefined);

/** Suites up to TLS 1.2 that are not weak, those with forward secrecy and AEAD first, as a client of today offers them. */
export const ORDINARY_SUITES: readonly number[] = ALL.filter(
  (suite) => !isTls13(suite) && weakClass(suite) === undefined,
).sort((a, b) => rank(a) - rank(b));

/** Reserved values that mean nothing (RFC 8701): no server has one of these in common with us. */
export const GREASE_SUITES: readonly number[] = [0x0a0a, 0x1a1a, 0x2a2a, 0x3a3a];

/** Elliptic curves were defined for TLS 1.0 and later (RFC 4492), so SSL 3.0 is offered without them. */
export function isEllipticSuite(suite: number): boolean {
  return suite >= 0xc000 && suite < 0xfe00;
}

function rank(suite: number): number {
  const name = SUITE_NAMES[suite] ?? '';
  return (name.includes('_ECDHE_') ? 0 : name.includes('_DHE_') ? 2 : 4) + (/GCM|POLY1305/.test(name) ? 0 : 1);
}

const EARLIER = [
  ...ORDINARY_SUITES,
  ...COMMON_WEAK,
  ...[RARE_SUITE_NAMES, KEYED_SUITE_NAMES].flatMap((names) => Object.keys(names).map(Number)),
];

/**
 * Every suite that a server might choose in this version: those of TLS 1.3 belong to it alone, and suites with AEAD or a
 * hash of their own to TLS 1.2 (RFC 5246 section 1.2), but for those with a pre-shared key and without AEAD, which servers
 * take in older versions as well (RFC 5487 section 3); elliptic curves came after SSL 3.0 (RFC 4492). The usual ones come
 * first.
 */
export function suitesOf(version: TlsVersion): readonly number[] {
  if (version === 'TLS 1.3') return TLS13_SUITES;
  if (version === 'TLS 1.2') return EARLIER;
  const old = EARLIER.filter((suite) => !ofTls12Alone(suiteName(suite)));
  return version === 'SSL 3.0' ? old.filter((suite) => !isEllipticSuite(suite)) : old;
}

function ofTls12Alone(name: string): boolean {
  return /_(SHA256|SHA384|CCM|CCM_8|OMAC|IMIT)$/.test(name) && !/_PSK_WITH_.*(CBC|NULL)_SHA(256|384)$/.test(name);
}

/** The weak ones among them. */
export function weakSuitesOf(version: TlsVersion): readonly number[] {
  return suitesOf(version).filter((suite) => weakClass(suite) !== undefined);
}

/** Servers choke on 128 suites and more, and one that signals secure renegotiation goes with most offers (RFC 5746). */
const AT_ONCE = 126;

/** Suites in the portions in which they can be offered; a server that refuses one may still accept another. */
export function portionsOf(suites: readonly number[]): (readonly number[])[] {
  return Array.from({ length: Math.ceil(suites.length / AT_ONCE) }, (_, index) =>
    suites.slice(index * AT_ONCE, (index + 1) * AT_ONCE),
  );
}

/** Weak suites of the whole registry by name, each with its class. */
export const SUITE_CLASS_BY_NAME: ReadonlyMap<string, WeakSuiteClass> = new Map(
  [...EARLIER, ...TLS13_SUITES].flatMap((suite) => {
    const kind = weakClass(suite);
    return kind === undefined ? [] : [[suiteName(suite), kind] as const];
  }),
);

const NUMBERS: ReadonlyMap<string, number> = new Map(
  [...EARLIER, ...TLS13_SUITES].map((suite) => [suiteName(suite), suite]),
);

/** The number of a suite by its RFC name; undefined for one that is not in the registry. */
export function suiteNumber(name: string): number | undefined {
  return NUMBERS.get(name);
}
