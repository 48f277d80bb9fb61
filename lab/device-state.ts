import type { CertificateSpec } from './certificates.ts';
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
};
