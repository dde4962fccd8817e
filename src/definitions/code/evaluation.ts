// What the parts that follow a text ask of each other: values, bindings, definitions, and the frames they hold in.
import type { Binding, CallOf, Constant, Dialect, Expression, Scope } from './expression.ts';
import type { Node } from './node.ts';
import type { Project } from './project.ts';

/** Where a number stands. */
export interface Origin {
  /** null: in the text itself */
  file: string | null;
  line: number;
  /** it is what a call gives, not only a constant */
  isCall: boolean;
}

/** `outside`: it is a parameter or depends on one; `fallback` is what it is when the caller says nothing. */
export type Value =
  | { kind: 'known'; value: Constant; from: Origin | null }
  | { kind: 'outside'; fallback: Constant | undefined; from: Origin | null }
  | { kind: 'unknown' };

/** By the node of a function: the call that leads into it; by the node of a loop: which turn it is. */
export type Frames = ReadonlyMap<number, CallOf | number>;

export interface Evaluator {
  readonly dialect: Dialect;
  readonly project: Project;
  within<T>(frames: Frames, read: () => T): T;
  contexts(node: Node): Frames[];
  definitions(expression: Expression, depth?: number): Expression[];
  lookUp(name: string, at: Expression): readonly Binding[];
  membersOf(object: Expression, name: string, depth: number, at?: Expression): readonly Binding[];
  reaching(all: readonly Binding[], at: Expression, scope: Scope): readonly Binding[];
  classesOf(expression: Expression): Scope[];
  constructorOf(owner: Scope): Scope | null;
  imported(binding: Extract<Binding, { kind: 'import' }>): readonly Binding[];
  starred(expression: Extract<Expression, { kind: 'name' }>): readonly Binding[];
  turnItems(over: Expression, path: number | null): Expression[] | null;
  argumentOf(
    parameter: Extract<Binding, { kind: 'parameter' }>,
    depth: number,
  ): { expression: Expression | null } | undefined;
}

/** Calls of `x.name(` and `name(`, found in the text. */
export function callsNamed(root: Node, name: string, dialect: Dialect): Node[] {
  return root.source.calledAt(name).flatMap(index => {
    const end = index + name.length;
    for (let here = root.descendantForIndex(index, end); here; here = here.parent)
      if (here.endIndex > end) return dialect.calls.includes(here.type) ? [here] : [];
    return [];
  });
}

/** `a.b.c`; "" for what is no chain of names. */
export function dotted(expression: Expression): string {
  if (expression.kind === 'name') return expression.name;
  if (expression.kind !== 'member') return '';
  const base = dotted(expression.object);
  return base && `${base}.${expression.name}`;
}

export function bindingOf(value: Expression, dialect: Dialect): Binding {
  return { kind: 'value', value, node: value.node, scope: dialect.scopeOf(value.node) };
}
