import type { Plugin } from 'vite';

const NATIVE = /(?:^cpu-features|\/sshcrypto\.node)$/;
const SSH = /\/ssh2\/lib\/.*\.js$/;

/**
 * Leaves out what the SSH library carries and does without: compiled parts (a build must not depend on the machine that it
 * was made on, and Node's own crypto does the same work) and the name of its own folder, which a bundle does not have.
 */
export function nativeFree(): Plugin {
  return {
    name: 'native-free',
    enforce: 'pre',
    resolveId: (source) => (NATIVE.test(source) ? `\0native-free:${source}` : null),
    load: (id) =>
      id.startsWith('\0native-free:') ? "module.exports = {}; throw new Error('compiled parts are left out');" : null,
    transform: (code, id) => (SSH.test(id) ? { code: code.replaceAll('__dirname', "''"), map: null } : null),
  };
}
