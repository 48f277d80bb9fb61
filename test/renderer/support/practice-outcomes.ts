import type { Outputs } from '../../../core/ipc.ts';
import { appError, type AppError } from '../../../core/result.ts';
import type { EventData, Finding, Verdict } from '../../../core/session/events.ts';

export type Outcome = {
  readonly verdict: Verdict;
  readonly findings: readonly Finding[];
  readonly goodUntil?: string;
  readonly error?: AppError;
};

const finding = (sentence: string, more: Partial<Finding> = {}): Finding => ({
  verdict: 'fail',
  sentence,
  severity: 'high',
  check: 0,
  ...more,
});

const REFUSED = appError('tcp.refused', 'alarms.hospital.test refused the connection.', {
  place: 'alarms.hospital.test:2577',
  cause: 'connect ECONNREFUSED 127.20.0.12:2577',
});
const refused: Outcome = {
  verdict: 'error',
  error: REFUSED,
  findings: [
    finding(
      'alarms.hospital.test refused the connection (alarms.hospital.test:2577): connect ECONNREFUSED 127.20.0.12:2577',
      { verdict: 'error', fixBy: 'hospital' },
    ),
  ],
};

/** How the practice hospital looks as shipped: what the walk finds, by item key or control. Everything else passes. */
export const OUTCOMES: Readonly<Record<string, Outcome>> = {
  'access.directory-secure': {
    verdict: 'fail',
    findings: [
      finding(
        '["dc1.hospital.test"] looks at passwords that are sent without encryption. Wanted: refused before the password is looked at. Require signing for LDAP binds.',
      ),
      finding(
        'dc1.hospital.test still accepts old versions (SSL 3.0 false, TLS 1.0 true, TLS 1.1 true). Wanted: TLS 1.2 or higher only. Switch the old ones off.',
        { check: 1 },
      ),
    ],
  },
  'access.clinical-group@role:clinical': {
    verdict: 'fail',
    findings: [
      finding(
        '["Domain Users"] is nested inside MDIP-Clinical, so everyone in it can log in. Take it out and put the ward’s own group in.',
      ),
      finding('3 disabled and 1 expired accounts are still in MDIP-Clinical. Take them out.', { severity: 'medium' }),
      finding(
        '12 members of MDIP-Clinical have not logged on for half a year. Ask whether they still need the role Clinical user, and take out the rest.',
        { severity: 'low' },
      ),
    ],
  },
  'access.clinical-group@role:biomed': { verdict: 'pass', findings: [], goodUntil: '2027-02-21T10:21:40.000Z' },
  'access.clinical-group@role:admin': {
    verdict: 'fail',
    findings: [
      finding(
        'There is no group MDIP-Admins. Near: ["MDIP-Admin", "MDIP-Audit"]. Create it, or correct the name in the site file.',
      ),
    ],
  },
  'access.local-default-password': {
    verdict: 'fail',
    findings: [
      finding('The delivered password of the account service still works. Change it on the device.', {
        fixBy: 'operator',
      }),
    ],
  },
  'certificate.emr-validity@link:emr-vitals': {
    verdict: 'fail',
    findings: [finding('The certificate has 11 days left. Wanted: at least 30. Renew it now.', { severity: 'medium' })],
  },
  'certificate.emr-server@link:emr-alarms': refused,
  'certificate.emr-validity@link:emr-alarms': refused,
  'link.emr.tls-floor@link:emr-alarms': refused,
  'link.emr.client-certificate@link:emr-alarms': refused,
  'link.emr.client-certificate@link:emr-vitals': {
    verdict: 'fail',
    findings: [
      finding(
        'The EMR took a message from a client without a certificate. Wanted: refused before the first message. Switch client authentication on.',
      ),
    ],
  },
  'network.ports': {
    verdict: 'fail',
    findings: [
      finding(
        'mdip1.hospital.test answers on [23, 9229], which nobody agreed to. Close them, or add them to the agreed list.',
        { fixBy: 'manufacturer' },
      ),
    ],
  },
};

/** The newest facts of a check, as `facts.read` answers. */
export function factsOf(key: string): Outputs['facts.read'] {
  if (key.startsWith('access.separation-of-duties')) return ACCESS;
  if (key.startsWith('access.clinical-group')) {
    return {
      facts: {
        exists: true,
        nearMatches: [],
        group: {
          dn: 'CN=MDIP-Clinical,OU=Groups,DC=hospital,DC=test',
          name: 'MDIP-Clinical',
          sid: 'S-1-5-21-1004336348-1177238915-682003330-1612',
          kind: 'security',
          scope: 'global',
          managed: false,
        },
        direct: { people: 41, groups: ['ICU Nurses', 'Domain Users'], computers: 0, other: 0 },
        effective: {
          count: 2184,
          computers: 0,
          disabled: 3,
          expired: 1,
          stale: 12,
          neverLoggedOn: 7,
          broad: ['Domain Users'],
          groups: ['ICU Nurses', 'Domain Users'],
          depth: 1,
          cycles: [],
        },
      },
      absent: [
        {
          path: 'writers',
          reason: 'The access control list was not returned: the bind account lacks the right to read it.',
        },
      ],
    };
  }
  return {
    facts: {
      reachable: true,
      accepts: { ssl30: false, tls10: true, tls11: true, tls12: true, tls13: false },
      servers: [
        { host: 'dc1.hospital.test', reachable: true, clearBind: 'accepted', clockOffsetSeconds: 2 },
        { host: 'dc2.hospital.test', reachable: true, clearBind: 'refused' },
      ],
      notAfter: '2026-12-04T08:00:00.000Z',
    },
    absent: [],
  };
}

export const PLAN_LDIF = `dn: CN=MDIP-Admins,CN=Users,DC=hospital,DC=test
+changetype: add
+objectClass: group
+cn: MDIP-Admins
+sAMAccountName: MDIP-Admins
+groupType: -2147483646
+description: Role group of the MDIP
`;

export const GATE: EventData<'gate.checked'> = {
  basis: 'observed',
  version: '3.3.1',
  range: '>=3.3.0 <3.4.0',
  inRange: true,
  overridden: false,
};

const code = (digits: string) => digits.repeat(8);

/** Who can log in under one role, and what changed since the last bundle. */
const ACCESS: Outputs['facts.read'] = {
  facts: {
    keyId: '5f0c3a9e17b2d648',
    roles: [
      {
        id: 'clinical',
        group: 'MDIP-Clinical',
        exists: true,
        holders: 3,
        canLogIn: 3,
        paths: { direct: 1, nested: 3, primaryGroup: 0 },
        groups: [
          { name: 'MDIP-Clinical', parents: [], depth: 0, path: ['MDIP-Clinical'], people: 1 },
          {
            name: 'Ward-Staff',
            parents: ['MDIP-Clinical'],
            depth: 1,
            path: ['MDIP-Clinical', 'Ward-Staff'],
            people: 3,
          },
        ],
        broad: [],
        people: [
          { id: code('1f4ac09e'), via: ['MDIP-Clinical', 'Ward-Staff'] },
          { id: code('7b22d6e0'), via: ['Ward-Staff'] },
          { id: code('c9013a5d'), via: ['Ward-Staff'] },
        ],
        grantors: [{ type: 'group', name: 'Helpdesk', rights: ['WriteMember'], groups: ['Ward-Staff'] }],
      },
    ],
    everyone: 3,
    keptApart: [],
    holdTwo: 0,
    grantors: [{ type: 'group', name: 'Helpdesk', roles: ['clinical'] }],
    changed: {
      since: {
        at: '2026-10-01T14:02:11.000Z',
        bundle: '9c'.repeat(32),
        session: '7c1f0d5e-2a3b-4c4d-8e5f-6a7b8c9d0e1f',
        provisional: false,
        keyId: '5f0c3a9e17b2d648',
      },
      joined: [
        { id: code('7b22d6e0'), roles: ['clinical'] },
        { id: code('c9013a5d'), roles: ['clinical'] },
      ],
      left: [{ id: code('30d8f7a4'), roles: ['clinical'] }],
      moved: [],
      counts: [{ role: 'clinical', before: 2, now: 3 }],
      regrouped: [],
      groupsAdded: [],
      groupsRemoved: [],
      grantorsAdded: [{ role: 'clinical', type: 'group', name: 'Helpdesk' }],
      grantorsRemoved: [],
      sentence: '2 people joined and 1 left since 2026-10-01; 1 more can give a role.',
    },
  },
  absent: [],
};
