import { type AppError, ok, type Result } from '../result.ts';
import { itemKey, type Target } from '../session/events.ts';
import type { SessionState } from '../session/state.ts';
import type { Site } from '../site/schema.ts';
import { evaluate, evaluateBoolean, fillTemplate, type Values } from '../verdict/evaluate.ts';
import { resolveInputs } from './inputs.ts';
import type { Control, Guide } from './schema.ts';

/** One check of an item with its parameters worked out. */
export type PlannedCheck = { readonly probe: string; readonly params: Result<Record<string, unknown>> };

/** One control applied to one target. */
export type PlanItem = {
  readonly key: string;
  readonly control: Control;
  readonly target: Target;
  /** What expressions of this item see besides facts and link. */
  readonly values: Values;
  readonly applies:
    | { readonly kind: 'yes' }
    | { readonly kind: 'no'; readonly sentence: string }
    | { readonly kind: 'error'; readonly error: AppError };
  readonly checks: readonly PlannedCheck[];
};

export type Plan = {
  readonly guide: Guide;
  readonly site: Site;
  readonly values: Values;
  readonly items: readonly PlanItem[];
};

const TARGET_KINDS = { 'directory-group': 'role', link: 'link', device: 'device' } as const;

/** What expressions see as `session`: what is settled before the first check runs. */
export type SessionFrame = {
  /** An earlier bundle was given to compare with. */
  readonly hasBaseline: boolean;
};

/** The frame of a session, as its journal has it. */
export function frameOf({ baseline }: Pick<SessionState, 'baseline'>): SessionFrame {
  return { hasBaseline: baseline !== undefined };
}

/**
 * Applies a guide to a site: one item per control and target, in the guide's order, with each check's parameters evaluated.
 * Pure: the same guide, site and frame give the same plan, so a verifier can make it again from a bundle.
 */
export function makePlan(
  guide: Guide,
  site: Site,
  session: SessionFrame = { hasBaseline: false },
): Result<Plan, readonly AppError[]> {
  const inputs = resolveInputs(guide, site);
  if (!inputs.ok) return inputs;
  const values: Values = { ...inputs.value, site: describeSite(site), session };
  const items = guide.controls.flatMap((control) => {
    const targets = targetsOf(control, guide, values, site);
    return targets.length > 0
      ? targets.map((entry) => planItem(control, entry.target, entry.values))
      : [withoutTarget(control, site, values)];
  });
  return ok({ guide, site, values, items });
}

/** What expressions see as `site`. Absent sections are left out, so that touching them is an error, never a pass. */
function describeSite(site: Site): Record<string, unknown> {
  return {
    id: site.site,
    name: site.name,
    practice: site.practice,
    ...(site.directory === undefined
      ? { hasDirectory: false, hasCanary: false }
      : {
          hasDirectory: true,
          hasCanary: site.directory.canary !== undefined,
          directory: {
            kind: site.directory.kind,
            baseDn: site.directory.baseDn,
            servers: site.directory.servers,
            bindAccount: site.directory.bindAccount,
            ...(site.directory.canary === undefined ? {} : { canary: site.directory.canary }),
          },
        }),
    anchors: site.anchors.map(({ id, pem }) => ({ id, ...(pem === undefined ? {} : { pem }) })),
    devices: site.devices,
    links: site.links,
    roles: site.roles,
  };
}

function targetsOf(
  control: Control,
  guide: Guide,
  values: Values,
  site: Site,
): readonly { target: Target; values: Values }[] {
  if (control.forEach === undefined) return [{ target: { kind: 'site', id: site.site, name: site.name }, values }];
  const [source = '', variable = ''] = control.forEach.slice(1).split(' as ');
  const type = guide.inputs[source]?.type;
  const kind = type !== undefined && type in TARGET_KINDS ? TARGET_KINDS[type as keyof typeof TARGET_KINDS] : undefined;
  const list = values[source];
  if (kind === undefined || list === undefined) return [];
  const entries = (Array.isArray(list) ? list : [list]) as { id: string; name: string }[];
  return entries.map((entry) => ({
    target: { kind, id: entry.id, name: entry.name },
    values: { ...values, [variable]: entry },
  }));
}

/** A control whose list of targets is empty must not vanish: it is shown as not applicable, with the reason. */
function withoutTarget(control: Control, site: Site, values: Values): PlanItem {
  const target: Target = { kind: 'site', id: site.site, name: site.name };
  return {
    key: itemKey(control.id, target),
    control,
    target,
    values,
    applies: { kind: 'no', sentence: `The site lists nothing for ${control.forEach}.` },
    checks: [],
  };
}

function planItem(control: Control, target: Target, values: Values): PlanItem {
  return {
    key: itemKey(control.id, target),
    control,
    target,
    values,
    applies: appliesTo(control, values),
    checks: control.checks.map((check) => ({ probe: check.probe, params: evaluateParams(check.with, values) })),
  };
}

function appliesTo(control: Control, values: Values): PlanItem['applies'] {
  if (control.applies === undefined) return { kind: 'yes' };
  const result = evaluateBoolean(control.applies.when, values);
  if (!result.ok) return { kind: 'error', error: result.error };
  return result.value ? { kind: 'yes' } : { kind: 'no', sentence: fillTemplate(control.applies.else, values) };
}

/**
 * Works out `with:` values. A string that begins with `$` is an expression over inputs, target and site; everything else is
 * taken as written. A value that is not given in the site (an optional part) is left out.
 */
export function evaluateParams(
  template: Readonly<Record<string, unknown>>,
  values: Values,
): Result<Record<string, unknown>> {
  const params: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(template)) {
    const result = evaluateParam(value, values);
    if (!result.ok)
      return { ok: false, error: { ...result.error, place: placeOf(`with.${name}`, result.error.place) } };
    if (result.value !== undefined) params[name] = result.value;
  }
  return ok(params);
}

/** Which parameter, and which value it lacks. */
function placeOf(parameter: string, value: string | undefined): string {
  return value === undefined ? parameter : `${parameter}: ${value}`;
}

function evaluateParam(value: unknown, values: Values): Result<unknown> {
  if (typeof value === 'string' && value.startsWith('$')) return evaluate(value, values);
  if (Array.isArray(value)) {
    const list: unknown[] = [];
    for (const entry of value) {
      const result = evaluateParam(entry, values);
      if (!result.ok) return result;
      list.push(result.value);
    }
    return ok(list);
  }
  if (typeof value === 'object' && value !== null) return evaluateParams(value as Record<string, unknown>, values);
  return ok(value);
}
