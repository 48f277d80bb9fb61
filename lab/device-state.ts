import type { CertificateSpec, KeyAndCertificate } from './certificates.ts';
import type { DeviceSettings } from './device-settings.ts';

/** Printed in the fictional manual; worthless outside the practice hospital. */
export const FACTORY_PASSWORD = 'mdip-service';

/** The gateway's whole state. Call `refresh` after a change of it. */
export type DeviceState = {
  settings: DeviceSettings;
  /** Local accounts of the administration API. */
  readonly users: Map<string, string>;
  /** The EMR anchor that the device holds. */
  anchorPem: string;
  certificate: CertificateSpec;
  /** What was installed over the API, in the place of what the spec gives. */
  installed?: KeyAndCertificate;
  /** The pair before, and the request that the installation answered. */
  former?: { readonly installed?: KeyAndCertificate; readonly waiting?: WaitingRequest };
  waiting?: WaitingRequest;
};

/** A key that was made here, and the request for it. */
export type WaitingRequest = { readonly requestPem: string; readonly keyPem: string };
