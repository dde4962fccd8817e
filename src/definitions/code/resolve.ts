// Answers what a text says of its expressions. Each question has a file of its own; they ask each other through this one,
// which bounds how much one answer may look up, and holds the frames that it is read in.
import { Arrays } from './arrays.ts';
import { Callers } from './callers.ts';
import { Calls } from './calls.ts';
import { Classes } from './classes.ts';
import { Collections } from './collections.ts';
import { Definitions } from './definitions.ts';
import type { ArrayShape, Evaluator, Frames, Given, Value } from './evaluation.ts';
import type {
  Binding,
  CallOf,
  Dialect,
  Expression,
  ParameterBinding,
  Scope,
  TurnBinding,
} from './expression.ts';
import { Items } from './items.ts';
import { Members } from './members.ts';
import { Modules } from './modules.ts';
import type { Node } from './node.ts';
import { NO_PROJECT, type Project } from './project.ts';
import { QualifiedNames } from './qualified.ts';
import { Reach } from './reach.ts';
import { Stores } from './stores.ts';
import { Values } from './values.ts';

const DEPTH = 24;
/** look-ups of names for one answer */
const MOST_LOOK_UPS = 3000;

export class Resolver implements Evaluator {
  readonly dialect: Dialect;
  readonly root: Node;
  readonly project: Project;
  readonly stores: Stores;
  frames: Frames = new Map();
  private readonly arrays: Arrays;
  private readonly collections: Collections;
  private readonly callers: Callers;
  private readonly reach: Reach;
  private readonly values: Values;
  private readonly items: Items;
  private readonly members: Members;
  private readonly classes: Classes;
  private readonly modules: Modules;
  private readonly calls: Calls;
  private readonly made: Definitions;
  private readonly names: QualifiedNames;
  private asking = 0;
  private lookUps = 0;

  constructor(dialect: Dialect, root: Node, project: Project = NO_PROJECT) {
    this.dialect = dialect;
    this.root = root;
    this.project = project;
    project.enter(root.source);
    this.callers = new Callers(this);
    this.stores = new Stores(this);
    this.arrays = new Arrays(this);
    this.collections = new Collections(this);
    this.reach = new Reach(this);
    this.values = new Values(this);
    this.items = new Items(this);
    this.members = new Members(this);
    this.classes = new Classes(this);
    this.modules = new Modules(this);
    this.calls = new Calls(this);
    this.made = new Definitions(this);
    this.names = new QualifiedNames(this);
  }

  contexts(node: Node): Frames[] {
    return this.callers.contexts(node);
  }

  within<T>(frames: Frames, read: () => T): T {
    const before = this.frames;
    this.frames = frames;
    try {
      return read();
    } finally {
      this.frames = before;
    }
  }

  /** Answers a question within a bounded number of look-ups; half an answer might be wrong, and is none. */
  private bounded<T>(ask: () => T, open: T): T {
    if (this.asking > 0) return ask();
    this.asking++;
    this.lookUps = 0;
    try {
      const answer = ask();
      return this.lookUps > MOST_LOOK_UPS ? open : answer;
    } finally {
      this.asking--;
    }
  }

  value(expression: Expression, depth = 0): Value {
    return this.bounded(() => this.values.value(expression, depth), { kind: 'unknown' });
  }

  definitions(expression: Expression, depth = 0): Expression[] {
    return this.bounded(() => this.made.of(expression, depth), [expression]);
  }

  qualified(expression: Expression, depth = 0): string[] {
    return this.bounded(() => this.names.of(expression, depth), []);
  }

  bindingsOf(expression: Expression, depth: number): readonly Binding[] {
    if (depth > DEPTH || ++this.lookUps > MOST_LOOK_UPS) return [];
    if (expression.kind === 'name') return this.lookUp(expression.name, expression);
    if (expression.kind === 'member')
      return this.membersOf(expression.object, expression.name, depth, expression);
    if (expression.kind === 'key')
      return this.membersOf(expression.object, expression.name, depth, expression.object);
    if (expression.kind === 'index') {
      const key = this.value(expression.index, depth + 1);
      if (key.kind === 'known')
        return this.membersOf(expression.object, String(key.value), depth, expression);
    }
    return [];
  }

  valueOfBinding(binding: Binding, depth: number): Value {
    return this.values.ofBinding(binding, depth);
  }

  chosen(choice: Extract<Expression, { kind: 'choice' }>, depth: number): Expression[] {
    return this.values.chosen(choice, depth);
  }

  lookUp(name: string, at: Expression): readonly Binding[] {
    return this.reach.lookUp(name, at);
  }

  reaching(all: readonly Binding[], at: Expression, scope: Scope): readonly Binding[] {
    return this.reach.reaching(all, at, scope);
  }

  itemsOf(expression: Expression, depth = 0): Expression[] | null {
    return this.items.itemsOf(expression, depth);
  }

  turnItems(over: Expression, path: number | null, depth = 0): Expression[] | null {
    return this.items.turnItems(over, path, depth);
  }

  turnsOf(binding: TurnBinding, depth: number): (Expression | null)[] {
    return this.items.turnsOf(binding, depth);
  }

  membersOf(object: Expression, name: string, depth: number, at?: Expression): readonly Binding[] {
    return this.members.membersOf(object, name, depth, at);
  }

  classesOf(expression: Expression, depth = 0): Scope[] {
    return this.classes.classesOf(expression, depth);
  }

  basesOf(owner: Scope): Scope[] {
    return this.classes.basesOf(owner);
  }

  fieldOf(body: Scope, name: string): readonly Binding[] {
    return this.classes.fieldOf(body, name);
  }

  methodOf(owner: Scope, name: string): Scope | null {
    return this.classes.methodOf(owner, name);
  }

  constructorOf(owner: Scope): Scope | null {
    return this.classes.constructorOf(owner);
  }

  imported(binding: Extract<Binding, { kind: 'import' }>): readonly Binding[] {
    return this.modules.imported(binding);
  }

  starred(expression: Extract<Expression, { kind: 'name' }>): readonly Binding[] {
    return this.modules.starred(expression);
  }

  ofModule(module: string, from: Node, name: string): readonly Binding[] {
    return this.modules.ofModule(module, from, name);
  }

  argumentOf(parameter: ParameterBinding, depth: number): Given | undefined {
    return this.calls.argumentOf(parameter, depth);
  }

  argument(call: CallOf, owner: Scope, parameter: ParameterBinding, depth: number) {
    return this.callers.argument(call, owner, parameter, depth);
  }

  shapeOf(array: Expression): ArrayShape {
    return this.arrays.of(array);
  }

  countOf(collection: Expression): { count: number; from: Node | null } | null {
    return this.collections.count(collection);
  }

  returned<T>(call: CallOf, read: (result: Expression) => T): T[] | null {
    return this.calls.returned(call, read);
  }
}
