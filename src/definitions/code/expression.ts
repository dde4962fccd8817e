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
  /** entries win over spreads, a later spread over those before it */
  | {
      kind: 'record';
      entries: Map<string, Expression>;
      spreads: Expression[];
      isWhole: boolean;
      /** what the spreads do not bring: `const {units, ...rest} = options` */
      without?: ReadonlySet<string>;
    }
  | { kind: 'choice'; options: Expression[]; by: Choice }
  /** what a configuration file gives, and the command line may give otherwise */
  | {
      kind: 'setting';
      value: Constant;
      /** several files give it differently: the least and the most */
      range?: readonly [number, number];
    }
  /** a member of a record by its name, as a spread takes it */
  | { kind: 'key'; object: Expression; name: string }
  /** read as the call that made its instance gives the parameters of the constructor `maker` */
  | { kind: 'within'; value: Expression; maker: Scope; call: CallOf }
  | { kind: 'other' }
);

export type CallOf = Extract<Expression, { kind: 'call' }>;

/** What takes one of the options: a condition (then the first is for true), `or`, `and`, or nothing that is followed. */
export type Choice = { condition: Expression } | 'or' | 'and' | '??' | null;

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
  | ({ kind: 'parameter' } & Parameter)
  | { kind: 'class'; body: Scope }
  | { kind: 'function'; body: Scope }
  /** the variable of a loop over `over`, or a part of it: `for i, size in enumerate(sizes)` has the path 1 */
  | { kind: 'turn'; over: Expression; loop: Node; path: number | null }
  /** `let size;`, which has no value yet */
  | { kind: 'declared' }
  /** a member that a record does not have */
  | { kind: 'absent' }
  /** whatever is not followed */
  | { kind: 'other' }
);

export type ParameterBinding = Extract<Binding, { kind: 'parameter' }>;
export type TurnBinding = Extract<Binding, { kind: 'turn' }>;

export interface Parameter {
  name: string;
  fallback: Expression | null;
  /** among the parameters that a caller gives by place; null where it can be given by name only */
  place: number | null;
  /** in JavaScript: the property of the parameter that is taken apart */
  property: string | null;
  /** the class that it is said to be of */
  annotation: Expression | null;
  /** `**options`: what is given by name and has no parameter of its own */
  isRest: boolean;
  /** it is none that a call gives: an option of the command line, a field that a configuration may set */
  isAssumed?: true;
}

/** `from module import *` */
export interface Star {
  module: string;
  node: Node;
}

export interface Scope {
  kind: 'module' | 'class' | 'function';
  node: Node;
  parent: Scope | null;
  bindings(name: string): readonly Binding[];
  /** of a class: what is assigned to `self.name`, `this.name` or stands as a field, anywhere in it */
  members(name: string): readonly Binding[];
  /** modules of which every name was imported */
  readonly stars: readonly Star[];
  /** of a function: its parameters in order */
  readonly parameters: readonly Parameter[];
  /** of a class: fields with a type, in order, which a dataclass takes by place */
  readonly fields: readonly string[];
}

/** A family of languages. */
export interface Dialect {
  expression(node: Node): Expression;
  scopeOf(node: Node): Scope;
  /** the name that an instance has in its own methods */
  readonly self: 'self' | 'this';
  /** how a class calls the method that makes its instances */
  readonly maker: '__init__' | 'constructor';
  /** node types of calls */
  readonly calls: readonly string[];
  /** the arms of branches and bodies of loops that stand around a node, outermost first, up to its function */
  branches(node: Node): Branch[];
  /** the block that a declaration is seen in, where that is not its whole scope */
  region(node: Node): Node | null;
  /** the classes that a class is made from */
  bases(scope: Scope): Expression[];
  /** where the language has an error of syntax that the parser reads over */
  readOver(root: Node, text: string): number[];
}

export interface Branch {
  /** of the statement */
  id: number;
  arm: number;
  isLoop: boolean;
}

/** An entry of a record, or null for one whose key is not told; or another record, spread into it. */
export type RecordPart = { key: string | null; value: Expression } | { spread: Expression };

/** What stands before a spread gives way to it: it becomes a record of its own that is spread first. */
export function recordFrom(parts: readonly RecordPart[], node: Node): Expression {
  let entries = new Map<string, Expression>();
  const spreads: Expression[] = [];
  let isWhole = true;
  for (const part of parts) {
    if ('value' in part) {
      if (part.key === null) isWhole = false;
      else entries.set(part.key, part.value);
      continue;
    }
    const [first] = entries.values();
    if (first) spreads.push({ kind: 'record', entries, spreads: [], isWhole: true, node: first.node });
    entries = new Map();
    spreads.push(part.spread);
  }
  return { kind: 'record', entries, spreads, isWhole, node };
}

export function nothing(node: Node): Expression {
  return { kind: 'other', node };
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

/** `*words` in Python, `...words` in JavaScript: as an item of a list it stands for several. */
export function isSpread({ node }: Expression): boolean {
  return /splat|spread/.test(node.type);
}

/** The item at a place, which counts from the end where it is negative; undefined behind items that may be several. */
export function itemAt(items: readonly Expression[], place: number): Expression | undefined {
  const at = place < 0 ? items.length + place : place;
  const passed = place < 0 ? items.slice(Math.max(0, at)) : items.slice(0, at + 1);
  return passed.some(isSpread) ? undefined : items[at];
}
