import { type Node, text } from './expression-kinds.ts';

/** Lists that a conjunction shows to be filled, or whose emptiness a disjunction names. */
export function guards(node: Node, op: '&&' | '||'): readonly string[] {
  if (node.op === op) return (node.args as [Node, Node]).flatMap((part) => guards(part, op));
  if (!Array.isArray(node.args)) return [];
  const [left, right] = node.args as [Node, Node];
  const flipped: Readonly<Record<string, string>> = {
    '<': '>',
    '<=': '>=',
    '>': '<',
    '>=': '<=',
    '==': '==',
    '!=': '!=',
  };
  const [sized, limit, relation] = isSize(left) ? [left, right, node.op] : [right, left, flipped[node.op] ?? ''];
  if (!isSize(sized) || limit?.op !== 'value') return [];
  const number = Number(limit.args);
  const filled =
    (relation === '>' && number >= 0) ||
    (relation === '>=' && number >= 1) ||
    (relation === '!=' && number === 0) ||
    (relation === '==' && number >= 1);
  const empty =
    (relation === '==' && number === 0) || (relation === '<' && number === 1) || (relation === '<=' && number === 0);
  const subject = sizeSubject(sized);
  return subject !== undefined && (op === '&&' ? filled : empty) ? [text(subject)] : [];
}

function isSize(node: Node | undefined): node is Node {
  return node !== undefined && sizeSubject(node) !== undefined;
}

function sizeSubject(node: Node): Node | undefined {
  if (node.op === 'rcall' && (node.args as unknown[])[0] === 'size') return (node.args as [string, Node])[1];
  if (node.op === 'call' && (node.args as unknown[])[0] === 'size') return (node.args as [string, Node[]])[1][0];
  return undefined;
}
