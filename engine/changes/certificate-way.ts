import type { CertificateTemplate } from '../../core/certificate-template.ts';
import type { Result } from '../../core/result.ts';
import type { WriteCredential } from './change.ts';

/** Where nothing lies or nothing is shown; a word, because an absent field would read as 'not looked'. */
export const NOTHING = 'nothing';

/** What can be said about the device apart from what it shows: nothing over an API that hides its files. */
export type PlaceState = {
  /** SHA-256 of the certificate file as it lies there, or `nothing`. */
  readonly file?: string;
  /** Whether the version before is kept beside it under the name of this change. */
  readonly kept?: boolean;
};

/** What is carried to the device. PEM. */
export type Installation = {
  readonly certificate: string;
  /** The authorities above it, leaf's issuer first; may be empty. */
  readonly intermediates: string;
  /** Name under which the old version is kept. */
  readonly stamp: string;
  /** Of the request, where the key that was made for it waits on the device under this name. */
  readonly waiting?: string;
  /** The key that was made here, unlocked. Without it and a waiting one the device's key stays as it is. */
  readonly key?: string;
  /** Digest of the certificate file that is replaced, where the way can tell. */
  readonly replaces?: string;
};

/** How a certificate gets onto a device. Reads with the site's account, writes with the one asked for. */
export type Way = {
  /** Name of the device in sentences. */
  readonly device: string;
  /** Lines of the plan: what is touched where. */
  readonly requestLines: (stamp: string, sameKey: boolean) => readonly string[];
  readonly installLines: (stamp: string) => readonly string[];
  /** The request that waits on the device, PEM; undefined where there is none. */
  readonly waiting: (stamp: string, sameKey: boolean) => Promise<Result<string | undefined>>;
  readonly makeRequest: (
    template: CertificateTemplate,
    stamp: string,
    sameKey: boolean,
    who: WriteCredential,
  ) => Promise<Result<void>>;
  /** Absent: this device cannot drop one. */
  readonly discardRequest?: (stamp: string, sameKey: boolean, who: WriteCredential) => Promise<Result<void>>;
  readonly place: (stamp: string) => Promise<Result<PlaceState>>;
  /** Digest that the certificate file will have; undefined where the way cannot tell. */
  readonly digest: (certificate: string, intermediates: string) => string | undefined;
  readonly install: (what: Installation, who: WriteCredential) => Promise<Result<void>>;
  /** Absent: this device does not hand the former certificate back. */
  readonly restore?: (what: Omit<Installation, 'key'>, who: WriteCredential) => Promise<Result<void>>;
};
