/** A JSON schema (draft 07), as far as the tests need it. */
export type JsonSchema = { readonly [keyword: string]: unknown };

const SILENT = new Set(['$schema', '$id', '$comment', 'title', 'description', 'definitions', 'contentEncoding']);

/**
 * Holds a value against a JSON schema of draft 07 and returns every fault with its place. Throws on a keyword that it
 * does not know, so that nothing goes unchecked in silence; of formats it checks `date-time`, `uri` and `uri-reference`.
 */
export function schemaFaults(value: unknown, schema: JsonSchema, root: JsonSchema = schema, place = ''): string[] {
  const faults: string[] = [];
  const say = (sentence: string) => faults.push(`${place === '' ? '/' : place}: ${sentence}`);
  const within = (each: unknown, sub: unknown, at: string) =>
    schemaFaults(each, sub as JsonSchema, root, `${place}${at}`);
  const object =
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  for (const [keyword, wanted] of Object.entries(schema)) {
    if (SILENT.has(keyword)) continue;
    switch (keyword) {
      case '$ref':
        faults.push(...within(value, resolve(String(wanted), root), ''));
        break;
      case 'type':
        if (!hasType(value, String(wanted))) say(`is not of type ${String(wanted)}`);
        break;
      case 'enum':
        if (!(wanted as unknown[]).includes(value)) say(`is none of ${JSON.stringify(wanted)}`);
        break;
      case 'pattern':
        if (typeof value === 'string' && !new RegExp(String(wanted), 'u').test(value))
          say(`does not match ${String(wanted)}`);
        break;
      case 'format':
        if (typeof value === 'string' && !hasFormat(value, String(wanted))) say(`is not a ${String(wanted)}`);
        break;
      case 'minimum':
        if (typeof value === 'number' && value < Number(wanted)) say(`is below ${String(wanted)}`);
        break;
      case 'minItems':
        if (Array.isArray(value) && value.length < Number(wanted)) say(`has fewer than ${String(wanted)} items`);
        break;
      case 'items':
        if (Array.isArray(value)) value.forEach((each, index) => faults.push(...within(each, wanted, `/${index}`)));
        break;
      case 'required':
        for (const name of wanted as string[])
          if (object !== undefined && !Object.hasOwn(object, name)) say(`lacks ${name}`);
        break;
      case 'properties':
        for (const [name, sub] of Object.entries(wanted as object))
          if (object !== undefined && Object.hasOwn(object, name))
            faults.push(...within(object[name], sub, `/${name}`));
        break;
      case 'additionalProperties':
        if (wanted !== false) throw new Error('additionalProperties: only false is known here');
        for (const name of Object.keys(object ?? {}))
          if (!Object.hasOwn((schema.properties ?? {}) as object, name)) say(`may not hold ${name}`);
        break;
      case 'allOf':
        for (const sub of wanted as unknown[]) faults.push(...within(value, sub, ''));
        break;
      case 'anyOf': {
        const tried = (wanted as unknown[]).map((sub) => within(value, sub, ''));
        if (tried.every((found) => found.length > 0)) faults.push(...(tried[0] ?? []));
        break;
      }
      default:
        throw new Error(`this check does not know the keyword ${keyword}`);
    }
  }
  return faults;
}

function resolve(reference: string, root: JsonSchema): JsonSchema {
  const name = /^#\/definitions\/(.+)$/.exec(reference)?.[1];
  const found = name === undefined ? undefined : (root.definitions as Record<string, JsonSchema> | undefined)?.[name];
  if (found === undefined) throw new Error(`there is no ${reference}`);
  return found;
}

function hasType(value: unknown, type: string): boolean {
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'string' || type === 'number' || type === 'boolean') return typeof value === type;
  throw new Error(`this check does not know the type ${type}`);
}

function hasFormat(value: string, format: string): boolean {
  if (format === 'date-time')
    return /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(value) && !Number.isNaN(Date.parse(value));
  if (format === 'uri') return URL.canParse(value);
  if (format === 'uri-reference') return !/[\s<>"{}|\\^`]/.test(value) && URL.canParse(value, 'https://base.test/');
  return true;
}
