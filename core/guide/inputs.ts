import { type AppError, appError, fail, ok, type Result } from '../result.ts';
import type { Site } from '../site/schema.ts';
import type { Guide, GuideInput } from './schema.ts';

/** Input values by name, as expressions see them: objects of the site for roles, links and devices, else plain values. */
export type InputValues = Readonly<Record<string, unknown>>;

const SCALARS: Readonly<Record<string, (value: unknown) => boolean>> = {
  text: (value) => typeof value === 'string' && value !== '',
  url: (value) => typeof value === 'string' && /^https?:\/\/\S+$/.test(value),
  date: (value) => typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(value),
  number: (value) => typeof value === 'number' && Number.isFinite(value),
  boolean: (value) => typeof value === 'boolean',
  list: (value) => Array.isArray(value),
};

/**
 * Finds what the site gives for each input of the guide. Roles, links and devices come from the site's own sections: those
 * that `site.inputs.<name>` lists by id, else all (`many`) or the only one.
 * @returns the values, or every missing or unfit input at once.
 */
export function resolveInputs(guide: Guide, site: Site): Result<InputValues, readonly AppError[]> {
  const values: Record<string, unknown> = {};
  const errors: AppError[] = [];
  for (const [name, input] of Object.entries(guide.inputs)) {
    const result = resolveInput(name, input, site);
    if (!result.ok) errors.push(result.error);
    else if (result.value !== undefined) values[name] = result.value;
  }
  for (const name of Object.keys(site.inputs)) {
    if (!(name in guide.inputs))
      errors.push(appError('site.invalid', `The guide has no input "${name}".`, { place: `inputs.${name}` }));
  }
  return errors.length === 0 ? ok(values) : { ok: false, error: errors };
}

/** Whether a plain value is of the input's type; false for inputs that come from the site's own sections. */
export function fitsInput(input: GuideInput, value: unknown): boolean {
  const fits = SCALARS[input.type] ?? (() => false);
  return input.many ? Array.isArray(value) && value.every(fits) : fits(value);
}

function resolveInput(name: string, input: GuideInput, site: Site): Result<unknown> {
  const place = `inputs.${name}`;
  const given = site.inputs[name] ?? input.default;
  const section = sectionOf(input.type, site);
  if (section === undefined) {
    if (given === undefined) {
      if (input.optional) return ok(undefined);
      return fail('site.invalid', `The site gives no value for "${input.title}" (${name}).`, {
        place,
        fixBy: input.owner === 'manufacturer' ? 'manufacturer' : 'hospital',
      });
    }
    if (!fitsInput(input, given))
      return fail('site.invalid', `${input.title}: expected ${input.many ? 'a list of ' : ''}${input.type}.`, {
        place,
      });
    return ok(given);
  }
  if (given === undefined) {
    if (input.many)
      return section.length > 0 || input.optional
        ? ok(section)
        : fail('site.invalid', `The site lists nothing for "${input.title}" (${name}).`, { place });
    if (section.length === 1) return ok(section[0]);
    if (section.length === 0 && input.optional) return ok(undefined);
    return fail('site.invalid', `${input.title}: the site has ${section.length}; name the one that is meant.`, {
      place,
    });
  }
  const ids = input.many ? given : [given];
  if (!Array.isArray(ids) || ids.some((id) => typeof id !== 'string'))
    return fail('site.invalid', `${input.title}: expected ${input.many ? 'a list of ids' : 'an id'}.`, { place });
  const found = ids.map((id) => section.find((entry) => entry.id === id));
  const lost = ids.filter((_, index) => found[index] === undefined);
  if (lost.length > 0)
    return fail('site.invalid', `${input.title}: the site has no ${lost.map((id) => `"${id}"`).join(', ')}.`, {
      place,
    });
  return ok(input.many ? found : found[0]);
}

function sectionOf(type: GuideInput['type'], site: Site): readonly { readonly id: string }[] | undefined {
  if (type === 'directory-group') return site.roles;
  if (type === 'link') return site.links;
  if (type === 'device') return site.devices;
  return undefined;
}
