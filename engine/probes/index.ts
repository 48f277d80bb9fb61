import type { Probe } from '../context.ts';
import { certificatePinnedProbe } from './certificate-pinned.ts';
import { certificateSharedProbe } from './certificate-shared.ts';
import { certificateStatusProbe } from './certificate-status.ts';
import { clockOffsetProbe } from './clock-offset.ts';
import { dicomEchoProbe } from './dicom-echo.ts';
import { directoryAccess } from './directory-access.ts';
import { directoryAccount } from './directory-account.ts';
import { directoryConnection } from './directory-connection.ts';
import { directoryGroup } from './directory-group.ts';
import { directoryPasswordPolicy } from './directory-password-policy.ts';
import { directorySignIn } from './directory-sign-in.ts';
import { httpRequestProbe } from './http-request.ts';
import { tcpPortsProbe } from './tcp-ports.ts';
import { tlsClientAuthenticationProbe } from './tls-client-authentication.ts';
import { tlsEndpointProbe } from './tls-endpoint.ts';
import { tlsImpostorProbe } from './tls-impostor.ts';

/** Every probe that can be run, one line each. */
export const PROBES: readonly Probe[] = [
  certificatePinnedProbe,
  certificateSharedProbe,
  certificateStatusProbe,
  clockOffsetProbe,
  dicomEchoProbe,
  directoryAccess,
  directoryAccount,
  directoryConnection,
  directoryGroup,
  directoryPasswordPolicy,
  directorySignIn,
  httpRequestProbe,
  tcpPortsProbe,
  tlsClientAuthenticationProbe,
  tlsEndpointProbe,
  tlsImpostorProbe,
];
