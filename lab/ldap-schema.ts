/** How values of an attribute compare. */
export type Syntax = 'text' | 'dn' | 'integer' | 'binary' | 'time' | 'secret';

/** Attributes that the practice directory knows, in AD's spelling. A write of any other is refused, as AD does. */
const ATTRIBUTES: Readonly<Record<Syntax, string>> = {
  text:
    'objectClass cn name ou dc sn givenName displayName description mail sAMAccountName userPrincipalName servicePrincipalName title ' +
    'department company info telephoneNumber employeeID l c co st street dNSHostName operatingSystem gPLink adminDescription comment',
  dn: 'distinguishedName member memberOf managedBy manager directReports objectCategory msDS-PSOAppliesTo msDS-ResultantPSO',
  integer:
    'userAccountControl groupType sAMAccountType primaryGroupID instanceType uSNCreated uSNChanged adminCount badPwdCount logonCount ' +
    'accountExpires pwdLastSet lastLogon lastLogonTimestamp lockoutTime minPwdLength pwdHistoryLength pwdProperties lockoutThreshold ' +
    'lockoutDuration lockOutObservationWindow maxPwdAge minPwdAge systemFlags msDS-Behavior-Version msDS-SupportedEncryptionTypes ' +
    'msDS-User-Account-Control-Computed ms-DS-MachineAccountQuota isCriticalSystemObject showInAdvancedViewOnly',
  binary: 'objectSid objectGUID tokenGroups nTSecurityDescriptor',
  time: 'whenCreated whenChanged',
  secret: 'unicodePwd userPassword',
};

const KNOWN = new Map<string, { name: string; syntax: Syntax }>(
  Object.entries(ATTRIBUTES).flatMap(([syntax, names]) =>
    names.split(' ').map((name) => [name.toLowerCase(), { name, syntax: syntax as Syntax }] as const),
  ),
);

/** Attributes that the directory computes or sets itself; a client's write of them is refused. */
const SYSTEM_ONLY = new Set(
  'distinguishedname memberof objectcategory samaccounttype instancetype usncreated usnchanged objectsid objectguid tokengroups whencreated whenchanged name directreports'.split(
    ' ',
  ),
);

const SINGLE_VALUED_EXCEPTIONS = new Set([
  'objectclass',
  'member',
  'memberof',
  'description',
  'serviceprincipalname',
  'ou',
  'directreports',
  'msds-psoappliesto',
]);

/** Classes an object may be created with: the whole chain, and the attribute that names it. */
export const CLASSES: Readonly<Record<string, { chain: readonly string[]; rdn: string; category: string }>> = {
  user: { chain: ['top', 'person', 'organizationalPerson', 'user'], rdn: 'CN', category: 'Person' },
  computer: { chain: ['top', 'person', 'organizationalPerson', 'user', 'computer'], rdn: 'CN', category: 'Computer' },
  group: { chain: ['top', 'group'], rdn: 'CN', category: 'Group' },
  organizationalunit: { chain: ['top', 'organizationalUnit'], rdn: 'OU', category: 'Organizational-Unit' },
  container: { chain: ['top', 'container'], rdn: 'CN', category: 'Container' },
  foreignsecurityprincipal: {
    chain: ['top', 'foreignSecurityPrincipal'],
    rdn: 'CN',
    category: 'Foreign-Security-Principal',
  },
};

/** Schema entry of an attribute by its name in any case. */
export function attributeType(name: string): { name: string; syntax: Syntax } | undefined {
  return KNOWN.get(name.toLowerCase());
}

export function isSystemOnly(name: string): boolean {
  return SYSTEM_ONLY.has(name.toLowerCase());
}

export function isMultiValued(name: string): boolean {
  return SINGLE_VALUED_EXCEPTIONS.has(name.toLowerCase());
}
