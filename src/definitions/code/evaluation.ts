// What the parts that follow a text ask of each other: values, bindings, definitions, and the frames they hold in.
import type {
  Binding,
  CallOf,
  Constant,
  Dialect,
  Expression,
  ParameterBinding,
  Scope,
  TurnBinding,
} from './expression.ts';
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
  | {
      kind: 'outside';
      fallback: Constant | undefined;
      from: Origin | null;
      /** between these a search takes it */
      range?: readonly [number, number];
    }
  | { kind: 'unknown' };

/** What it is where nobody says otherwise: known, or by default. */
export function usualOf(value: Value | null | undefined): Constant | undefined {
  if (value?.kind === 'known') return value.value;
  return value?.kind === 'outside' ? value.fallback : undefined;
}

/** By the node of a function: the call that leads into it; by the node of a loop: which turn it is. */
export type Frames = ReadonlyMap<number, CallOf | number>;

/** null: not even how many axes there are */
export type ArrayShape = readonly Value[] | null;

/** What a call gives for a parameter. */
export interface Given {
  /** null: it cannot be told */
  expression: Expression | null;
  call: Node;
  /** the parameter's own default */
  isDefault: boolean;
}

/** What is stored into records, lists, instances and classes after they were made. */
export interface Stored {
  /** The bindings of a member of `definition` that may hold at `at`: `made` when it was made, and what was stored since. */
  merged(definition: Expression, name: string, made: readonly Binding[], at: Expression): readonly Binding[];
  /** Keys that were stored into a record by name; null where other keys may have been. */
  added(definition: Expression): string[] | null;
  mayAdd(definitions: readonly Expression[]): boolean;
  /** Something but the call at `but` may store under this key. */
  mayHold(definitions: readonly Expression[], key: string, but: Node): boolean;
  changesList(list: Expression): boolean;
}

export interface Evaluator {
  readonly dialect: Dialect;
  readonly root: Node;
  readonly project: Project;
  readonly stores: Stored;
  /** the calls and turns of loops that are read in now */
  readonly frames: Frames;
  /** Evaluates in one of the ways that `contexts` gives. */
  within<T>(frames: Frames, read: () => T): T;
  /** The ways in which a place is reached: calls of the functions and turns of the loops that it stands in. */
  contexts(node: Node): Frames[];
  value(expression: Expression, depth?: number): Value;
  valueOfBinding(binding: Binding, depth: number): Value;
  /** The options that can be taken, where the condition is known only one. */
  chosen(choice: Extract<Expression, { kind: 'choice' }>, depth: number): Expression[];
  /** The expressions that a reference may stand for; itself where it is none, or leads out of the file. */
  definitions(expression: Expression, depth?: number): Expression[];
  /** The dotted names that an expression may stand for; a part that is not known is `*`. */
  qualified(expression: Expression, depth?: number): string[];
  /** What a name, a member or an element may have been bound to where it stands. */
  bindingsOf(expression: Expression, depth: number): readonly Binding[];
  lookUp(name: string, at: Expression): readonly Binding[];
  reaching(all: readonly Binding[], at: Expression, scope: Scope): readonly Binding[];
  membersOf(object: Expression, name: string, depth: number, at?: Expression): readonly Binding[];
  classesOf(expression: Expression, depth?: number): Scope[];
  basesOf(owner: Scope): Scope[];
  fieldOf(body: Scope, name: string): readonly Binding[];
  methodOf(owner: Scope, name: string): Scope | null;
  constructorOf(owner: Scope): Scope | null;
  imported(binding: Extract<Binding, { kind: 'import' }>): readonly Binding[];
  starred(expression: Extract<Expression, { kind: 'name' }>): readonly Binding[];
  ofModule(module: string, from: Node, name: string): readonly Binding[];
  itemsOf(expression: Expression, depth?: number): Expression[] | null;
  turnItems(over: Expression, path: number | null, depth?: number): Expression[] | null;
  turnsOf(binding: TurnBinding, depth: number): (Expression | null)[];
  /** What the call of the frame gives for a parameter; undefined where no call is known. */
  argumentOf(parameter: ParameterBinding, depth: number): Given | undefined;
  /** What a call gives for a parameter: null where nothing, so that its default holds. */
  argument(
    call: CallOf,
    owner: Scope,
    parameter: ParameterBinding,
    depth: number,
  ): Expression | null | 'unknown';
  /** The shape of an array, as far as the text gives it. */
  shapeOf(array: Expression): ArrayShape;
  /** How many elements, characters or keys a collection has, and the file they are of; null where it cannot be told. */
  countOf(collection: Expression): { count: number; from: Node | null } | null;
  /** What the function of a call returns, at each `return`, read as that call makes it; null for other calls. */
  returned<T>(call: CallOf, read: (result: Expression) => T): T[] | null;
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

/** The frames that the value of an instance's member is read in. */
export function framesWith(frames: Frames, { maker, call }: Extract<Expression, { kind: 'within' }>): Frames {
  return new Map([...frames, [maker.node.id, call]]);
}

export function bindingOf(value: Expression, dialect: Dialect): Binding {
  return { kind: 'value', value, node: value.node, scope: dialect.scopeOf(value.node) };
}
