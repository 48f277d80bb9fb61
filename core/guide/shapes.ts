import { z } from 'zod';
import type { ProbeDeclaration } from '../probes/declaration.ts';
import { deviceSchema, directorySchema, linkSchema, roleSchema } from '../site/schema.ts';
import type { Guide, GuideInput } from './schema.ts';

/** What is known about a value before anything ran: a JSON schema, as far as one is known. `{}` is anything. */
export type Shape = {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly additionalProperties?: boolean | Shape;
  readonly items?: Shape;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Shape[];
  readonly oneOf?: readonly Shape[];
  readonly $ref?: string;
};

export type Kind = 'number' | 'string' | 'boolean' | 'list' | 'map' | 'null';

export const ANY: Shape = {};
export const NUMBER: Shape = { type: 'number' };
export const TEXT: Shape = { type: 'string' };
export const BOOLEAN: Shape = { type: 'boolean' };

const KINDS: Readonly<Record<string, Kind>> = {
  number: 'number',
  integer: 'number',
  string: 'string',
  boolean: 'boolean',
  array: 'list',
  object: 'map',
  null: 'null',
};

/** Kinds that a value of this shape can have; undefined where anything is possible. */
export function kindsOf(shape: Shape): ReadonlySet<Kind> | undefined {
  const branches = shape.anyOf ?? shape.oneOf;
  if (branches !== undefined) {
    const kinds = branches.map(kindsOf);
    return kinds.some((each) => each === undefined) ? undefined : new Set(kinds.flatMap((each) => [...(each ?? [])]));
  }
  const values = valuesOf(shape);
  if (shape.type === undefined && values !== undefined)
    return new Set(values.map((value) => (value === null ? 'null' : (typeof value as Kind))));
  const kind = shape.type === undefined ? undefined : KINDS[shape.type];
  return kind === undefined ? undefined : new Set([kind]);
}

/** The only values that it can have, where the schema lists them. */
export function valuesOf(shape: Shape): readonly unknown[] | undefined {
  if (shape.enum !== undefined) return shape.enum;
  if (shape.const !== undefined) return [shape.const];
  const branches = shape.anyOf ?? shape.oneOf;
  const values = branches?.map(valuesOf);
  return values === undefined || values.some((each) => each === undefined)
    ? undefined
    : values.flatMap((each) => [...(each ?? [])]);
}

/** What lies at a property: its shape, or which names there are instead. */
export function propertyOf(
  shape: Shape,
  name: string,
): { readonly shape: Shape } | { readonly names: readonly string[] } {
  const branches = shape.anyOf ?? shape.oneOf;
  if (branches !== undefined) {
    const found = branches.map((branch) => propertyOf(branch, name));
    const hit = found.find((each) => 'shape' in each);
    return hit ?? { names: found.flatMap((each) => ('names' in each ? each.names : [])) };
  }
  const own =
    shape.properties !== undefined && Object.hasOwn(shape.properties, name) ? shape.properties[name] : undefined;
  if (own !== undefined) return { shape: own };
  if (typeof shape.additionalProperties === 'object') return { shape: shape.additionalProperties };
  if (shape.type === undefined || (shape.properties === undefined && shape.additionalProperties !== false))
    return { shape: ANY };
  return { names: Object.keys(shape.properties ?? {}) };
}

/** Element of a list; anything where that is not known. */
export function itemOf(shape: Shape): Shape {
  const branch = (shape.anyOf ?? shape.oneOf)?.find((each) => each.items !== undefined);
  return (branch ?? shape).items ?? ANY;
}

/** Shape of what a zod schema yields (`output`) or takes (`input`). References (recursive JSON) become anything. */
export function shapeOf(schema: z.ZodType, io: 'input' | 'output'): Shape {
  return z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Shape;
}

const SECTIONS: Readonly<Partial<Record<GuideInput['type'], Shape>>> = {
  'directory-group': shapeOf(roleSchema, 'output'),
  link: shapeOf(linkSchema, 'output'),
  device: shapeOf(deviceSchema, 'output'),
};
const SCALARS: Readonly<Partial<Record<GuideInput['type'], Shape>>> = {
  text: TEXT,
  url: TEXT,
  date: TEXT,
  number: NUMBER,
  boolean: BOOLEAN,
  list: { type: 'array', items: ANY },
};

/** Shape of one entry of an input. */
export function entryShape(input: GuideInput): Shape {
  return SECTIONS[input.type] ?? SCALARS[input.type] ?? ANY;
}

/** Whether a control can be applied to each entry of the input. */
export function isTargetType(type: GuideInput['type']): boolean {
  return type in SECTIONS;
}

const list = (items: Shape): Shape => ({ type: 'array', items });
const map = (properties: Record<string, Shape>): Shape => ({ type: 'object', properties, additionalProperties: false });

const directory = shapeOf(directorySchema, 'output').properties ?? {};
const SITE: Shape = map({
  id: TEXT,
  name: TEXT,
  practice: BOOLEAN,
  hasDirectory: BOOLEAN,
  hasCanary: BOOLEAN,
  directory: map({
    kind: directory.kind ?? ANY,
    baseDn: TEXT,
    servers: directory.servers ?? ANY,
    bindAccount: TEXT,
    canary: directory.canary ?? ANY,
  }),
  anchors: list(map({ id: TEXT, pem: TEXT })),
  devices: list(SECTIONS.device ?? ANY),
  links: list(SECTIONS.link ?? ANY),
  roles: list(SECTIONS['directory-group'] ?? ANY),
});

/** What is settled before the first check runs. */
const SESSION: Shape = map({ hasBaseline: BOOLEAN });

const END: Shape = map({ status: { type: 'string', enum: ['observed', 'refuted', 'not-tested'] }, sentence: TEXT });

/** What core derives from the three observations of a link. */
export const LINK: Shape = map({
  state: { type: 'string', enum: ['clear', 'encrypted-only', 'encrypted-and-authenticated'] },
  sentence: TEXT,
  ends: map({ server: END, client: END, device: END }),
});

/** Names that every expression of the guide sees: its inputs, `site` and `session`. */
export function guideNames(guide: Pick<Guide, 'inputs'>): ReadonlyMap<string, Shape> {
  const names = new Map<string, Shape>([
    ['site', SITE],
    ['session', SESSION],
  ]);
  for (const [name, input] of Object.entries(guide.inputs))
    names.set(name, input.many ? list(entryShape(input)) : entryShape(input));
  return names;
}

/** Shape of a probe's facts. */
export function factsShape(probe: ProbeDeclaration): Shape {
  return shapeOf(probe.facts, 'output');
}
