import type { LabCertificates, CertificateSpec } from './certificates.ts';
import type { Device } from './device.ts';
import type { Emr } from './emr.ts';
import type { PracticeDirectory } from './ldap-directory.ts';
import type { DirectoryPolicy } from './ldap-policy.ts';
import type { LdapServer } from './ldap-server.ts';
import type { Revocation } from './revocation.ts';

/** The running practice hospital, as its faults reach into it. */
export type LabParts = {
  readonly directory: PracticeDirectory;
  readonly controllers: { readonly dc1: LdapServer; readonly dc2: LdapServer };
  readonly policies: { readonly dc1: DirectoryPolicy; readonly dc2: DirectoryPolicy };
  /** What both controllers present. */
  readonly dcFace: { certificate: CertificateSpec; oldVersions: boolean };
  readonly emr: Emr;
  readonly device: Device;
  readonly certificates: LabCertificates;
  readonly revocation: Revocation;
  /** What the factory account's password is changed to. */
  readonly changedPassword: string;
  /** Brings servers and ports in line with the state. */
  readonly refresh: () => Promise<void>;
};
