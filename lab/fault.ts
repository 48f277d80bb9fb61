import { type CertificateSpec, goodCertificate } from './certificates.ts';
import { hardenedSettings } from './device-settings.ts';
import { dnKey } from './ldap-names.ts';
import { groupAccountType } from './ldap-write.ts';
import type { LabParts } from './parts.ts';

/** One thing that is wrong on purpose. `active` looks at the state, so that mending by hand counts. */
export type Fault = {
  readonly id: string;
  readonly title: string;
  /** Control of the guide reference-mdip that turns red. */
  readonly control: string;
  readonly probe: string;
  readonly verdict: 'fail' | 'error';
  readonly shipped: boolean;
  readonly on: (parts: LabParts) => void | Promise<void>;
  readonly off: (parts: LabParts) => void | Promise<void>;
  readonly active: (parts: LabParts) => boolean;
};

type Switch = {
  readonly title: string;
  readonly control: string;
  readonly probe: string;
  readonly verdict?: 'error';
  readonly shipped?: true;
  readonly set: (parts: LabParts, on: boolean) => void | Promise<void>;
  readonly active: (parts: LabParts) => boolean;
};

/** A fault from one function that sets and mends. */
export function fault(id: string, part: Switch): Fault {
  return {
    id,
    title: part.title,
    control: part.control,
    probe: part.probe,
    verdict: part.verdict ?? 'fail',
    shipped: part.shipped ?? false,
    on: (parts) => part.set(parts, true),
    off: (parts) => part.set(parts, false),
    active: part.active,
  };
}

/** A wrong property of a server's certificate. */
export function certificateFault(
  id: string,
  part: {
    title: string;
    control: string;
    probe: string;
    shipped?: true;
    of: 'dc' | 'emr' | 'device';
    wrong: Partial<CertificateSpec>;
  },
): Fault {
  const [property, value] = Object.entries(part.wrong)[0] as [keyof CertificateSpec, never];
  const right = goodCertificate()[property] as never;
  const spec = (parts: LabParts): CertificateSpec =>
    part.of === 'dc'
      ? parts.dcFace.certificate
      : part.of === 'emr'
        ? parts.emr.state.certificate
        : parts.device.state.certificate;
  return fault(id, {
    ...part,
    active: (parts) => spec(parts)[property] === value && !(part.of === 'device' && parts.device.state.installed),
    set: async (parts, on) => {
      // What was installed over the API goes when a fault comes back.
      if (on && part.of === 'device') forgetInstalled(parts);
      // Mending one fault leaves a sibling (another wrong value of the same property) as it is.
      if (on) spec(parts)[property] = value;
      else if (spec(parts)[property] === value) spec(parts)[property] = right;
      await parts.refresh();
    },
  });
}

/** The device has the certificates that it came with. */
export function forgetInstalled({ device: { state } }: LabParts): void {
  delete state.installed;
  delete state.former;
  delete state.waiting;
}

/** A setting of the device: its fault is where it differs from `right`. */
export function deviceFault(
  id: string,
  part: {
    title: string;
    control: string;
    shipped?: true;
    probe?: string;
    wrong: DeepPartial<LabParts['device']['state']['settings']>;
  },
): Fault {
  const rightOf = (parts: LabParts) =>
    hardenedSettings({ ldaps: parts.controllers.dc1.ldaps.port, emr: parts.emr.secure.port });
  const wrongOf = (parts: LabParts) =>
    JSON.parse(JSON.stringify(part.wrong).replaceAll('<ldap>', String(parts.controllers.dc1.ldap.port)));
  return fault(id, {
    title: part.title,
    control: part.control,
    probe: part.probe ?? 'http.request',
    ...(part.shipped === undefined ? {} : { shipped: part.shipped }),
    active: (parts) =>
      leaves(wrongOf(parts)).some(
        ([path, wrong]) => JSON.stringify(get(parts.device.state.settings, path)) === JSON.stringify(wrong),
      ),
    set: async (parts, on) => {
      const settings = structuredClone(parts.device.state.settings);
      for (const [path, wrong] of leaves(wrongOf(parts))) put(settings, path, on ? wrong : get(rightOf(parts), path));
      parts.device.state.settings = settings;
      await parts.refresh();
    },
  });
}

type DeepPartial<T> = {
  [K in keyof T]?: T[K] extends readonly unknown[] ? T[K] : T[K] extends object ? DeepPartial<T[K]> : T[K] | string;
};

function leaves(value: unknown, path: readonly string[] = []): [string[], unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[[...path], value]];
  return Object.entries(value).flatMap(([key, child]) => leaves(child, [...path, key]));
}

function get(root: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], root);
}

function put(root: unknown, path: readonly string[], value: unknown): void {
  const parent = get(root, path.slice(0, -1)) as Record<string, unknown>;
  parent[path.at(-1) as string] = value;
}

/** Whether `member` is a direct member of `group`. */
export const has = (parts: LabParts, group: string, member: string): boolean => {
  const entry = parts.directory.get(group);
  return (
    entry !== undefined &&
    parts.directory.values(entry, 'member').some((value) => dnKey(value.toString()) === dnKey(member))
  );
};

/** Puts members into a group or takes them out; nothing happens where the group is missing. */
export function setMembers(parts: LabParts, group: string, members: readonly string[], on: boolean): void {
  const entry = parts.directory.get(group);
  if (entry === undefined) return;
  const keys = members.map(dnKey);
  const others = parts.directory.values(entry, 'member').filter((value) => !keys.includes(dnKey(value.toString())));
  parts.directory.set(group, 'member', on ? [...others, ...members] : others);
}

/** Somebody who does not belong in a group. */
export function memberFault(
  id: string,
  part: { title: string; control: string; probe: string; shipped?: true; group: string; members: readonly string[] },
): Fault {
  return fault(id, {
    ...part,
    active: (parts) => part.members.some((member) => has(parts, part.group, member)),
    set: (parts, on) => setMembers(parts, part.group, part.members, on),
  });
}

/** A wrong value of one attribute in the directory. */
export function attributeFault(
  id: string,
  part: {
    title: string;
    control: string;
    probe: string;
    shipped?: true;
    dn: string;
    attribute: string;
    wrong: readonly string[];
    right: readonly string[];
  },
): Fault {
  return fault(id, {
    ...part,
    active: (parts) => {
      const entry = parts.directory.get(part.dn);
      return entry !== undefined && parts.directory.first(entry, part.attribute) === part.wrong[0];
    },
    set: (parts, on) => {
      if (parts.directory.get(part.dn) === undefined) return;
      parts.directory.set(part.dn, part.attribute, on ? part.wrong : part.right);
      if (part.attribute === 'groupType')
        parts.directory.set(part.dn, 'sAMAccountType', [groupAccountType(Number((on ? part.wrong : part.right)[0]))]);
    },
  });
}

/** A leniency of the EMR towards its clients. */
export function clientFault(
  id: string,
  title: string,
  set: (client: LabParts['emr']['state']['client'], on: boolean) => void,
  active: (client: LabParts['emr']['state']['client']) => boolean,
  shipped?: true,
): Fault {
  return fault(id, {
    title,
    control: 'link.emr.client-certificate',
    probe: 'tls.client-authentication',
    ...(shipped === undefined ? {} : { shipped }),
    active: (parts) => active(parts.emr.state.client),
    set: async (parts, on) => {
      set(parts.emr.state.client, on);
      await parts.refresh();
    },
  });
}
