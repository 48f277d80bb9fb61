import { minVersion, validRange } from 'semver';
import type { ChangeDeclaration } from '../changes/declaration.ts';
import type { ProbeDeclaration } from '../probes/declaration.ts';
import { type Fault, type Locate, parseYaml } from '../yaml.ts';
import { type GuideContext, isReserved, type Report } from './check-context.ts';
import { checkControl } from './check-control.ts';
import { checkExpression } from './check-expression.ts';
import { checkParameters } from './check-parameters.ts';
import { fitsInput } from './inputs.ts';
import { suggest } from './nearest.ts';
import { type Guide, guideSchema } from './schema.ts';
import { factsShape, guideNames, isTargetType, kindsOf } from './shapes.ts';

export type Declarations = {
  readonly probes: readonly ProbeDeclaration[];
  readonly changes: readonly ChangeDeclaration[];
};

/**
 * Checks a guide as a whole: its form, and everything that can be known about it before it runs (names, parameters,
 * expressions against the probes' facts, templates, references between its parts).
 * @param text the guide, YAML
 * @param declarations every probe and change that a guide may name
 * @returns the guide when its form is right, and all faults with 1-based line and column, in reading order. A guide
 *   with faults must not be run.
 */
export function checkGuide(
  text: string,
  declarations: Declarations,
): { readonly guide?: Guide; readonly faults: Fault[] } {
  const parsed = parseYaml(text, guideSchema);
  if (!parsed.ok) return { faults: parsed.faults };
  const guide = parsed.value;
  const faults: Fault[] = [];
  const context: GuideContext = {
    guide,
    probes: new Map(declarations.probes.map((probe) => [probe.id, probe])),
    changes: new Map(declarations.changes.map((change) => [change.id, change])),
    names: guideNames(guide),
    report: reporter(parsed.locate, faults),
    used: new Set(),
  };
  checkProduct(context);
  checkInputs(context);
  checkBudget(context);
  const seen = new Set<string>();
  for (const [index, control] of guide.controls.entries()) {
    if (seen.has(control.id)) context.report(['controls', index, 'id'], `a second control has the id "${control.id}"`);
    seen.add(control.id);
    checkControl(context, control, ['controls', index]);
  }
  for (const name of Object.keys(guide.inputs)) {
    if (!context.used.has(name)) context.report(['inputs', name], `the input "${name}" is not used`);
  }
  faults.sort((a, b) => a.line - b.line || a.column - b.column);
  return { guide, faults };
}

function reporter(locate: Locate, faults: Fault[]): Report {
  const seen = new Set<string>();
  return (path, message, within) => {
    const fault = { ...locate(path, within), path: path.map(String).join('.'), message };
    const key = `${fault.line}:${fault.column}:${message}`;
    if (!seen.has(key)) faults.push(fault);
    seen.add(key);
  };
}

function checkProduct({ guide, probes, names, report, used }: GuideContext): void {
  const { versions, observe } = guide.product;
  const range = validRange(versions);
  if (range === null)
    report(['product', 'versions'], `"${versions}" is not a range of versions, such as ">=3.3.0 <3.4.0"`, 0);
  else if (range === '*')
    report(['product', 'versions'], 'this range holds every version; name the ones that the guide was made for', 0);
  else if (isEmpty(range)) report(['product', 'versions'], 'no version lies in this range', 0);
  if (observe === undefined) return;
  const probe = probes.get(observe.probe);
  const path = ['product', 'observe'];
  if (probe === undefined)
    return report(
      [...path, 'probe'],
      `there is no probe "${observe.probe}"${suggest(observe.probe, [...probes.keys()])}`,
      0,
    );
  const parameters = checkParameters(observe.with, probe.params, names);
  for (const fault of parameters.faults) report([...path, 'with', ...fault.path], fault.message, fault.within);
  const version = checkExpression(observe.version, new Map([...names, ['facts', factsShape(probe)]]));
  for (const fault of version.faults) report([...path, 'version'], fault.message, fault.offset);
  if (kindsOf(version.shape)?.has('string') === false) report([...path, 'version'], 'a version is a text', 0);
  if (version.faults.length === 0 && !version.roots.has('facts'))
    report([...path, 'version'], 'the version must come from facts', 0);
  for (const root of [...parameters.roots, ...version.roots]) used.add(root);
}

/** Each alternative by itself: minVersion gives up on the whole range when only its lowest alternative holds nothing. */
function isEmpty(range: string): boolean {
  return range.split('||').every((part) => minVersion(part) === null);
}

function checkBudget({ guide, report, used }: GuideContext): void {
  for (const name of Object.keys(guide.budget.devices ?? {})) {
    const path = ['budget', 'devices', name];
    const type = guide.inputs[name]?.type;
    if (type === undefined) report(path, `there is no input "${name}"${suggest(name, Object.keys(guide.inputs))}`);
    else if (type !== 'device') report(path, `"${name}" is a ${type}; a budget is for an input of the type device`);
    else used.add(name);
  }
}

function checkInputs({ guide, report }: GuideContext): void {
  for (const [name, input] of Object.entries(guide.inputs)) {
    const path = ['inputs', name];
    if (isReserved(name)) report(path, `"${name}" is reserved; choose another name`);
    if (input.default === undefined) continue;
    if (isTargetType(input.type))
      report([...path, 'default'], `an input of the type ${input.type} comes from the site and has no default`);
    else if (!fitsInput(input, input.default))
      report([...path, 'default'], `the default is not ${input.many ? 'a list of ' : ''}${input.type}`);
  }
}
