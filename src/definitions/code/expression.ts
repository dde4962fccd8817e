// What the two families of languages have in common: expressions, what a name is bound to, and how code branches.
// Everything is made on demand from syntax nodes, so that a long file costs little.
import type { TextRange } from '../../experiment/place.ts';
import type { Node } from './syntax.ts';

export type Constant = number | string | boolean | null;

export type Expression = { node: Node } & (
  | { kind: 'constant'; value: Constant }
  | { kind: 'name'; name: string }
  | { kind: 'member'; object: Expression; name: string; nameNode: Node }
  | { kind: 'index'; object: Expression; index: Expression }
  | ({ kind: 'call' } & Call)
  | { kind: 'binary'; operator: string; left: Expression; right: Expression }
  | { kind: 'unary'; operator: string; operand: Expression }
  | { kind: 'list'; items: Expression[] }
  | { kind: 'record'; entries: Map<string, Expression>; spreads: Expression[]; isWhole: boolean }
  | { kind: 'choice'; options: Expression[] }
  | { kind: 'other' }
);

export interface Call {
  callee: Expression;
  positional: Expression[];
  /** keyword arguments; in JavaScript the properties of an object that is the last argument */
  named: Map<string, Argument>;
  /** `**options`, `...options`, and in JavaScript an options object that has a name */
  spreads: Expression[];
  /** false where there may be more than is seen, whatever the spreads hold */
  isWhole: boolean;
}

export interface Argument {
  value: Expression;
  /** the whole of `name=value` or `name: value` */
  node: Node;
}

/** What a name stands for at one place. */
export type Binding = { node: Node; scope: Scope } & (
  | { kind: 'value'; value: Expression }
  /** a property of something: `const {a = 1} = b`, with the default */
  | { kind: 'property'; of: Expression; name: string; fallback: Expression | null }
  | { kind: 'import'; qualified: string }
  | { kind: 'parameter'; fallback: Expression | null }
  | { kind: 'class'; body: Scope }
  /** a function, a loop's variable, and whatever else is not followed */
  | { kind: 'other' }
);

export interface Scope {
  kind: 'module' | 'class' | 'function';
  node: Node;
  parent: Scope | null;
  bindings(name: string): readonly Binding[];
  /** of a class: what is assigned to `self.name`, `this.name` or stands as a field, anywhere in it */
  members(name: string): readonly Binding[];
  /** modules of which every name was imported */
  readonly stars: readonly string[];
}

/** A family of languages. */
export interface Dialect {
  expression(node: Node): Expression;
  scopeOf(node: Node): Scope;
  /** the name that an instance has in its own methods */
  readonly self: 'self' | 'this';
  /** node types of calls */
  readonly calls: readonly string[];
  /** the arms of branches and bodies of loops that stand around a node, outermost first, up to its function */
  branches(node: Node): Branch[];
  /** where the language has an error of syntax that the parser reads over */
  readOver(root: Node, text: string): number[];
}

export interface Branch {
  /** of the statement */
  id: number;
  arm: number;
  isLoop: boolean;
}

export function rangeOf(node: Node): TextRange {
  const { startPosition, endPosition, startIndex, endIndex } = node;
  return {
    offset: startIndex,
    length: endIndex - startIndex,
    line: startPosition.row + 1,
    column: startPosition.column + 1,
    endLine: endPosition.row + 1,
    endColumn: endPosition.column + 1,
  };
}

export function enclosingClass(scope: Scope): Scope | null {
  for (let here: Scope | null = scope; here; here = here.parent) if (here.kind === 'class') return here;
  return null;
}
