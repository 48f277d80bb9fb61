import { type GuideContext, isInstant, isReserved } from './check-context.ts';
import { checkExpression } from './check-expression.ts';
import { describe } from './expression-kinds.ts';
import { checkParameters } from './check-parameters.ts';
import { suggest } from './nearest.ts';
import type { Control, Expectation } from './schema.ts';
import { entryShape, factsShape, isTargetType, kindsOf, LINK, type Shape } from './shapes.ts';

type Path = readonly PropertyKey[];
type Names = ReadonlyMap<string, Shape>;

/** The probe that observes each end of a link; the server's is always needed, to see whether it speaks TLS at all. */
const LINK_PROBES = { server: 'tls.endpoint', client: 'tls.client-authentication', device: 'tls.impostor' } as const;

/** Checks one control: that it can be judged at all, and each of its parts. */
export function checkControl(context: GuideContext, control: Control, path: Path): void {
  const { report } = context;
  const names = targetNames(context, control, path);
  if (control.checks.length === 0 && control.manual === undefined)
    report(path, `"${control.id}" has neither checks nor a manual question: nothing could decide it`);
  if (control.validFor !== undefined && isInstant(control.validFor))
    report([...path, 'validFor'], 'evidence that is good for no time is never good', 0);
  for (const key of ['title', 'why', 'instructions'] as const) {
    const at = control[key].indexOf('{{');
    if (at >= 0) report([...path, key], '{{ }} is filled in only in "else"', at);
  }
  if (control.applies !== undefined) {
    condition(context, control.applies.when, names, [...path, 'applies', 'when']);
    template(context, control.applies.else, names, [...path, 'applies', 'else']);
  }
  checkChecks(context, control, names, path);
  checkLink(context, control, names, path);
  checkManual(context, control, path);
  checkChange(context, control, names, path);
}

function targetNames({ guide, names, report, used }: GuideContext, control: Control, path: Path): Names {
  if (control.forEach === undefined) return names;
  const at = [...path, 'forEach'];
  const [source = '', variable = ''] = control.forEach.slice(1).split(' as ');
  const column = control.forEach.length - variable.length;
  const input = Object.hasOwn(guide.inputs, source) ? guide.inputs[source] : undefined;
  used.add(source);
  if (input === undefined) report(at, `there is no input "${source}"${suggest(source, Object.keys(guide.inputs))}`, 1);
  else if (!isTargetType(input.type))
    report(at, `"${source}" is of the type ${input.type}; a control is applied to groups, links or devices`, 1);
  if (isReserved(variable)) report(at, `"${variable}" is reserved; choose another name`, column);
  else if (names.has(variable) && variable !== source)
    report(at, `"${variable}" hides the input of that name; choose another name`, column);
  else if (variable === source)
    report(at, `"${variable}" would mean both the list and its entry; choose another name`, column);
  return new Map([...names, [variable, input === undefined ? {} : entryShape(input)]]);
}

function checkChecks(context: GuideContext, control: Control, names: Names, path: Path): void {
  for (const [index, check] of control.checks.entries()) {
    const at = [...path, 'checks', index];
    const probe = context.probes.get(check.probe);
    if (probe === undefined) {
      context.report(
        [...at, 'probe'],
        `there is no probe "${check.probe}"${suggest(check.probe, [...context.probes.keys()])}`,
        0,
      );
      continue;
    }
    parameters(context, check.with, probe.params, names, [...at, 'with']);
    if (check.expect.length === 0 && control.expect.length === 0)
      context.report([...at, 'probe'], 'nothing is expected of this check, so it could never pass', 0);
    const known = new Map([...names, ['facts', factsShape(probe)]]);
    for (const [number, expectation] of check.expect.entries())
      expected(context, expectation, known, 'facts', [...at, 'expect', number]);
  }
}

function checkLink(context: GuideContext, control: Control, names: Names, path: Path): void {
  const { report } = context;
  if (control.expect.length === 0) {
    if (control.requires !== undefined)
      report([...path, 'requires'], '"requires" counts only for the control\'s own "expect"');
    return;
  }
  const probes = control.checks.map((check) => check.probe);
  const ends = new Set(control.requires ?? (['server', 'client', 'device'] as const));
  for (const [end, probe] of Object.entries(LINK_PROBES)) {
    if ((end === 'server' || ends.has(end as keyof typeof LINK_PROBES)) && !probes.includes(probe)) {
      report([...path, 'expect'], `"link" is derived from separate observations; the check "${probe}" is missing`);
    }
  }
  for (const [index, probe] of probes.entries()) {
    // Observations are told apart by their probe: of two of a kind only the last would count.
    if (probes.indexOf(probe) < index)
      report([...path, 'checks', index, 'probe'], `"${probe}" is here twice; "link" could not tell the two apart`, 0);
  }
  const known = new Map([...names, ['link', LINK]]);
  for (const [number, expectation] of control.expect.entries())
    expected(context, expectation, known, 'link', [...path, 'expect', number]);
}

function checkManual({ report }: GuideContext, control: Control, path: Path): void {
  if (control.manual === undefined) return;
  const { answers, evidence, required } = control.manual;
  const verdicts = Object.values(answers);
  if (!verdicts.includes('pass')) report([...path, 'manual', 'answers'], 'no answer leads to pass');
  if (!verdicts.includes('fail')) report([...path, 'manual', 'answers'], 'no answer leads to fail');
  if (required && evidence.length === 0)
    report([...path, 'manual', 'required'], 'evidence is required, but no kind of it is named');
}

function checkChange(context: GuideContext, control: Control, names: Names, path: Path): void {
  if (control.change === undefined) return;
  const { kind } = control.change;
  const change = context.changes.get(kind);
  if (change === undefined)
    return context.report(
      [...path, 'change', 'kind'],
      `there is no change "${kind}"${suggest(kind, [...context.changes.keys()])}`,
      0,
    );
  const place = [...path, 'change', 'with'];
  parameters(context, control.change.with, change.params, names, place);
  for (const fault of change.faults?.(control.change.with) ?? [])
    context.report([...place, ...fault.path], fault.message);
}

function parameters(
  context: GuideContext,
  given: Readonly<Record<string, unknown>>,
  params: Parameters<typeof checkParameters>[1],
  names: Names,
  path: Path,
): void {
  const checked = checkParameters(given, params, names);
  for (const fault of checked.faults) context.report([...path, ...fault.path], fault.message, fault.within);
  for (const root of checked.roots) context.used.add(root);
}

function expected(
  context: GuideContext,
  expectation: Expectation,
  names: Names,
  subject: 'facts' | 'link',
  path: Path,
): void {
  const roots = condition(context, expectation.that, names, [...path, 'that']);
  if (roots !== undefined && !roots.has(subject))
    context.report([...path, 'that'], `this does not look at "${subject}", so it says nothing about what was seen`, 0);
  template(context, expectation.else, names, [...path, 'else']);
}

/** @returns the names that it touches; undefined where it has faults. */
function condition(context: GuideContext, source: string, names: Names, path: Path): ReadonlySet<string> | undefined {
  const checked = checkExpression(source, names);
  for (const fault of checked.faults) context.report(path, fault.message, fault.offset);
  for (const root of checked.roots) context.used.add(root);
  if (checked.faults.length > 0) return undefined;
  if (kindsOf(checked.shape)?.has('boolean') === false)
    context.report(path, `this gives ${describe(checked.shape)}, not true or false`, 0);
  return checked.roots;
}

function template(context: GuideContext, text: string, names: Names, path: Path): void {
  const rest = text.replace(/\{\{(.+?)\}\}/g, (whole, inner: string, start: number) => {
    const lead = inner.length - inner.trimStart().length;
    const checked = checkExpression(inner.trim(), names);
    for (const fault of checked.faults) context.report(path, fault.message, start + 2 + lead + fault.offset);
    for (const root of checked.roots) context.used.add(root);
    return ' '.repeat(whole.length);
  });
  const stray = /\{\{|\}\}/.exec(rest);
  if (stray !== null) context.report(path, `"${stray[0]}" without its partner`, stray.index);
}
