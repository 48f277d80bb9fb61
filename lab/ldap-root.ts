import type { Entry, PracticeDirectory, Value } from './ldap-directory.ts';
import { CONTROL, EXTENSION } from './ldap-messages.ts';
import type { DirectoryPolicy } from './ldap-policy.ts';
import { generalizedTime } from './ldap-values.ts';

/** The root DSE (MS-ADTS 3.1.1.3.2) of the server of that name. */
export function rootDse(directory: PracticeDirectory, policy: DirectoryPolicy, hostName: string): Entry {
  const server = `CN=${(hostName.split('.')[0] ?? '').toUpperCase()},CN=Servers,CN=Default-First-Site-Name,CN=Sites,CN=Configuration,${directory.baseDn}`;
  const { baseDn } = directory;
  const level = String(policy.functionalLevel);
  const values: Record<string, string[]> = {
    currentTime: [generalizedTime(new Date(directory.now().getTime() + policy.clockAheadMs))],
    subschemaSubentry: [`CN=Aggregate,CN=Schema,CN=Configuration,${baseDn}`],
    namingContexts: [baseDn, `CN=Configuration,${baseDn}`, `CN=Schema,CN=Configuration,${baseDn}`],
    defaultNamingContext: [baseDn],
    rootDomainNamingContext: [baseDn],
    configurationNamingContext: [`CN=Configuration,${baseDn}`],
    schemaNamingContext: [`CN=Schema,CN=Configuration,${baseDn}`],
    supportedControl: Object.values(CONTROL),
    supportedExtension: Object.values(EXTENSION),
    supportedLDAPVersion: ['3'],
    supportedSASLMechanisms: [],
    supportedCapabilities: [
      '1.2.840.113556.1.4.800',
      '1.2.840.113556.1.4.1670',
      '1.2.840.113556.1.4.1935',
      '1.2.840.113556.1.4.2080',
      '1.2.840.113556.1.4.2237',
    ],
    dnsHostName: [hostName],
    ldapServiceName: [`hospital.example:${hostName.split('.')[0]}$@HOSPITAL.EXAMPLE`],
    serverName: [server],
    highestCommittedUSN: ['12999'],
    dsServiceName: [`CN=NTDS Settings,${server}`],
    isSynchronized: ['TRUE'],
    isGlobalCatalogReady: ['TRUE'],
    domainFunctionality: [level],
    forestFunctionality: [level],
    domainControllerFunctionality: ['7'],
  };
  const attributes = new Map(
    Object.entries(values).map(([name, list]) => [name.toLowerCase(), { name, values: list as Value[] }]),
  );
  attributes.set('objectclass', { name: 'objectClass', values: ['top'] });
  return { dn: '', key: '', attributes };
}
