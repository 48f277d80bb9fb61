import { compileExpression, explainExpression, toSourceOffset } from '../verdict/expression.ts';
import { guards } from './expression-guards.ts';
import {
  compare,
  describe,
  disjoint,
  expectKind,
  literal,
  membership,
  type Node,
  type Report,
  text,
} from './expression-kinds.ts';
import { suggest } from './nearest.ts';
import { ANY, BOOLEAN, itemOf, type Kind, kindsOf, NUMBER, propertyOf, type Shape, TEXT } from './shapes.ts';

/** A fault at an offset of an expression's source. */
export type ExpressionFault = { readonly offset: number; readonly message: string };

export type CheckedExpression = {
  /** What it yields, as far as is known. */
  readonly shape: Shape;
  /** Root names that it touches. */
  readonly roots: ReadonlySet<string>;
  readonly faults: readonly ExpressionFault[];
};

type Scope = { readonly names: ReadonlyMap<string, Shape>; readonly guarded: ReadonlySet<string> };

const MACROS = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);
const METHODS: Readonly<Record<string, { readonly on: readonly Kind[]; readonly gives: Shape }>> = {
  size: { on: ['string', 'list', 'map'], gives: NUMBER },
  startsWith: { on: ['string'], gives: BOOLEAN },
  endsWith: { on: ['string'], gives: BOOLEAN },
  contains: { on: ['string'], gives: BOOLEAN },
  matches: { on: ['string'], gives: BOOLEAN },
  lowerAscii: { on: ['string'], gives: TEXT },
  upperAscii: { on: ['string'], gives: TEXT },
  trim: { on: ['string'], gives: TEXT },
  indexOf: { on: ['string'], gives: NUMBER },
  lastIndexOf: { on: ['string'], gives: NUMBER },
  substring: { on: ['string'], gives: TEXT },
  split: { on: ['string'], gives: { type: 'array', items: TEXT } },
  join: { on: ['list'], gives: TEXT },
};
const FUNCTIONS: Readonly<Record<string, Shape>> = {
  size: NUMBER,
  string: TEXT,
  int: NUMBER,
  double: NUMBER,
  bool: BOOLEAN,
};

/**
 * Looks through an expression before anything ran: can it be read, are its names known, do its paths exist in the
 * shapes, do compared types fit, is the list of `all` guarded against being empty.
 */
export function checkExpression(source: string, names: ReadonlyMap<string, Shape>): CheckedExpression {
  const unread = explainExpression(source);
  if (unread !== undefined) return { shape: ANY, roots: new Set(), faults: [unread] };
  const compiled = compileExpression(source);
  if (!compiled.ok) return { shape: ANY, roots: new Set(), faults: [{ offset: 0, message: compiled.error.message }] };
  const faults: ExpressionFault[] = [];
  // Of a path, `pos` is its last step.
  const report: Report = (node, message) =>
    faults.push({ offset: toSourceOffset(source, node.op === '.' ? node.pos : node.start), message });
  const shape = infer(compiled.value.ast as Node, { names, guarded: new Set() }, report);
  return { shape, roots: new Set(compiled.value.paths.map((path) => path.root)), faults };
}

function infer(node: Node, scope: Scope, report: Report): Shape {
  switch (node.op) {
    case 'value':
      return literal(node.args);
    case 'id': {
      const name = node.args as string;
      const known = scope.names.get(name);
      if (known === undefined) report(node, `there is no "${name}" here${suggest(name, [...scope.names.keys()])}`);
      return known ?? ANY;
    }
    case '.':
    case '.?':
      return property(node, scope, report);
    case '[]':
    case '[?]':
      return element(node, scope, report);
    case 'list': {
      const items = (node.args as Node[]).map((item) => infer(item, scope, report));
      return { type: 'array', items: items.length === 0 ? ANY : { anyOf: items } };
    }
    case 'map':
      for (const [key, value] of node.args as [Node, Node][])
        [key, value].forEach((part) => infer(part, scope, report));
      return { type: 'object' };
    case 'call':
      return call(node, scope, report);
    case 'rcall':
      return method(node, scope, report);
    case '?:': {
      const [condition, yes, no] = node.args as [Node, Node, Node];
      expectKind(condition, infer(condition, scope, report), ['boolean'], report);
      return { anyOf: [infer(yes, scope, report), infer(no, scope, report)] };
    }
    case '!_':
      expectKind(node.args as Node, infer(node.args as Node, scope, report), ['boolean'], report);
      return BOOLEAN;
    case '-_':
      expectKind(node.args as Node, infer(node.args as Node, scope, report), ['number'], report);
      return NUMBER;
    default:
      return binary(node, scope, report);
  }
}

function binary(node: Node, scope: Scope, report: Report): Shape {
  const [leftNode, rightNode] = node.args as [Node, Node];
  const inner =
    node.op === '&&' || node.op === '||'
      ? { ...scope, guarded: new Set([...scope.guarded, ...guards(node, node.op)]) }
      : scope;
  const left = infer(leftNode, inner, report);
  const right = infer(rightNode, inner, report);
  if (node.op === '&&' || node.op === '||') {
    expectKind(leftNode, left, ['boolean'], report);
    expectKind(rightNode, right, ['boolean'], report);
    return BOOLEAN;
  }
  if (node.op === '==' || node.op === '!=') {
    compare(node, left, right, report);
    return BOOLEAN;
  }
  if (node.op === 'in') {
    membership(node, left, right, report);
    return BOOLEAN;
  }
  if (['<', '<=', '>', '>='].includes(node.op)) {
    expectKind(leftNode, left, ['number', 'string'], report);
    expectKind(rightNode, right, ['number', 'string'], report);
    if (disjoint(left, right)) report(node, `${describe(left)} and ${describe(right)} have no order between them`);
    return BOOLEAN;
  }
  const wanted: readonly Kind[] = node.op === '+' ? ['number', 'string', 'list'] : ['number'];
  expectKind(leftNode, left, wanted, report);
  expectKind(rightNode, right, wanted, report);
  if (disjoint(left, right)) report(node, `${node.op} cannot join ${describe(left)} and ${describe(right)}`);
  return kindsOf(left) === undefined ? right : left;
}

function property(node: Node, scope: Scope, report: Report): Shape {
  const [receiverNode, name] = node.args as [Node, string];
  const receiver = infer(receiverNode, scope, report);
  const kinds = kindsOf(receiver);
  if (kinds !== undefined && !kinds.has('map')) {
    report(node, `"${text(receiverNode)}" is ${describe(receiver)} and has no "${name}"`);
    return ANY;
  }
  const found = propertyOf(receiver, name);
  if ('shape' in found) return found.shape;
  report(node, `"${text(receiverNode)}" has no "${name}"${suggest(name, found.names)}`);
  return ANY;
}

function element(node: Node, scope: Scope, report: Report): Shape {
  const [receiverNode, indexNode] = node.args as [Node, Node];
  const receiver = infer(receiverNode, scope, report);
  const index = infer(indexNode, scope, report);
  expectKind(receiverNode, receiver, ['list', 'map'], report);
  const kinds = kindsOf(receiver);
  if (kinds === undefined) return ANY;
  if (kinds.has('list')) {
    expectKind(indexNode, index, ['number'], report);
    return itemOf(receiver);
  }
  expectKind(indexNode, index, ['string'], report);
  if (indexNode.op !== 'value')
    return typeof receiver.additionalProperties === 'object' ? receiver.additionalProperties : ANY;
  const found = propertyOf(receiver, String(indexNode.args));
  if ('shape' in found) return found.shape;
  report(
    node,
    `"${text(receiverNode)}" has no "${String(indexNode.args)}"${suggest(String(indexNode.args), found.names)}`,
  );
  return ANY;
}

function call(node: Node, scope: Scope, report: Report): Shape {
  const [name, args] = node.args as [string, Node[]];
  const shapes = args.map((argument) => infer(argument, scope, report));
  const gives = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  if (gives === undefined) report(node, `there is no function "${name}"${suggest(name, Object.keys(FUNCTIONS))}`);
  if (name === 'size' && args[0] !== undefined && shapes[0] !== undefined)
    expectKind(args[0], shapes[0], ['string', 'list', 'map'], report);
  return gives ?? ANY;
}

function method(node: Node, scope: Scope, report: Report): Shape {
  const [name, receiverNode, args] = node.args as [string, Node, Node[]];
  const receiver = infer(receiverNode, scope, report);
  if (MACROS.has(name)) return macro(node, receiver, scope, report);
  for (const argument of args) infer(argument, scope, report);
  const known = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined;
  if (known === undefined) {
    report(node, `there is no function "${name}"${suggest(name, [...Object.keys(METHODS), ...MACROS])}`);
    return ANY;
  }
  expectKind(receiverNode, receiver, known.on, report);
  return known.gives;
}

function macro(node: Node, receiver: Shape, scope: Scope, report: Report): Shape {
  const [name, receiverNode, args] = node.args as [string, Node, Node[]];
  expectKind(receiverNode, receiver, ['list', 'map'], report);
  if (name === 'all' && !scope.guarded.has(text(receiverNode))) {
    report(node, `"all" is true of an empty list: say what that means, e.g. ${text(receiverNode)}.size() > 0 && …`);
  }
  const [variableNode, ...body] = args;
  if (variableNode === undefined || variableNode.op !== 'id') return ANY;
  const variable = variableNode.args as string;
  if (scope.names.has(variable)) report(variableNode, `"${variable}" hides another name; choose a new one`);
  const entry = kindsOf(receiver)?.has('map') && !kindsOf(receiver)?.has('list') ? TEXT : itemOf(receiver);
  const inner = { ...scope, names: new Map(scope.names).set(variable, entry) };
  const shapes = body.map((part) => infer(part, inner, report));
  const last = shapes.at(-1) ?? ANY;
  if (name === 'map') return { type: 'array', items: last };
  const lastNode = body.at(-1);
  if (lastNode !== undefined) expectKind(lastNode, last, ['boolean'], report);
  return name === 'filter' ? { type: 'array', items: entry } : BOOLEAN;
}
