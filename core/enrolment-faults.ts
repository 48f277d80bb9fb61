import type { ChangeFault } from './changes/declaration.ts';

const HERE =
  'a key made on the device never leaves it, so nothing can be packed around it here: PKCS#12 needs made: here';
const AGAIN = 'a key inside a PKCS#12 file is not used again: PKCS#12 needs renew: new-key';

/**
 * Rules between the parameters of `certificate.enroll`, which hold for what a guide writes as for what it evaluates to. Parameters
 * of another shape are the schema's business and pass here.
 */
export function enrolmentFaults(given: unknown): readonly ChangeFault[] {
  const { by, made, renew } = record(given);
  const { ssh, https } = record(by);
  const way = ssh === undefined ? 'https' : 'ssh';
  const faults = ssh === undefined ? httpsFaults(record(https)) : sshFaults(record(ssh));
  if (record(ssh ?? https).pkcs12 === undefined) return faults;
  return [
    ...faults,
    ...(made === undefined || made === 'device' ? [{ path: ['by', way, 'pkcs12'], message: HERE }] : []),
    ...(renew === 'same-key' ? [{ path: ['renew'], message: AGAIN }] : []),
  ];
}

function sshFaults({ keyFile, certificateFile, chainFile, pkcs12 }: Given): ChangeFault[] {
  const fault = (name: string, message: string): ChangeFault => ({ path: ['by', 'ssh', name], message });
  const needs = (name: string) => `the parameter "by.ssh.${name}" is missing`;
  const pem = pkcs12 === undefined || keyFile !== undefined || certificateFile !== undefined || chainFile !== undefined;
  return [
    ...(pem && keyFile === undefined ? [fault('keyFile', needs('keyFile'))] : []),
    ...(pem && certificateFile === undefined ? [fault('certificateFile', needs('certificateFile'))] : []),
  ];
}

function httpsFaults({ install, pkcs12 }: Given): ChangeFault[] {
  const body = JSON.stringify(record(install).body ?? {});
  const wanted = body.includes('<pkcs12>') || body.includes('<pkcs12-password>');
  const fault = (path: readonly string[], message: string): ChangeFault[] => [
    { path: ['by', 'https', ...path], message },
  ];
  if (pkcs12 === undefined)
    return wanted ? fault(['install', 'body'], 'the body wants a PKCS#12 file: say which with by.https.pkcs12') : [];
  if (!body.includes('<pkcs12>')) return fault(['install', 'body'], 'the PKCS#12 file goes nowhere: put in <pkcs12>');
  return record(pkcs12).password === undefined && !body.includes('<pkcs12-password>')
    ? fault(['pkcs12'], 'nobody could open the PKCS#12 file: put in <pkcs12-password>, or name a secret as password')
    : [];
}

type Given = Readonly<Record<string, unknown>>;

function record(value: unknown): Given {
  return typeof value === 'object' && value !== null ? (value as Given) : {};
}
