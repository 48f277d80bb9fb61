import { certificatePinned } from './certificate-pinned.ts';
import { certificateShared } from './certificate-shared.ts';
import { certificateStatus } from './certificate-status.ts';
import { clockOffset } from './clock-offset.ts';
import type { ProbeDeclaration } from './declaration.ts';
import { dicomEcho } from './dicom-echo.ts';
import { directoryAccess } from './directory-access.ts';
import { directoryAccount } from './directory-account.ts';
import { directoryConnection } from './directory-connection.ts';
import { directoryGroup } from './directory-group.ts';
import { directoryPasswordPolicy } from './directory-password-policy.ts';
import { directorySignIn } from './directory-sign-in.ts';
import { httpRequest } from './http-request.ts';
import { tcpPorts } from './tcp-ports.ts';
import { tlsClientAuthentication } from './tls-client-authentication.ts';
import { tlsEndpoint } from './tls-endpoint.ts';
import { tlsImpostor } from './tls-impostor.ts';

/** Every probe that a guide may name; the types of parameters and facts are erased here. */
export const PROBE_DECLARATIONS = [
  certificatePinned,
  certificateShared,
  certificateStatus,
  clockOffset,
  dicomEcho,
  directoryAccess,
  directoryAccount,
  directoryConnection,
  directoryGroup,
  directoryPasswordPolicy,
  directorySignIn,
  httpRequest,
  tcpPorts,
  tlsClientAuthentication,
  tlsEndpoint,
  tlsImpostor,
] as unknown as readonly ProbeDeclaration[];
