import { BlockList, isIP } from 'node:net';
import { ipText, type ReadCertificate, type Subtree } from './read-certificate.ts';

/** RFC 5280 section 4.2.1.10 for DNS names and addresses; a constraint of another kind is refused as not understood. */
export function constraintBroken(authority: ReadCertificate, below: readonly ReadCertificate[]): string | undefined {
  const constraints = authority.nameConstraints;
  if (constraints === undefined) return undefined;
  const all = [...constraints.permitted, ...constraints.excluded];
  if (all.some((tree) => tree.kind === 'other' || (tree.kind === 'ip' && subnet(tree) === undefined)))
    return 'its name constraints are of a kind that Lockstep does not know';
  for (const name of below.flatMap((one) => one.sans)) {
    if (name.kind === 'other') continue;
    const within = (tree: Subtree): boolean => tree.kind === name.kind && inside(name.value, tree);
    const permitted = constraints.permitted.filter((tree) => tree.kind === name.kind);
    const covers = (tree: Subtree): boolean => tree.kind === 'dns' && name.kind === 'dns' && wildcard(name.value, tree);
    if (constraints.excluded.some((tree) => within(tree) || covers(tree)))
      return `its name constraints exclude ${name.value}`;
    if (permitted.length > 0 && !permitted.some(within)) return `its name constraints do not permit ${name.value}`;
  }
  return undefined;
}

function inside(value: string, tree: Subtree): boolean {
  if (tree.kind === 'dns') {
    const name = value.toLowerCase();
    return (
      tree.value === '' ||
      name === tree.value ||
      name.endsWith(tree.value.startsWith('.') ? tree.value : `.${tree.value}`)
    );
  }
  const net = subnet(tree);
  if (net === undefined || isIP(value) === 0) return false;
  const list = new BlockList();
  list.addSubnet(net.address, net.prefix, net.family);
  return list.check(value, value.includes(':') ? 'ipv6' : 'ipv4');
}

/** Whether a wildcard stands for a name of the subtree, e.g. *.hospital.test for one that is emr.hospital.test. */
function wildcard(value: string, tree: Subtree): boolean {
  if (!value.startsWith('*.')) return false;
  const [, ...parent] = tree.value.replace(/^\./, '').split('.');
  return parent.length > 0 && value.slice(2).toLowerCase() === parent.join('.');
}

/** Address and mask as RFC 5280 section 4.2.1.10 has them; undefined where the mask has holes or the length is wrong. */
function subnet({
  bytes = Buffer.alloc(0),
}: Subtree): { address: string; prefix: number; family: 'ipv4' | 'ipv6' } | undefined {
  const half = bytes.length / 2;
  const family = half === 4 ? 'ipv4' : half === 16 ? 'ipv6' : undefined;
  if (family === undefined) return undefined;
  const mask = [...bytes.subarray(half)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  if (!/^1*0*$/.test(mask)) return undefined;
  return { address: ipText(bytes.subarray(0, half)), prefix: mask.lastIndexOf('1') + 1, family };
}
