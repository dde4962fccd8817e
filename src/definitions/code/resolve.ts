// What expressions come to, as far as the text itself says: constants, with where they stand, and the qualified names
// of what is called. Within a frame, a function's parameters are what one of its calls gives.
import { binary, unary } from './arithmetic.ts';
import { Arrays } from './arrays.ts';
import { areExclusive, isPrefix } from './branching.ts';
import { Callers } from './callers.ts';
import { Collections } from './collections.ts';
import {
  bindingOf,
  callsNamed,
  dotted,
  type Evaluator,
  type Frames,
  type Origin,
  type Value,
} from './evaluation.ts';
import {
  type Binding,
  type Branch,
  type CallOf,
  type Choice,
  type Constant,
  type Dialect,
  type Expression,
  enclosingClass,
  type Scope,
} from './expression.ts';
import type { Node } from './node.ts';
import { NO_PROJECT, type Project } from './project.ts';
import { Stores } from './stores.ts';

const UNKNOWN: Value = { kind: 'unknown' };
const DEPTH = 24;
/** Functions that give what they are given. */
const SAME = new Set([
  'int',
  'float',
  'bool',
  'Number',
  'Math.floor',
  'Math.round',
  'round',
  'str',
  'String',
]);
/** `field(default=64)` of dataclasses, attrs and pydantic; `Option(64)` of typer. */
const FIELDS = new Set(['field', 'Field', 'ib', 'attrib', 'Option', 'Argument']);
/** What copies a record, or hands it on. */
const COPIES =
  /^(?:Object\.(?:freeze|seal)|structuredClone|dict|(?:copy\.)?deepcopy|copy\.copy|MappingProxyType|OmegaConf\.create|EasyDict|edict|AttrDict|Box|ConfigDict|ml_collections\.ConfigDict)$/;

/** What holds numbers by name. */
const HOLDERS = /(?:^|\.)(?:dict|Namespace|SimpleNamespace|HParams)$/;
/** What a function may return that holds numbers by name. */
const RESULTS = /(?:^|\.)(?:dict|Namespace|SimpleNamespace|HParams|parse_args|parse_known_args)$/;
const LOADS = /^(?:OmegaConf\.load|yaml\.(?:safe_|full_)?load|json\.loads?)$/;

export class Resolver implements Evaluator {
  readonly dialect: Dialect;
  readonly root: Node;
  readonly project: Project;
  private readonly callers: Callers;
  private readonly stores: Stores;
  private readonly arrays: Arrays;
  private readonly collections: Collections;
  private frames: Frames = new Map();
  private nesting = 0;
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
  }

  /** The ways in which a place is reached: calls of the functions and turns of the loops that it stands in. */
  contexts(node: Node): Frames[] {
    return this.callers.contexts(node);
  }

  /** Evaluates in one of these ways. */
  within<T>(frames: Frames, read: () => T): T {
    const before = this.frames;
    this.frames = frames;
    try {
      return read();
    } finally {
      this.frames = before;
    }
  }

  get isFramed(): boolean {
    return this.frames.size > 0;
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

  // values

  value(expression: Expression, depth = 0): Value {
    if (expression.kind === 'constant')
      return { kind: 'known', value: expression.value, from: this.originOf(expression.node) };
    return this.bounded(() => this.valueOf(expression, depth), UNKNOWN);
  }

  private valueOf(expression: Expression, depth: number): Value {
    if (depth > DEPTH) return UNKNOWN;
    switch (expression.kind) {
      case 'constant':
        return { kind: 'known', value: expression.value, from: this.originOf(expression.node) };
      case 'setting':
        return { kind: 'outside', fallback: expression.value, from: this.originOf(expression.node) };
      case 'unary':
        return lift([this.value(expression.operand, depth + 1)], ([operand]) =>
          unary(expression.operator, operand!),
        );
      case 'binary':
        return lift(
          [this.value(expression.left, depth + 1), this.value(expression.right, depth + 1)],
          ([left, right]) => binary(expression.operator, left!, right!),
        );
      case 'choice':
        return (
          this.usual(expression, depth) ??
          agreed(this.chosen(expression, depth).map(option => this.value(option, depth + 1)))
        );
      case 'call':
        return this.valueOfCall(expression, depth);
      default:
        return this.valueOfReference(expression, depth);
    }
  }

  /** The option that the default of its condition takes: `d_proj if args.projection else d_embed`. */
  private usual(expression: Extract<Expression, { kind: 'choice' }>, depth: number): Value | null {
    const { options, by } = expression;
    if (by === null || typeof by === 'string') return null;
    const tested = this.value(by.condition, depth + 1);
    if (tested.kind !== 'outside' || tested.fallback === undefined) return null;
    const all = options.map(option => this.value(option, depth + 1));
    if (agreed(all).kind !== 'unknown') return null;
    const taken = all[truth(by, tested.fallback) ? 0 : 1]!;
    if (taken.kind === 'unknown') return null;
    const fallback = taken.kind === 'known' ? taken.value : taken.fallback;
    return { kind: 'outside', fallback, from: taken.from };
  }

  /** The options that can be taken, where the condition is known only one. */
  private chosen(expression: Extract<Expression, { kind: 'choice' }>, depth: number): Expression[] {
    const { options, by } = expression;
    if (by === null) return options;
    const [first, second] = options;
    const tested = this.value(typeof by === 'string' ? first! : by.condition, depth + 1);
    const isTrue = tested.kind === 'known' ? truth(by, tested.value) : null;
    if (isTrue === null) return options;
    return [isTrue === (by !== 'and') ? first! : second!];
  }

  private originOf(node: Node, isCall = false): Origin {
    const { file } = node.source;
    const own = file === this.root.source.file;
    return { file: own ? null : file, line: node.startPosition.row + 1, isCall };
  }

  private valueOfCall(call: CallOf, depth: number): Value {
    const { callee, positional, named } = call;
    const name = dotted(callee);
    if (/^(?:Number\.)?parse(?:Int|Float)$/.test(name) && positional[0])
      return this.value(positional[0], depth + 1);
    if (SAME.has(name)) return positional.length === 1 ? this.value(positional[0]!, depth + 1) : UNKNOWN;
    const last = name.slice(name.lastIndexOf('.') + 1);
    if (FIELDS.has(last)) {
      const given = named.get('default')?.value ?? positional[0];
      return given ? this.value(given, depth + 1) : UNKNOWN;
    }
    if (name === 'len' && positional.length === 1) return this.lengthOf(positional[0]!, depth + 1);
    if (last === 'size' && callee.kind === 'member' && positional.length === 1)
      // `x.size(-1)` of a tensor
      return this.sizeAt(callee.object, positional[0]!, depth + 1);
    if (['max', 'min', 'Math.max', 'Math.min'].includes(name) && positional.length > 1)
      return lift(
        positional.map(each => this.value(each, depth + 1)),
        values =>
          values.every(each => typeof each === 'number')
            ? Math[last as 'max'](...(values as number[]))
            : undefined,
      );
    if (last === 'sum' || last === 'get' || last === 'getattr') return this.valueOfLookUp(call, last, depth);
    return UNKNOWN;
  }

  /** `config.get("hidden", 64)` and `getattr(args, "hidden", 64)`. */
  private valueOfLookUp(call: CallOf, name: string, depth: number): Value {
    const { callee, positional } = call;
    const object = name === 'getattr' ? positional[0] : callee.kind === 'member' ? callee.object : undefined;
    const [key, otherwise] = name === 'getattr' ? positional.slice(1) : positional;
    const told = key && this.value(key, depth + 1);
    if (!object || told?.kind !== 'known') return UNKNOWN;
    const found = this.membersOf(object, String(told.value), depth + 1, call);
    if (found.length > 0) return agreed(found.map(each => this.valueOfBinding(each, depth + 1)));
    const records = this.definitions(object, depth + 1);
    const fallback = otherwise && this.value(otherwise, depth + 1);
    if (fallback?.kind !== 'known') return UNKNOWN;
    // a whole record that lacks the key
    const isWhole = records.every(
      each => each.kind === 'record' && each.isWhole && each.spreads.length === 0,
    );
    if (isWhole && !this.stores.mayAdd(records)) return fallback;
    return { kind: 'outside', fallback: fallback.value, from: fallback.from };
  }

  /** Of a list, a text, a set, or an array along its first axis. */
  private lengthOf(expression: Expression, depth: number): Value {
    const items = this.itemsOf(expression, depth + 1);
    const count = items?.length ?? this.collections.count(expression);
    if (count !== null) return { kind: 'known', value: count, from: null };
    return this.arrays.of(expression)?.[0] ?? UNKNOWN;
  }

  /** `x.shape[2]`, where the text says which shape `x` was given; `words.length`. */
  private sizeOf(expression: Expression, depth: number): Value | null {
    if (
      expression.kind === 'member' &&
      this.dialect.self === 'this' &&
      /^(?:length|size)$/.test(expression.name)
    ) {
      const count = this.lengthOf(expression.object, depth + 1);
      return count.kind === 'unknown' ? null : count;
    }
    if (expression.kind === 'member' && expression.name === 'value')
      return this.inputOf(expression.object, depth);
    if (expression.kind !== 'index' || expression.object.kind !== 'member') return null;
    const { object, name } = expression.object;
    return name === 'shape' ? this.sizeAt(object, expression.index, depth + 1) : null;
  }

  /** `document.getElementById("units").value` */
  private inputOf(element: Expression, depth: number): Value | null {
    const [made, ...more] = this.definitions(element, depth + 1);
    if (made?.kind !== 'call' || more.length > 0 || made.callee.kind !== 'member') return null;
    const { name } = made.callee;
    const [given] = made.positional;
    if (!/^(?:getElementById|querySelector)$/.test(name) || given?.kind !== 'constant') return null;
    const id = String(given.value);
    if (name === 'querySelector' && !id.startsWith('#')) return null;
    const setting = this.project.input(id.replace(/^#/, ''), element.node.source);
    return setting && this.value(setting, depth + 1);
  }

  private sizeAt(array: Expression, axis: Expression, depth: number): Value {
    const place = this.value(axis, depth);
    if (place.kind !== 'known' || typeof place.value !== 'number') return UNKNOWN;
    const shape = this.arrays.of(array);
    return shape?.[place.value < 0 ? shape.length + place.value : place.value] ?? UNKNOWN;
  }

  private valueOfReference(expression: Expression, depth: number): Value {
    const size = this.sizeOf(expression, depth);
    if (size) return size;
    const bindings = this.bindingsOf(expression, depth);
    if (bindings.length === 0) return UNKNOWN;
    return agreed(bindings.map(binding => this.valueOfBinding(binding, depth + 1)));
  }

  valueOfBinding(binding: Binding, depth: number): Value {
    if (depth > DEPTH) return UNKNOWN;
    switch (binding.kind) {
      case 'value':
        return this.value(binding.value, depth);
      case 'parameter':
        return this.valueOfParameter(binding, depth);
      case 'property': {
        const found = this.membersOf(binding.of, binding.name, depth);
        if (found.length > 0) return agreed(found.map(each => this.valueOfBinding(each, depth + 1)));
        return this.outside(binding.fallback, depth);
      }
      case 'turn':
        return agreed(
          this.turnsOf(binding, depth).map(each => (each ? this.value(each, depth + 1) : UNKNOWN)),
        );
      case 'import':
        return agreed(this.imported(binding).map(each => this.valueOfBinding(each, depth + 1)));
      default:
        return UNKNOWN;
    }
  }

  private outside(fallback: Expression | null, depth: number): Value {
    const found = fallback && this.value(fallback, depth);
    if (found?.kind === 'outside') return found;
    return found?.kind === 'known'
      ? { kind: 'outside', fallback: found.value, from: found.from }
      : { kind: 'outside', fallback: undefined, from: null };
  }

  private valueOfParameter(binding: Extract<Binding, { kind: 'parameter' }>, depth: number): Value {
    const given = this.argumentOf(binding, depth);
    if (given === undefined) return this.outside(binding.fallback, depth);
    const { expression, call, isDefault } = given;
    if (!expression) return this.outside(binding.fallback, depth);
    const found = this.value(expression, depth + 1);
    if (found.kind === 'unknown') return this.outside(binding.fallback, depth);
    if (found.kind !== 'known') return found;
    // the outermost call that gave it; a default stands where it is written
    if (isDefault || found.from?.isCall) return found;
    return { ...found, from: this.originOf(call, true) };
  }

  /** What the call of the frame gives for a parameter; undefined where no call is known. */
  argumentOf(
    parameter: Extract<Binding, { kind: 'parameter' }>,
    depth: number,
  ): { expression: Expression | null; call: Node; isDefault: boolean } | undefined {
    const owner = this.dialect.scopeOf(parameter.node);
    const call = this.frames.get(owner.node.id);
    if (call === undefined || typeof call === 'number') return undefined;
    const given = (expression: Expression | null, isDefault = false) => ({
      expression,
      call: call.node,
      isDefault,
    });
    const argument = this.callers.argument(call, owner, parameter, depth);
    if (argument === 'unknown') return given(null);
    if (argument === null) return given(parameter.fallback, true);
    if (parameter.property === null) return given(argument);
    const [property] = this.membersOf(argument, parameter.property, depth + 1);
    if (property?.kind === 'value') return given(property.value);
    const records = this.definitions(argument, depth + 1);
    return records.every(each => each.kind === 'record' && each.isWhole && each.spreads.length === 0)
      ? given(parameter.fallback, true)
      : given(null);
  }

  /** What a loop's variable is: in the frame's turn, else in all that can be told; null for one that cannot. */
  private turnsOf(binding: Extract<Binding, { kind: 'turn' }>, depth: number): (Expression | null)[] {
    const turn = this.frames.get(binding.loop.id);
    const items = this.turnItems(binding.over, binding.path, depth + 1);
    if (!items) return [null];
    return typeof turn === 'number' ? [items[turn] ?? null] : items;
  }

  /** The values of a loop's variable, turn by turn; null where they cannot be told. */
  turnItems(over: Expression, path: number | null, depth = 0): Expression[] | null {
    if (depth > DEPTH) return null;
    const call = over.kind === 'call' ? over : null;
    const name = call && dotted(call.callee);
    if (call && name === 'range' && path === null) {
      const bounds = call.positional.map(each => this.value(each, depth + 1));
      const numbers = bounds.map(each => (each.kind === 'known' ? Number(each.value) : Number.NaN));
      if (numbers.some(Number.isNaN) || numbers.length === 0) return null;
      const [from, to, step] =
        numbers.length === 1 ? [0, numbers[0]!, 1] : [numbers[0]!, numbers[1]!, numbers[2] ?? 1];
      const values: Expression[] = [];
      for (let value = from; step > 0 ? value < to : value > to; value += step) {
        if (values.length === MOST_TURNS || step === 0) return null;
        values.push({ kind: 'constant', value, node: call.node });
      }
      return values;
    }
    if (call && name === 'enumerate' && path !== null) {
      const items = call.positional[0] && this.itemsOf(call.positional[0], depth + 1);
      if (!items || items.length > MOST_TURNS) return null;
      if (path === 1) return items;
      return items.map((item, value) => ({ kind: 'constant', value, node: item.node }));
    }
    if (call && name === 'zip' && path !== null) {
      const lists = call.positional.map(each => this.itemsOf(each, depth + 1));
      const own = lists[path];
      const length = Math.min(...lists.map(each => each?.length ?? Number.NaN));
      return own && length <= MOST_TURNS ? own.slice(0, length) : null;
    }
    const items = this.itemsOf(over, depth + 1);
    if (!items || items.length > MOST_TURNS) return null;
    if (path === null) return items;
    const parts = items.map(item => this.itemsOf(item, depth + 1)?.[path]);
    return parts.every(part => part !== undefined) ? (parts as Expression[]) : null;
  }

  /** Names that were added to a record after it was made; null where they cannot be told. */
  addedKeys(record: Expression): string[] | null {
    return this.stores.added(record);
  }

  /** The items of a list that is written out and not changed, or the sizes of an array. */
  itemsOf(expression: Expression, depth = 0): Expression[] | null {
    return this.sizesOf(expression, depth) ?? this.itemsOfList(expression, depth);
  }

  /** `x.shape`, `x.shape[1:]`: its sizes, each as the element that it is. */
  private sizesOf(expression: Expression, depth: number): Expression[] | null {
    if (depth > DEPTH) return null;
    if (expression.kind === 'member' && expression.name === 'shape') {
      const { node } = expression;
      return (
        this.arrays.of(expression.object)?.map((_, index) => ({
          kind: 'index',
          object: expression,
          index: { kind: 'constant', value: index, node },
          node,
        })) ?? null
      );
    }
    if (
      expression.kind === 'call' &&
      expression.callee.kind === 'member' &&
      expression.callee.name === 'slice'
    ) {
      const all = this.itemsOf(expression.callee.object, depth + 1);
      return all && this.taken(all, expression.positional, depth);
    }
    if (expression.kind !== 'index' || expression.index.node.type !== 'slice') return null;
    const all = this.itemsOf(expression.object, depth + 1);
    const { children } = expression.index.node;
    const bounds: (Node | null)[] = [null];
    for (const child of children) {
      if (child.isNamed) bounds[bounds.length - 1] = child;
      else bounds.push(null);
    }
    if (!all || bounds.length > 2) return null;
    return this.taken(
      all,
      bounds.map(each => each && this.dialect.expression(each)),
      depth,
    );
  }

  private taken(
    all: readonly Expression[],
    bounds: readonly (Expression | null)[],
    depth: number,
  ): Expression[] | null {
    const places = bounds.map(each => each && this.value(each, depth + 1));
    if (places.some(each => each && (each.kind !== 'known' || typeof each.value !== 'number'))) return null;
    const [from, to] = places.map(each => (each?.kind === 'known' ? (each.value as number) : undefined));
    return all.slice(from, to);
  }

  private itemsOfList(expression: Expression, depth: number): Expression[] | null {
    const [list, ...more] = this.definitions(expression, depth + 1);
    if (list?.kind !== 'list' || more.length > 0 || this.stores.changesList(list)) return null;
    return list.items;
  }

  // references

  /** What a name, a member or an element may have been bound to where it stands. */
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

  lookUp(name: string, at: Expression): readonly Binding[] {
    const own = this.dialect.scopeOf(at.node);
    for (let scope: Scope | null = own; scope; scope = scope.parent) {
      // names of a class body are not seen by its methods
      if (scope.kind === 'class' && scope !== own) continue;
      const found = visible(scope.bindings(name), at.node, this.dialect);
      if (found.length > 0) return this.reaching(found, at, scope);
    }
    return [];
  }

  /**
   * The bindings that can be meant at `at`: the last one that surely came before, those that may have come since, and
   * those of a later place that a loop or a call leads back from.
   */
  reaching(all: readonly Binding[], at: Expression, scope: Scope): readonly Binding[] {
    if (all.length < 2) return all;
    const { node, isCalledLater } = this.placeIn(scope, at.node);
    const here = this.dialect.branches(node);
    const isOwn = ({ node: made }: Binding) => this.dialect.scopeOf(made) === scope;
    const others = all.filter(binding => !isOwn(binding));
    const own = all.filter(isOwn).sort((a, b) => a.node.startIndex - b.node.startIndex);
    let possible: Binding[] = [];
    const past: Binding[] = [];
    const future: Binding[] = [];
    for (const binding of own) {
      if (!isBefore(binding, node)) {
        future.push(binding);
        continue;
      }
      const there = this.dialect.branches(binding.node);
      if (areExclusive(there, here)) continue;
      past.push(binding);
      if (isPrefix(there, here)) possible = [];
      possible.push(binding);
    }
    for (const binding of future)
      if (isCalledLater || this.comesRound(binding, past, here)) possible.push(binding);
    if (possible.length > 1 && possible[0]!.kind === 'declared') possible.shift();
    const found = [...possible, ...others];
    return found.length > 0 ? found : all;
  }

  /** Where in a scope the evaluation of a place begins: itself, or the call or definition that leads to it. */
  private placeIn(scope: Scope, at: Node): { node: Node; isCalledLater: boolean } {
    const seen = new Set<Node>();
    let node = at;
    for (;;) {
      const own = this.dialect.scopeOf(node);
      if (own === scope || seen.has(node)) return { node, isCalledLater: false };
      seen.add(node);
      const owner = functionAround(own, scope);
      const call = owner ? this.frames.get(owner.node.id) : undefined;
      if (call !== undefined && typeof call !== 'number') {
        node = call.node;
        if (this.isInside(node, scope)) continue;
      }
      // no call is known: it happens after the definition, at a time that is not told
      let definition = own;
      while (definition.parent && definition.parent !== scope) definition = definition.parent;
      const isClass = definition.kind === 'class' && !owner;
      return { node: definition.node, isCalledLater: !isClass };
    }
  }

  private isInside(node: Node, scope: Scope): boolean {
    for (let here: Scope | null = this.dialect.scopeOf(node); here; here = here.parent)
      if (here === scope) return true;
    return false;
  }

  /** A later binding reaches back through a loop, unless one in that loop comes surely between. */
  private comesRound(later: Binding, past: readonly Binding[], here: readonly Branch[]): boolean {
    const there = this.dialect.branches(later.node);
    const shared = here.filter(({ isLoop, id }) => isLoop && there.some(each => each.id === id)).at(-1);
    if (!shared) return false;
    return !past.some(binding => {
      const branches = this.dialect.branches(binding.node);
      return isPrefix(branches, here) && branches.some(({ id }) => id === shared.id);
    });
  }

  /** `object.name`: of an instance of the class that is being defined, of a record, or of an instance of a class. */
  membersOf(object: Expression, name: string, depth: number, at?: Expression): readonly Binding[] {
    if (depth > DEPTH || this.nesting > MOST_NESTED) return [];
    if (object.kind === 'name' && object.name === this.dialect.self) return this.ownMembers(object, name, at);
    this.nesting++;
    try {
      return this.definitions(object, depth + 1).flatMap(definition => {
        const found = this.membersOfDefinition(definition, name, depth);
        return this.stores.merged(definition, name, found, at ?? object);
      });
    } finally {
      this.nesting--;
    }
  }

  private ownMembers(object: Expression, name: string, at?: Expression): readonly Binding[] {
    const owner = enclosingClass(this.dialect.scopeOf(object.node));
    if (!owner) return [];
    const found = owner.members(name);
    if (found.length === 0)
      return this.basesOf(owner).flatMap(base => (base === owner ? [] : base.members(name)));
    if (!at || found.length < 2) return found;
    const own = this.dialect.scopeOf(at.node);
    const near = found.filter(({ node }) => this.dialect.scopeOf(node) === own);
    if (near.length > 0 && near.some(binding => isBefore(binding, at.node)))
      return this.reaching(near, at, own);
    // a field of the class body is what it is until a method sets it
    const set = found.filter(({ node }) => this.dialect.scopeOf(node) !== owner);
    return set.length > 0 ? lastOfEach(set, this.dialect) : found;
  }

  private basesOf(owner: Scope, depth = 0): Scope[] {
    if (depth > 4) return [];
    return this.dialect
      .bases(owner)
      .flatMap(base => this.classesOf(base))
      .flatMap(base => [base, ...this.basesOf(base, depth + 1)]);
  }

  private membersOfDefinition(definition: Expression, name: string, depth: number): readonly Binding[] {
    switch (definition.kind) {
      case 'record': {
        const value = definition.entries.get(name);
        if (value) return [bindingOf(value, this.dialect)];
        return definition.spreads.flatMap(spread => this.membersOf(spread, name, depth + 1));
      }
      case 'list': {
        const place = Number(name);
        const value = definition.items[place < 0 ? definition.items.length + place : place];
        return value ? [bindingOf(value, this.dialect)] : [];
      }
      case 'call':
        return this.membersOfCall(definition, name, depth);
      case 'name':
        return this.membersOfName(definition, name, depth);
      case 'member':
        return this.membersOfMember(definition, name);
      default:
        return [];
    }
  }

  /** `Config.hidden`, a field of the class itself; `config.hidden`, where the parameter `config: Config` has one. */
  private membersOfName(
    definition: Extract<Expression, { kind: 'name' }>,
    name: string,
    depth: number,
  ): readonly Binding[] {
    return this.lookUp(definition.name, definition).flatMap(binding => {
      if (binding.kind === 'class') return binding.body.members(name);
      if (binding.kind === 'import')
        return [
          ...this.imported(binding).flatMap(each => (each.kind === 'class' ? each.body.members(name) : [])),
          ...this.ofModule(binding.qualified, definition.node, name),
        ];
      if (binding.kind !== 'parameter') return [];
      const classes = binding.annotation ? this.classesOf(binding.annotation) : [];
      const fields = classes.flatMap(body => this.fieldOf(body, name));
      if (fields.length > 0) return fields.map(field => assumed(field, name));
      if (binding.fallback)
        return this.membersOf(binding.fallback, name, depth + 1).map(field => assumed(field, name));
      const setting = this.project.setting([binding.name, name], definition.node.source);
      return setting ? [bindingOf(setting, this.dialect)] : [];
    });
  }

  /** A member of the class, or of those it is made from. */
  private fieldOf(body: Scope, name: string): readonly Binding[] {
    const own = body.members(name);
    return own.length > 0
      ? own
      : this.basesOf(body)
          .flatMap(base => base.members(name))
          .slice(0, 1);
  }

  /** `self.hparams.hidden`, which is a parameter of the constructor; `cfg.model.hidden` of a configuration file. */
  private membersOfMember(
    definition: Extract<Expression, { kind: 'member' }>,
    name: string,
  ): readonly Binding[] {
    const { object, name: own, node } = definition;
    if (object.kind === 'name' && object.name === this.dialect.self && own === 'hparams') {
      const owner = enclosingClass(this.dialect.scopeOf(node));
      const maker = owner && this.constructorOf(owner);
      if (maker && owner.node.text.includes('save_hyperparameters')) return maker.bindings(name);
    }
    const path = pathOf(definition);
    const first = path && this.rootOf(definition);
    if (!path || !first || this.lookUp(first.name, first).some(({ kind }) => kind !== 'parameter')) return [];
    const setting = this.project.setting([...path, name], node.source);
    return setting ? [bindingOf(setting, this.dialect)] : [];
  }

  private rootOf(expression: Expression): Extract<Expression, { kind: 'name' }> | null {
    if (expression.kind === 'name') return expression;
    return expression.kind === 'member' ? this.rootOf(expression.object) : null;
  }

  constructorOf(owner: Scope): Scope | null {
    return this.methodOf(owner, this.dialect.maker);
  }

  private methodOf(owner: Scope, name: string): Scope | null {
    const body = owner.node.childForFieldName('body');
    for (const each of body?.namedChildren ?? []) {
      const node = each.type === 'decorated_definition' ? each.childForFieldName('definition')! : each;
      if (node.childForFieldName('name')?.text === name && node.childForFieldName('body'))
        return this.dialect.scopeOf(node.childForFieldName('body')!);
    }
    return null;
  }

  /** `Config(hidden=3).hidden`, `parser.parse_args().hidden` and `dict(hidden=3)["hidden"]`. */
  private membersOfCall(call: CallOf, name: string, depth: number): readonly Binding[] {
    const { callee } = call;
    const last = callee.kind === 'member' || callee.kind === 'name' ? callee.name : '';
    if (HOLDERS.test(last)) {
      const given = call.named.get(name);
      if (!given) return [];
      const member = bindingOf(given.value, this.dialect);
      // hyperparameters are parsed from the command line as a rule
      return [/^HParams$/.test(last) ? assumed(member, name) : member];
    }
    if (callee.kind === 'member' && /^parse_(known_)?args$/.test(last)) return this.option(call, name);
    const classes = this.classesOf(callee, depth + 1);
    return classes.flatMap(body => this.memberOfInstance(body, call, name, depth));
  }

  private memberOfInstance(body: Scope, call: CallOf, name: string, depth: number): readonly Binding[] {
    const maker = this.constructorOf(body);
    const members = this.fieldOf(body, name);
    if (!maker) {
      // a dataclass: its fields are its parameters
      const given = call.named.get(name)?.value ?? call.positional[body.fields.indexOf(name)];
      if (given && members.length > 0) return [bindingOf(given, this.dialect)];
      if (call.spreads.length > 0 || !call.isWhole) return members.map(field => assumed(field, name));
      return members;
    }
    return members.flatMap(member => {
      if (member.kind !== 'value' || member.value.kind !== 'name') return [member];
      // a member that its constructor's parameter sets comes from that parameter
      const found = this.bindingsOf(member.value, depth + 1);
      return found.flatMap((each): Binding[] => {
        if (each.kind !== 'parameter') return [each];
        const given = this.callers.argument(call, maker, each, depth);
        if (given === 'unknown') return [each];
        if (given) return [bindingOf(given, this.dialect)];
        return each.fallback ? [bindingOf(each.fallback, this.dialect)] : [each];
      });
    });
  }

  classesOf(expression: Expression, depth = 0): Scope[] {
    if (depth > DEPTH) return [];
    if (expression.kind === 'member') {
      const base = this.qualified(expression.object, depth + 8);
      return base.flatMap(module =>
        this.ofModule(module, expression.node, expression.name).flatMap(binding =>
          binding.kind === 'class' ? [binding.body] : [],
        ),
      );
    }
    if (expression.kind !== 'name') return [];
    const bindings = this.lookUp(expression.name, expression);
    if (bindings.length === 0)
      return this.starred(expression).flatMap(each => (each.kind === 'class' ? [each.body] : []));
    return bindings.flatMap(binding => {
      if (binding.kind === 'class') return [binding.body];
      if (binding.kind === 'import')
        return this.imported(binding).flatMap(each => (each.kind === 'class' ? [each.body] : []));
      return binding.kind === 'value' && binding.value !== expression
        ? this.classesOf(binding.value, depth + 4)
        : [];
    });
  }

  /** What `from module import *` binds a name to that nothing else binds. */
  starred(expression: Extract<Expression, { kind: 'name' }>): readonly Binding[] {
    for (let scope: Scope | null = this.dialect.scopeOf(expression.node); scope; scope = scope.parent)
      for (const module of scope.stars) {
        const own = this.ofModule(module, expression.node, expression.name);
        if (own.length > 0) return own;
      }
    return [];
  }

  /** What a name that is imported from a file of the project is bound to at the end of that file. */
  imported(binding: Extract<Binding, { kind: 'import' }>): readonly Binding[] {
    const dot = binding.qualified.lastIndexOf('.');
    if (dot < 0) return [];
    return this.ofModule(binding.qualified.slice(0, dot), binding.node, binding.qualified.slice(dot + 1));
  }

  private ofModule(module: string, from: Node, name: string, depth = 0): readonly Binding[] {
    const target = this.project.module(module, from.source);
    if (!target || depth > 4) return [];
    const scope = this.dialect.scopeOf(target.root);
    const all = scope.bindings(name);
    const found = all.length < 2 ? all : lastOfEach(all, this.dialect);
    if (found.length > 0)
      return found.flatMap(each => {
        if (each.kind !== 'import') return [each];
        const dot = each.qualified.lastIndexOf('.');
        return dot < 0
          ? []
          : this.ofModule(each.qualified.slice(0, dot), each.node, each.qualified.slice(dot + 1), depth + 1);
      });
    return scope.stars.flatMap(star => this.ofModule(star, target.root, name, depth + 1));
  }

  /** The default of an `add_argument("--name", default=…)`: a caller's, so it stays open. */
  private option(call: CallOf, name: string): readonly Binding[] {
    const flag = new RegExp(`^--?${name.replaceAll('_', '[-_]')}$`);
    for (const node of callsNamed(call.node.source.root, 'add_argument', this.dialect)) {
      const added = this.dialect.expression(node);
      if (added.kind !== 'call') continue;
      const names = added.positional.map(each => (each.kind === 'constant' ? String(each.value) : ''));
      const target = added.named.get('dest')?.value;
      const isIt =
        names.some(each => flag.test(each) || each === name) ||
        (target?.kind === 'constant' && target.value === name);
      if (!isIt) continue;
      const fallback = added.named.get('default')?.value ?? switched(added);
      return [assumed(bindingOf(fallback ?? { kind: 'other', node }, this.dialect), name)];
    }
    return [];
  }

  /** The expressions that a reference may stand for; itself where it is none, or leads out of the file. */
  definitions(expression: Expression, depth = 0): Expression[] {
    return this.bounded(() => this.definitionsOf(expression, depth), [expression]);
  }

  private definitionsOf(expression: Expression, depth: number): Expression[] {
    if (depth > DEPTH) return [expression];
    if (expression.kind === 'choice')
      return this.chosen(expression, depth).flatMap(each => this.definitions(each, depth + 1));
    if (expression.kind === 'call') return this.definitionsOfCall(expression, depth);
    if (!['name', 'member', 'index', 'key'].includes(expression.kind)) return [expression];
    const bindings = this.bindingsOf(expression, depth);
    if (bindings.length === 0) {
      const entries = expression.kind === 'index' ? this.anyEntry(expression.object, depth) : [];
      return entries.length > 0 ? entries : [expression];
    }
    return bindings.flatMap(binding => this.definitionsOfBinding(binding, expression, depth));
  }

  private definitionsOfBinding(binding: Binding, expression: Expression, depth: number): Expression[] {
    switch (binding.kind) {
      case 'value':
        return this.definitions(binding.value, depth + 1);
      case 'property':
        return this.membersOf(binding.of, binding.name, depth + 1).flatMap(each =>
          each.kind === 'value' ? this.definitions(each.value, depth + 1) : [],
        );
      case 'turn':
        return this.turnsOf(binding, depth).flatMap(each =>
          each ? this.definitions(each, depth + 1) : [expression],
        );
      case 'parameter': {
        const given = this.argumentOf(binding, depth)?.expression;
        if (given) return this.definitions(given, depth + 1);
        // the name itself, which says of which class it is
        return [{ kind: 'name', name: binding.name, node: binding.node }];
      }
      case 'import': {
        const found = this.imported(binding).filter(each => each.kind === 'value');
        return found.length > 0
          ? found.flatMap(each => this.definitionsOfBinding(each, expression, depth + 1))
          : [expression];
      }
      default:
        return [expression];
    }
  }

  /** `table.get(kind, nn.LSTM)` is one of the table's entries; copies stand for what they copy. */
  private definitionsOfCall(call: CallOf, depth: number): Expression[] {
    const { callee, positional, named, spreads } = call;
    if (callee.kind === 'member' && callee.name === 'get' && positional.length > 0) {
      const key = this.value(positional[0]!, depth + 1);
      const found =
        key.kind === 'known' ? this.membersOf(callee.object, String(key.value), depth + 1, call) : [];
      if (found.length > 0) return found.flatMap(each => this.definitionsOfBinding(each, call, depth + 1));
      const entries = this.anyEntry(callee.object, depth);
      const otherwise = positional[1] ? this.definitions(positional[1], depth + 1) : [];
      return entries.length > 0 ? [...entries, ...otherwise] : [call];
    }
    const name = dotted(callee);
    const returned = name && !call.spreads.length ? this.returnedBy(call, depth) : null;
    if (returned) return returned;
    if (LOADS.test(name)) {
      const loaded = this.loaded(call, depth);
      return loaded ? [loaded] : [call];
    }
    if (!COPIES.test(name)) return [call];
    if (name === 'dict' && positional.length === 0) {
      const entries = new Map([...named].map(([key, { value }]) => [key, value]));
      return [{ kind: 'record', entries, spreads, isWhole: call.isWhole, node: call.node }];
    }
    if (positional.length !== 1 || name === 'dict') {
      // `dict(base, hidden=3)`
      const [base] = positional;
      if (name !== 'dict' || positional.length !== 1 || !base) return [call];
      const entries = new Map([...named].map(([key, { value }]) => [key, value]));
      return [
        { kind: 'record', entries, spreads: [base, ...spreads], isWhole: call.isWhole, node: call.node },
      ];
    }
    const inner = this.definitions(positional[0]!, depth + 1);
    if (/freeze|seal|Mapping/.test(name)) return inner;
    // a copy of its own: what is stored into it does not change the first
    return inner.map(each => (each.kind === 'record' ? { ...each, node: call.node } : each));
  }

  /** What a function of the file or project returns, where it has one `return`; only what holds numbers is of use. */
  private returnedBy(call: CallOf, depth: number): Expression[] | null {
    if (call.callee.kind !== 'name' || depth > 16) return null;
    const all = this.returned(call, result =>
      ['name', 'call', 'record'].includes(result.kind) ? this.definitions(result, depth + 2) : [],
    );
    const [found] = all ?? [];
    if (!found || all!.length > 1 || found.length === 0) return null;
    return found.every(
      each => each.kind === 'record' || (each.kind === 'call' && RESULTS.test(each.callee.node.text)),
    )
      ? found
      : null;
  }

  /** What the function of a call returns, at each `return`, read as that call makes it; null for other calls. */
  returned<T>(call: CallOf, read: (result: Expression) => T): T[] | null {
    const entered = this.entered(call);
    const body = entered?.scope.node.childForFieldName('body');
    if (!entered || !body || /\byield\b/.test(body.text)) return null;
    const { scope } = entered;
    if (!/^(?:block|statement_block)$/.test(body.type))
      return this.within(entered.frames, () => [read(this.dialect.expression(body))]);
    if (!body.text.includes('return')) return null;
    const values = body
      .descendantsOfType(['return_statement'])
      .filter(node => this.dialect.scopeOf(node) === scope)
      .map(node => node.namedChild(0));
    if (values.length === 0 || values.some(each => !each)) return null;
    return this.within(entered.frames, () => values.map(each => read(this.dialect.expression(each!))));
  }

  /** The function or method that a call leads into, and the frames in it. */
  private entered(call: CallOf): { scope: Scope; frames: Frames } | null {
    const { callee } = call;
    if (this.frames.size > MOST_FRAMES) return null;
    if (callee.kind === 'name') {
      const bindings = this.lookUp(callee.name, callee).flatMap(binding =>
        binding.kind === 'import' ? this.imported(binding) : [binding],
      );
      const [made] = bindings;
      const scope =
        made?.kind === 'function'
          ? made.body
          : made?.kind === 'value'
            ? this.functionOf(made.value.node)
            : null;
      if (bindings.length !== 1 || !scope) return null;
      return { scope, frames: new Map([...this.frames, [scope.node.id, call]]) };
    }
    if (callee.kind !== 'member') return null;
    const { object, name } = callee;
    const own = object.kind === 'name' && object.name === this.dialect.self;
    const makers = own ? [] : this.definitions(object).filter(each => each.kind === 'call');
    const owners = own
      ? [enclosingClass(this.dialect.scopeOf(object.node))]
      : makers.flatMap(each => this.classesOf(each.callee));
    const [owner] = owners;
    if (!owner || owners.length > 1) return null;
    const method = [owner, ...this.basesOf(owner)].map(each => this.methodOf(each, name)).find(Boolean);
    if (!method) return null;
    const frames = new Map([...this.frames, [method.node.id, call]]);
    const maker = own ? null : this.constructorOf(owner);
    if (maker && makers[0]) frames.set(maker.node.id, makers[0]);
    return { scope: method, frames };
  }

  /** `const build = (units) => …` */
  private functionOf(node: Node): Scope | null {
    const body = /function|arrow/.test(node.type) ? node.childForFieldName('body') : null;
    return body ? this.dialect.scopeOf(body) : null;
  }

  /** `OmegaConf.load("conf.yaml")`, `yaml.safe_load(open("conf.yaml"))` */
  private loaded({ positional, node }: CallOf, depth: number): Expression | null {
    const [first] = positional;
    let made = first && this.definitions(first, depth + 1)[0];
    // `json.loads(Path("conf.json").read_text())`
    if (made?.kind === 'call' && made.callee.kind === 'member' && /^read(?:_text)?$/.test(made.callee.name))
      made = this.definitions(made.callee.object, depth + 1)[0];
    const path = made?.kind === 'call' ? made.positional[0] : first;
    const told = path && this.value(path, depth + 1);
    // settings are open anyway: the default of a path serves
    const file = told?.kind === 'known' ? told.value : told?.kind === 'outside' ? told.fallback : null;
    return typeof file === 'string' ? this.project.settingsIn(file, node.source) : null;
  }

  /** `{"lstm": nn.LSTM, "gru": nn.GRU}[kind]`: any of them, when the key is not known. */
  private anyEntry(object: Expression, depth: number): Expression[] {
    return this.definitions(object, depth + 1).flatMap(each =>
      each.kind === 'record'
        ? [...each.entries.values()].flatMap(entry => this.definitions(entry, depth + 1))
        : each.kind === 'list'
          ? each.items.flatMap(item => this.definitions(item, depth + 1))
          : [],
    );
  }

  // qualified names

  /**
   * The dotted names that an expression may stand for: imports followed, aliases too. A name that nothing binds stands
   * for itself; a part that is not known is `*`.
   */
  qualified(expression: Expression, depth = 0): string[] {
    return this.bounded(() => this.qualifiedNames(expression, depth), []);
  }

  private qualifiedNames(expression: Expression, depth: number): string[] {
    if (depth > DEPTH) return [];
    switch (expression.kind) {
      case 'name':
        return this.qualifiedName(expression, depth);
      case 'member':
        return this.qualifiedMember(expression, depth);
      case 'choice':
        return distinct(this.chosen(expression, depth).flatMap(each => this.qualified(each, depth + 1)));
      case 'index':
        return this.qualifiedIndex(expression, depth);
      case 'call':
        return this.qualifiedCall(expression, depth);
      default:
        return [];
    }
  }

  private qualifiedName(expression: Extract<Expression, { kind: 'name' }>, depth: number): string[] {
    const found = this.lookUp(expression.name, expression);
    if (found.length === 0) return [expression.name, ...this.fromStars(expression)];
    const names = found.flatMap(binding => this.qualifiedBinding(binding, expression.name, depth));
    return names.length > 0 ? distinct(names) : [`(unknown).${expression.name}`];
  }

  private qualifiedBinding(binding: Binding, name: string, depth: number): string[] {
    switch (binding.kind) {
      case 'import': {
        const found = this.imported(binding);
        const own = found.flatMap(each =>
          each.kind === 'class' || each.kind === 'value' ? this.qualifiedBinding(each, name, depth + 1) : [],
        );
        return own.length > 0 ? own : [binding.qualified];
      }
      case 'value':
        return this.qualified(binding.value, depth + 1);
      case 'property':
        return this.qualified(binding.of, depth + 1).map(base => `${base}.${binding.name}`);
      case 'turn':
        return this.turnsOf(binding, depth).flatMap(each => (each ? this.qualified(each, depth + 1) : []));
      case 'class':
        return this.qualifiedClass(binding.body, depth);
      case 'parameter': {
        const given = this.argumentOf(binding, depth);
        if (given?.expression) return this.qualified(given.expression, depth + 1);
        // `rnn_type=nn.LSTM`: that one, or another beside it
        const usual = binding.fallback ? this.qualified(binding.fallback, depth + 1) : [];
        return [`(parameter).${name}`, ...usual, ...usual.map(each => each.replace(/\w+$/, '*'))];
      }
      default:
        return [];
    }
  }

  /** A class that takes the constructor of another is told as that one. */
  private qualifiedClass(body: Scope, depth: number): string[] {
    if (depth > DEPTH - 2 || this.constructorOf(body)) return [];
    return this.dialect.bases(body).flatMap(base => this.qualified(base, depth + 2));
  }

  private fromStars(expression: Extract<Expression, { kind: 'name' }>): string[] {
    const found: string[] = [];
    for (let scope: Scope | null = this.dialect.scopeOf(expression.node); scope; scope = scope.parent)
      for (const module of scope.stars) {
        const own = this.ofModule(module, expression.node, expression.name);
        if (own.length === 0) found.push(`${module}.${expression.name}`);
        else found.push(...own.flatMap(each => this.qualifiedBinding(each, expression.name, 1)));
      }
    return found;
  }

  private qualifiedMember(expression: Extract<Expression, { kind: 'member' }>, depth: number): string[] {
    const members = this.membersOf(expression.object, expression.name, depth, expression);
    const throughMembers = members.flatMap(binding =>
      this.qualifiedBinding(binding, expression.name, depth + 1),
    );
    if (throughMembers.length > 0) return distinct(throughMembers);
    return this.qualified(expression.object, depth + 1).map(base => `${base}.${expression.name}`);
  }

  private qualifiedIndex(expression: Extract<Expression, { kind: 'index' }>, depth: number): string[] {
    const found = distinct(
      this.definitions(expression, depth + 1).flatMap(each =>
        each === expression || each.kind === 'index' ? [] : this.qualified(each, depth + 1),
      ),
    );
    if (found.length > 0) return found;
    // `tf.layers[kind]`
    const key = this.value(expression.index, depth + 1);
    const last = key.kind === 'known' ? String(key.value) : '*';
    return this.qualified(expression.object, depth + 1).map(base => `${base}.${last}`);
  }

  /** `require("x")`, `import("x")`, `importlib.import_module("x")`, `getattr(nn, "LSTM")`, `partial(nn.LSTM)`. */
  private qualifiedCall(expression: CallOf, depth: number): string[] {
    const { callee, positional } = expression;
    const [first, second] = positional;
    const name = callee.kind === 'name' ? callee.name : callee.kind === 'member' ? callee.name : '';
    if (['require', 'import', 'import_module'].includes(name) && first?.kind === 'constant')
      return [name === 'import_module' ? String(first.value) : `npm:${first.value}`];
    if (name === 'partial' && first) return this.qualified(first, depth + 1);
    if (name === 'super') {
      const owner = enclosingClass(this.dialect.scopeOf(expression.node));
      return owner ? this.dialect.bases(owner).flatMap(base => this.qualified(base, depth + 1)) : [];
    }
    if (name === 'get') {
      const entries = this.definitions(expression, depth + 1).filter(each => each !== expression);
      return distinct(entries.flatMap(each => this.qualified(each, depth + 1)));
    }
    if (name !== 'getattr' || !first || !second) return [];
    const attribute = this.value(second, depth + 1);
    const last = attribute.kind === 'known' ? String(attribute.value) : '*';
    return this.qualified(first, depth + 1).map(base => `${base}.${last}`);
  }
}

const MOST_TURNS = 64;
/** look-ups of names for one answer */
const MOST_LOOK_UPS = 3000;
/** members asked for while others are looked up: bundles of generated code lead round in circles */
const MOST_NESTED = 60;
/** calls inside calls, beyond which what they return is not followed */
const MOST_FRAMES = 12;

function truth(by: Exclude<Choice, null>, value: Constant): boolean {
  return by === '??' ? value !== null : Boolean(value);
}

/** The function nearest to a scope's outside that a place inside it stands in. */
function functionAround(own: Scope, outer: Scope): Scope | null {
  let found: Scope | null = null;
  for (let scope: Scope | null = own; scope && scope !== outer; scope = scope.parent)
    if (scope.kind === 'function') found = scope;
  return found;
}

/** `let` and `const` are seen in their block only; an inner one hides the outer. */
function visible(all: readonly Binding[], at: Node, dialect: Dialect): readonly Binding[] {
  if (all.length < 2) return all;
  const regions = all.map(({ node }) => dialect.region(node));
  if (regions.every(region => region === null)) return all;
  const holds = (region: Node | null) =>
    region === null || (region.startIndex <= at.startIndex && at.endIndex <= region.endIndex);
  const seen = all.filter((_, index) => holds(regions[index]!));
  const inner = Math.max(...seen.map(binding => regions[all.indexOf(binding)]?.startIndex ?? -1));
  if (inner < 0) return seen;
  // what is assigned inside the block belongs to the innermost declaration
  return seen.filter(binding => {
    const region = regions[all.indexOf(binding)];
    return region ? region.startIndex === inner : binding.node.startIndex >= inner;
  });
}

/** The last binding of each scope in straight line, with those that may come beside it. */
function lastOfEach(all: readonly Binding[], dialect: Dialect): Binding[] {
  const byScope = new Map<Scope, Binding[]>();
  for (const binding of all) {
    const scope = dialect.scopeOf(binding.node);
    const kept = dialect.branches(binding.node).length === 0 ? [] : (byScope.get(scope) ?? []);
    byScope.set(scope, [...kept, binding]);
  }
  return [...byScope.values()].flat();
}

/** What a caller may set otherwise. */
function assumed(field: Binding, name: string): Binding {
  const fallback = field.kind === 'value' ? field.value : field.kind === 'parameter' ? field.fallback : null;
  const { node, scope } = field;
  return {
    kind: 'parameter',
    name,
    fallback,
    place: null,
    property: null,
    annotation: null,
    isRest: false,
    node,
    scope,
  };
}

/** `action="store_true"`: false unless it is given. */
function switched(added: CallOf): Expression | null {
  const action = added.named.get('action')?.value;
  const isSwitch = action?.kind === 'constant' && /^store_(?:true|false)$/.test(String(action.value));
  return isSwitch ? { kind: 'constant', value: action.value === 'store_false', node: action.node } : null;
}

function pathOf(expression: Expression): string[] | null {
  const name = dotted(expression);
  return name ? name.split('.') : null;
}

/** `x = wrap(x)` does not bind the x that it wraps. */
function isBefore(binding: Binding, at: Node): boolean {
  if (binding.node.source !== at.source) return true;
  if (binding.kind === 'turn') return binding.node.endIndex <= at.startIndex || isInLoop(binding.loop, at);
  const end =
    binding.kind === 'value'
      ? Math.max(endOf(binding.value), binding.node.endIndex)
      : binding.node.startIndex;
  return end <= at.startIndex;
}

/** An element of what is taken apart stands as its target, and is there when all of it is. */
function endOf(value: Expression): number {
  const end = value.node.endIndex;
  return value.kind === 'index' ? Math.max(end, endOf(value.object)) : end;
}

/** The element of a comprehension stands before its `for`. */
function isInLoop(loop: Node, at: Node): boolean {
  return loop.type !== 'for_statement' && loop.startIndex <= at.startIndex && at.endIndex <= loop.endIndex;
}

/** One value where all agree; what comes from outside stays so. */
function agreed(values: readonly Value[]): Value {
  const [first, ...rest] = values;
  if (!first) return UNKNOWN;
  if (rest.every(value => isSame(value, first))) return first;
  // `size=None` with `if size is None: size = 64` below it
  const open = values.find(({ kind }) => kind === 'outside') as
    | Extract<Value, { kind: 'outside' }>
    | undefined;
  const known = values.filter(({ kind }) => kind === 'known') as Extract<Value, { kind: 'known' }>[];
  const [only] = known;
  if (
    open?.fallback === null &&
    only &&
    known.length === values.length - 1 &&
    known.every(each => isSame(each, only))
  )
    return { kind: 'outside', fallback: only.value, from: only.from };
  return UNKNOWN;
}

function isSame(a: Value, b: Value): boolean {
  if (a.kind === 'known') return b.kind === 'known' && a.value === b.value;
  return a.kind === 'outside' && b.kind === 'outside' && a.fallback === b.fallback;
}

function lift(values: Value[], compute: (values: Constant[]) => Constant | undefined): Value {
  if (values.some(({ kind }) => kind === 'unknown')) return UNKNOWN;
  const constants = values.map(value =>
    value.kind === 'known' ? value.value : value.kind === 'outside' ? value.fallback : undefined,
  );
  const result = constants.some(each => each === undefined) ? undefined : compute(constants as Constant[]);
  const origins = values.flatMap(value => (value.kind === 'unknown' || !value.from ? [] : [value.from]));
  const from = origins.find(({ isCall }) => isCall) ?? origins[0] ?? null;
  if (values.some(({ kind }) => kind === 'outside')) return { kind: 'outside', fallback: result, from };
  return result === undefined ? UNKNOWN : { kind: 'known', value: result, from };
}

function distinct(names: string[]): string[] {
  return [...new Set(names)];
}
