import cel, { type ASTNode } from '@marcbachmann/cel-js';
import { ANY, BOOLEAN, itemOf, type Kind, kindsOf, type Shape, TEXT, valuesOf } from './shapes.ts';

/** A node of an expression's tree, as the CEL library makes it. */
export type Node = { readonly op: string; readonly args: unknown; readonly start: number; readonly pos: number };
/** Where complaints about a node go. */
export type Report = (node: Node, message: string) => void;

/** Complains where two compared values could never be equal. */
export function compare(node: Node, left: Shape, right: Shape, report: Report): void {
  if (kindsOf(left)?.has('null') && kindsOf(left)?.size === 1)
    return report(node, 'null is not a value to compare with: what is unknown is absent');
  if (kindsOf(right)?.has('null') && kindsOf(right)?.size === 1)
    return report(node, 'null is not a value to compare with: what is unknown is absent');
  if (disjoint(left, right)) return report(node, `${describe(left)} and ${describe(right)} are never equal`);
  const [a, b] = [valuesOf(left), valuesOf(right)];
  if (a === undefined || b === undefined || a.some((value) => b.includes(value))) return;
  const [wanted, allowed] = a.length === 1 ? [a, b] : [b, a];
  report(
    node,
    `${wanted.map((value) => JSON.stringify(value)).join(', ')} is not one of ${allowed.map((value) => JSON.stringify(value)).join(', ')}`,
  );
}

/** Complains where something could never be found in a list. */
export function membership(node: Node, left: Shape, right: Shape, report: Report): void {
  const kinds = kindsOf(right);
  if (kinds === undefined) return;
  if (!kinds.has('list')) {
    expectKind(node, right, ['list', 'map', 'string'], report);
    if (disjoint(left, TEXT)) report(node, `${describe(left)} cannot be looked for in ${describe(right)}`);
    return;
  }
  for (const item of right.items?.anyOf ?? [itemOf(right)]) compare(node, left, item, report);
}

/** Whether no value can be of both shapes. */
export function disjoint(left: Shape, right: Shape): boolean {
  const [a, b] = [kindsOf(left), kindsOf(right)];
  return a !== undefined && b !== undefined && ![...a].some((kind) => b.has(kind));
}

/** Complains where a value is of none of the kinds that belong here. */
export function expectKind(node: Node, shape: Shape, wanted: readonly Kind[], report: Report): void {
  const kinds = kindsOf(shape);
  if (kinds !== undefined && !wanted.some((kind) => kinds.has(kind)))
    report(node, `"${text(node)}" is ${describe(shape)}; here belongs ${wanted.join(' or ')}`);
}

/** What a shape is, in words. */
export function describe(shape: Shape): string {
  return [...(kindsOf(shape) ?? ['anything'])].join(' or ');
}

/** Shape of a value as it is written. */
export function literal(value: unknown): Shape {
  if (typeof value === 'bigint' || typeof value === 'number') return { type: 'number' };
  if (typeof value === 'string') return { type: 'string', const: value };
  if (typeof value === 'boolean') return BOOLEAN;
  return value === null ? { type: 'null' } : ANY;
}

/** A node as it is written. */
export function text(node: Node): string {
  return cel.serialize(node as ASTNode);
}
