import { describe, expect, it } from 'vitest';
import { diedOfSandbox, explainBlockedSandbox } from '../../../build/electron-runtime/sandbox.mjs';

const free = { helperReady: false, appArmorRestricts: undefined, usernsClone: '1', maxNamespaces: '10000' };

describe('a sandbox that the system blocks', () => {
  it("is explained with its cause and the administrator's remedy", () => {
    const text = explainBlockedSandbox({ ...free, appArmorRestricts: '1' }, '/opt/electron');
    expect(text).toContain('kernel.apparmor_restrict_unprivileged_userns = 1');
    expect(text).toContain("sudo chown root:root '/opt/electron/chrome-sandbox'");
    expect(explainBlockedSandbox({ ...free, usernsClone: '0' }, '/opt/electron')).toContain(
      'unprivileged_userns_clone = 0',
    );
    expect(explainBlockedSandbox({ ...free, maxNamespaces: '0' }, '/opt/electron')).toContain(
      'max_user_namespaces = 0',
    );
  });

  it('is not suspected where namespaces are allowed or the helper is set up', () => {
    expect(explainBlockedSandbox(free, '/opt/electron')).toBeUndefined();
    expect(
      explainBlockedSandbox({ ...free, appArmorRestricts: '1', helperReady: true }, '/opt/electron'),
    ).toBeUndefined();
  });

  it("is recognised in Chromium's last words", () => {
    expect(
      diedOfSandbox('[1:FATAL:zygote_host_impl_linux.cc(128)] No usable sandbox! If you are running on Ubuntu 23.10+'),
    ).toBe(true);
    expect(
      diedOfSandbox('The SUID sandbox helper binary was found, but is not configured correctly. Rather than run'),
    ).toBe(true);
    expect(diedOfSandbox('Error: listen EADDRINUSE')).toBe(false);
  });
});
