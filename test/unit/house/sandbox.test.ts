import { describe, expect, it } from 'vitest';
import { blockedSandbox, diedOfSandbox, remedy } from '../../../build/electron-runtime/sandbox.mjs';

const free = { helperReady: false, appArmorRestricts: undefined, usernsClone: '1', maxNamespaces: '10000' };

describe('a sandbox that the system blocks', () => {
  it('is explained with its cause, and with a remedy that leaves the sandbox on', () => {
    expect(blockedSandbox({ ...free, appArmorRestricts: '1' })).toContain(
      'kernel.apparmor_restrict_unprivileged_userns = 1',
    );
    expect(blockedSandbox({ ...free, usernsClone: '0' })).toContain('unprivileged_userns_clone = 0');
    expect(blockedSandbox({ ...free, maxNamespaces: '0' })).toContain('max_user_namespaces = 0');
    expect(remedy('/opt/electron')).toContain("sudo chown root:root '/opt/electron/chrome-sandbox'");
    expect(remedy('/opt/electron')).not.toContain('no-sandbox');
  });

  it('is not suspected where namespaces are allowed or the helper is set up', () => {
    expect(blockedSandbox(free)).toBeUndefined();
    expect(blockedSandbox({ ...free, appArmorRestricts: '1', helperReady: true })).toBeUndefined();
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
