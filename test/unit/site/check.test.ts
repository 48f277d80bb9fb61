import { describe, expect, it } from 'vitest';
import { checkSite } from '../../../core/site/check.ts';
import { marked } from '../../support/marked.ts';

const SITE = `site: ward
name: Ward
hosts: { dc1.hospital.example: 10.0.0.1, emr.hospital.example: "fd00::1" }
directory:
  kind: active-directory
  baseDn: DC=hospital,DC=example
  servers:
    - { id: dc1, host: dc1.hospital.example, ldaps: 636, ldap: 389 }
    - { id: dc2, host: dc2.hospital.example, ldaps: 636 }
  anchors: [hospital-ca]
  bindAccount: svc@hospital.example
anchors:
  - { id: hospital-ca, file: ca.pem }
identities:
  - { id: trial-good, kind: good, certificate: good.pem, key: good.key }
roles:
  - { id: nurse, name: Nurse, group: MDIP-Nurse }
devices:
  - id: gateway
    name: Gateway
    host: gateway.hospital.example
    adminUrl: https://gateway.hospital.example
    allowedPorts: [443, 8443]
    endpoints: { admin: { host: gateway.hospital.example, port: 443, anchors: [hospital-ca] } }
links:
  - id: emr
    name: EMR
    protocol: hl7-mllp
    client: { device: gateway }
    server: { host: emr.hospital.example, port: 2576 }
    clearPorts: [2575]
    identities: [trial-good]
    impostor: { address: 127.0.0.1, trigger: operator }
`;

describe('a site', () => {
  it('without faults', () => {
    const { site, faults } = checkSite(SITE);
    expect(faults).toEqual([]);
    expect(site?.site).toBe('ward');
  });

  it.each([
    ['an unknown key', 'name: Ward\n', '⟦nmae: x\nname: Ward\n', /unknown key "nmae"/],
    [
      'two devices with one id',
      'links:\n',
      '  - { ⟦id: gateway, name: Two, host: two }\nlinks:\n',
      /a second entry has the id "gateway"/,
    ],
    [
      'no servers and no word on DNS',
      `directory:
  kind: active-directory
  baseDn: DC=hospital,DC=example
  servers:
    - { id: dc1, host: dc1.hospital.example, ldaps: 636, ldap: 389 }
    - { id: dc2, host: dc2.hospital.example, ldaps: 636 }
`,
      `⟦directory:
  kind: active-directory
  baseDn: DC=hospital,DC=example
`,
      /say with "dns: \{\}" that DNS names them/,
    ],
    [
      'a name server that is no address',
      '  bindAccount: svc@hospital.example\n',
      '  bindAccount: svc@hospital.example\n  dns: { nameServers: [⟦ns.hospital.example] }\n',
      /an IP address, or address:port/,
    ],
    ['two servers with one id', 'id: dc2', '⟦id: dc1', /a second entry has the id "dc1"/],
    [
      'two anchors with one id',
      'identities:\n',
      '  - { ⟦id: hospital-ca, file: b.pem }\nidentities:\n',
      /a second entry has the id "hospital-ca"/,
    ],
    [
      'two roles with one id',
      'devices:\n',
      '  - { ⟦id: nurse, name: N, group: G }\ndevices:\n',
      /a second entry has the id "nurse"/,
    ],
    [
      'a host without an address',
      'dc1.hospital.example: 10.0.0.1',
      'dc1.hospital.example: ⟦somewhere',
      /"somewhere" is not an IP address/,
    ],
    [
      'an impossible address',
      'dc1.hospital.example: 10.0.0.1',
      'dc1.hospital.example: ⟦10.0.0.256',
      /not an IP address/,
    ],
    ['an impossible IPv6 address', '"fd00::1"', '"⟦fd00::1::2"', /not an IP address/],
    ['an address as a host', 'dc1.hospital.example: 10.0.0.1', '⟦10.0.0.2: 10.0.0.1', /needs no entry/],
    [
      'an unknown anchor of the directory',
      '  anchors: [hospital-ca]',
      '  anchors: [⟦hospital-cb]',
      /no anchor "hospital-cb"; did you mean "hospital-ca"/,
    ],
    [
      'a server without a port',
      '- { id: dc2, host: dc2.hospital.example, ldaps: 636 }',
      '- ⟦{ id: dc2, host: dc2.hospital.example }',
      /neither an ldap nor an ldaps port/,
    ],
    ['a shared port', 'ldaps: 636, ldap: 389', 'ldaps: 636, ldap: ⟦636', /cannot share a port/],
    ['a base that is no DN', 'baseDn: DC=hospital,DC=example', 'baseDn: ⟦hospital.example', /not a distinguished name/],
    [
      'an account that is neither',
      'bindAccount: svc@hospital.example',
      'bindAccount: ⟦svc',
      /distinguished name or as user@domain/,
    ],
    [
      'an unknown anchor of an endpoint',
      'port: 443, anchors: [hospital-ca]',
      'port: 443, anchors: [⟦other]',
      /no anchor "other"/,
    ],
    [
      'a slash at the end',
      'adminUrl: https://gateway.hospital.example',
      'adminUrl: https://gateway.hospital.example⟦/',
      /slash at the end/,
    ],
    [
      'a password in an address',
      'adminUrl: https://gateway.hospital.example',
      'adminUrl: ⟦https://admin:secret@gateway.hospital.example',
      /holds no user name/,
    ],
    [
      'a heartbeat of another machine',
      'allowedPorts: [443, 8443]',
      'heartbeat: { url: "⟦http://other.hospital.example/health" }',
      /asks other\.hospital\.example, and the device is gateway\.hospital\.example/,
    ],
    [
      'a host key that is no fingerprint',
      'allowedPorts: [443, 8443]',
      'ssh: { user: root, secret: gateway-ssh, ⟦hostKey: ssh-ed25519 }',
      /ssh-keygen -l/,
    ],
    [
      'one host key for two devices',
      'links:\n',
      `    ssh: { user: root, secret: s, hostKey: "SHA256:${'A'.repeat(43)}" }
  - { id: pump, name: Pump, host: pump, ssh: { user: root, secret: s, hostKey: "⟦SHA256:${'A'.repeat(43)}" } }
links:
`,
      /the device "gateway" has the same host key/,
    ],
    [
      'a password in a heartbeat',
      'allowedPorts: [443, 8443]',
      'heartbeat: { url: "⟦https://a:b@gateway.hospital.example/health" }',
      /holds no user name/,
    ],
    ['a port twice', 'allowedPorts: [443, 8443]', '⟦allowedPorts: [443, 443]', /port 443 is listed twice/],
    [
      'an unknown device',
      'client: { device: gateway }',
      'client: { device: ⟦gatewey }',
      /no device "gatewey"; did you mean "gateway"/,
    ],
    ['an unknown identity', 'identities: [trial-good]', 'identities: [⟦trial-bad]', /no identity "trial-bad"/],
    ['the encrypted port as a clear one', 'clearPorts: [2575]', '⟦clearPorts: [2576]', /the encrypted port/],
    ['an impostor without an address', 'address: 127.0.0.1', 'address: ⟦localhost', /not an IP address/],
    [
      'a password in a trigger',
      'trigger: operator',
      'trigger: { url: "⟦http://u:p@gateway/test" }',
      /holds no user name/,
    ],
    [
      'an anchor in two forms',
      '{ id: hospital-ca, file: ca.pem }',
      '⟦{ id: hospital-ca, file: ca.pem, pem: x }',
      /either pem or file/,
    ],
    [
      'a private key',
      '{ id: hospital-ca, file: ca.pem }',
      '{ id: hospital-ca, ⟦pem: "-----BEGIN PRIVATE KEY-----" }',
      /a site holds no secret/,
    ],
    [
      'an anchor that is none',
      '{ id: hospital-ca, file: ca.pem }',
      '{ id: hospital-ca, ⟦pem: hello }',
      /not a PEM certificate/,
    ],
  ])('with %s', (_, from, to, message) => {
    expect(SITE).toContain(from);
    const { text, line, column } = marked(SITE.replace(from, to));
    const { faults } = checkSite(text);
    expect(faults.map((fault) => fault.message).join('\n')).toMatch(message);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatchObject({ line, column });
  });

  it('with roles and no directory', () => {
    const text = SITE.replace(/directory:[\s\S]*?anchors:\n {2}-/, 'anchors:\n  -');
    expect(checkSite(text).faults.map((fault) => fault.message)).toEqual([
      'roles need a directory, and the site has none',
    ]);
  });

  it('names all faults at once, in reading order', () => {
    const { faults } = checkSite(
      SITE.replace('10.0.0.1', 'nowhere').replace('device: gateway', 'device: nobody').replace('[trial-good]', '[x]'),
    );
    expect(faults.map((fault) => fault.line)).toEqual(faults.map((fault) => fault.line).toSorted((a, b) => a - b));
    expect(faults).toHaveLength(3);
  });

  it('that is no YAML, or huge', () => {
    expect(checkSite('a: [').faults.length).toBeGreaterThan(0);
    expect(checkSite('x'.repeat(2_000_001)).faults[0]?.message).toMatch(/longer than/);
  });
});
