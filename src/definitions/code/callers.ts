// Who calls the function that a layer is made in, and with what: one frame a call, so that what belongs to one call
// stays together. Turns of a loop over a list that is written out are frames too.

import { callsNamed, dotted, type Evaluator, type Frames } from './evaluation.ts';
import type { Binding, CallOf, Expression, Scope } from './expression.ts';
import { enclosingClass } from './expression.ts';
import type { Node } from './node.ts';
import { Searches } from './searches.ts';

const EMPTY: Frames = new Map();
const MOST = 24;
const DEEPEST = 4;

export class Callers {
  private readonly resolver: Evaluator;
  private readonly searches: Searches;
  private readonly known = new Map<number, CallOf[]>();
  private readonly reached = new Map<number, Frames[]>();
  private readonly under = new Set<number>();

  constructor(resolver: Evaluator) {
    this.resolver = resolver;
    this.searches = new Searches(resolver);
  }

  /** One without frames where no call is found, or more than can be told apart. */
  contexts(node: Node, depth = 0): Frames[] {
    const scope = this.resolver.dialect.scopeOf(node);
    const outer = depth > DEEPEST ? [EMPTY] : this.ofScope(scope, depth);
    return limited(crossed(outer, this.turnsAround(node, outer)));
  }

  /** The ways into a function, a method with those into its constructor. */
  private ofScope(scope: Scope, depth: number): Frames[] {
    if (scope.kind === 'module') return [EMPTY];
    if (scope.kind === 'class') return scope.parent ? this.ofScope(scope.parent, depth) : [EMPTY];
    const key = scope.node.id;
    const known = this.reached.get(key);
    if (known) return known;
    // a function that calls itself is entered from elsewhere
    if (this.under.has(key)) return [];
    this.under.add(key);
    const found = limited(this.into(scope, depth));
    this.under.delete(key);
    this.reached.set(key, found);
    return found;
  }

  private into(scope: Scope, depth: number): Frames[] {
    const { dialect } = this.resolver;
    const turns = this.turnsOfCallback(scope, depth);
    if (turns && turns.length > 0) return turns;
    const owner = scope.parent?.kind === 'class' ? scope.parent : null;
    const name = scope.node.childForFieldName('name')?.text ?? null;
    const isConstructor = owner !== null && name === dialect.maker;
    const calls = isConstructor
      ? this.callsOfClass(owner)
      : owner
        ? this.callsOfMethod(owner, name)
        : this.callsOfFunction(scope);
    const found = calls.flatMap(call =>
      this.contexts(call.node, depth + 1).map(frames => {
        const around = owner && !isConstructor ? this.ofInstance(call, owner, frames) : frames;
        return new Map([...around, [scope.node.id, call]]);
      }),
    );
    if (found.length > 0) return found;
    // a method that nothing in its class calls still has an instance around it
    const maker = owner && !isConstructor ? this.resolver.constructorOf(owner) : null;
    if (maker) return this.ofScope(maker, depth + 1);
    return scope.parent && scope.parent.kind === 'function' ? this.ofScope(scope.parent, depth + 1) : [EMPTY];
  }

  /** `Name(…)`, also of classes made from it without a constructor, and `super().__init__(…)` in those with one. */
  callsOfClass(owner: Scope, depth = 0): CallOf[] {
    return this.remembered(owner, () => {
      const { dialect } = this.resolver;
      const name = owner.node.childForFieldName('name')?.text ?? assignedName(owner.node);
      if (!name || depth > 3) return [];
      const direct = this.callsBy(name, owner.node.source.root, name, call =>
        this.resolver.classesOf(call.callee).includes(owner),
      );
      const below = this.madeFrom(owner, name).flatMap(made => {
        const own = this.resolver.constructorOf(made);
        if (!own) return this.callsOfClass(made, depth + 1);
        const maker = dialect.maker === 'constructor' ? 'super' : '__init__';
        return callsNamed(made.node.source.root, maker, dialect).flatMap(node => {
          if (dialect.scopeOf(node) !== own) return [];
          const call = dialect.expression(node);
          return call.kind === 'call' && isSuper(call, name) ? [call] : [];
        });
      });
      return [...direct, ...below, ...this.resolver.project.instantiations(name, owner.node.source)];
    });
  }

  /** Classes whose base this is. */
  private madeFrom(owner: Scope, name: string): Scope[] {
    const { dialect } = this.resolver;
    const { root } = owner.node.source;
    return root.source.derivedAt(name).flatMap(index => {
      for (let here = root.descendantForIndex(index, index + 1); here; here = here.parent)
        if (/class/.test(here.type) && here.childForFieldName('body')) {
          const scope = dialect.scopeOf(here.childForFieldName('body')!);
          const isIt = dialect.bases(scope).some(base => this.resolver.classesOf(base).includes(owner));
          return isIt && scope !== owner ? [scope] : [];
        }
      return [];
    });
  }

  private callsOfMethod(owner: Scope, name: string | null): CallOf[] {
    if (!name) return [];
    const { dialect } = this.resolver;
    const isOf = (made: Scope | null) =>
      made !== null &&
      [made, ...this.resolver.basesOf(made)].find(each => this.resolver.methodOf(each, name)) === owner;
    const own = owner.node.childForFieldName('name')?.text ?? name;
    const isCalled = (call: CallOf) => {
      const { callee, node } = call;
      if (callee.kind !== 'member') return false;
      const { object } = callee;
      if (object.kind === 'name' && (object.name === dialect.self || object.name === 'cls')) {
        const around = enclosingClass(dialect.scopeOf(node));
        return around === owner || isOf(around);
      }
      if (/^super\b/.test(object.node.text)) {
        const around = enclosingClass(dialect.scopeOf(node));
        const bases = around ? this.resolver.basesOf(around) : [];
        return bases.find(each => this.resolver.methodOf(each, name)) === owner;
      }
      return this.makersOf(call).some(maker => this.resolver.classesOf(maker.callee).some(isOf));
    };
    return this.callsBy(name, owner.node.source.root, own, isCalled, true);
  }

  /** The calls that made the instance whose method is called; none for a method of the class itself. */
  private makersOf({ callee }: CallOf): CallOf[] {
    if (callee.kind !== 'member') return [];
    return this.resolver.definitions(callee.object).filter(each => each.kind === 'call');
  }

  /** In a method of an instance that another place made, its constructor's arguments are known too. */
  private ofInstance(call: CallOf, owner: Scope, frames: Frames): Frames {
    const { callee } = call;
    if (callee.kind !== 'member') return frames;
    const [made, ...more] = this.makersOf(call);
    const maker =
      this.resolver.constructorOf(owner) ??
      this.resolver
        .basesOf(owner)
        .map(base => this.resolver.constructorOf(base))
        .find(Boolean);
    if (!made || more.length > 0 || !maker) return frames;
    return new Map([...frames, [maker.node.id, made]]);
  }

  /** `[64, 32].forEach(units => …)`: the function is entered once for each item. */
  private turnsOfCallback(scope: Scope, depth: number): Frames[] | null {
    const { dialect } = this.resolver;
    const call = scope.node.parent?.parent;
    if (scope.node.parent?.type !== 'arguments' || !call || !dialect.calls.includes(call.type)) return null;
    const expression = dialect.expression(call);
    if (expression.kind !== 'call' || expression.callee.kind !== 'member') return null;
    const { object, name } = expression.callee;
    if (!/^(?:forEach|map|flatMap)$/.test(name) || expression.positional[0]?.node !== scope.node) return null;
    return this.contexts(call, depth + 1).flatMap(frames => {
      const items = this.resolver.within(frames, () => this.resolver.turnItems(object, null));
      return (items ?? []).map((_, turn) => new Map([...frames, [scope.node.id, turn]]));
    });
  }

  private callsOfFunction(scope: Scope): CallOf[] {
    return this.remembered(scope, () => {
      const name = scope.node.childForFieldName('name')?.text ?? assignedName(scope.node);
      if (!name) return [];
      return this.callsBy(name, scope.node.source.root, name, call => this.leadsTo(call.callee, scope), true);
    });
  }

  private leadsTo(callee: Expression, scope: Scope): boolean {
    const { parent } = scope.node;
    if (parent?.type === 'assignment_expression' && callee.kind === 'member')
      return parent.childForFieldName('left')?.text === callee.node.text;
    if (callee.kind === 'member' && scope.parent?.kind === 'module')
      // `models.build(…)` of a file of the project
      return this.resolver.qualified(callee.object).some(module => {
        if (module.endsWith('.*')) return isAnyOf(module, callee.name, scope);
        return this.resolver
          .ofModule(module, callee.node, callee.name)
          .some(each => each.kind === 'function' && each.body === scope);
      });
    if (callee.kind !== 'name') return false;
    const bindings = this.resolver.lookUp(callee.name, callee);
    const all = bindings.length > 0 ? bindings : this.resolver.starred(callee);
    return all.some(binding => {
      const made = binding.kind === 'import' ? this.resolver.imported(binding) : [binding];
      return made.some(
        each =>
          (each.kind === 'function' && each.body === scope) ||
          (each.kind === 'value' && each.value.node === scope.node),
      );
    });
  }

  /** Calls by a name, in the file itself and in those of the project that call what is mentioned. */
  private callsBy(
    name: string,
    root: Node,
    mention: string,
    isIt: (call: CallOf) => boolean,
    isSearched = false,
  ): CallOf[] {
    const { dialect, project } = this.resolver;
    const roots = [root, ...project.mentioning(mention, root.source).map(source => source.root)];
    const direct = roots.flatMap(each =>
      callsNamed(each, name, dialect).flatMap(node => {
        const call = dialect.expression(node);
        return call.kind === 'call' && isIt(call) ? [call] : [];
      }),
    );
    return isSearched ? [...direct, ...this.searches.callsOf(name, root).filter(isIt)] : direct;
  }

  private remembered(scope: Scope, find: () => CallOf[]): CallOf[] {
    const known = this.known.get(scope.node.id);
    if (known) return known;
    this.known.set(scope.node.id, []);
    const found = find();
    this.known.set(scope.node.id, found);
    return found;
  }

  /** The turns of loops around a place, for loops over what is written out. */
  private turnsAround(node: Node, outer: readonly Frames[]): Frames[] {
    const { dialect } = this.resolver;
    let turns: Frames[] = [EMPTY];
    for (const loop of loopsAround(node, dialect.scopeOf(node).node)) {
      const over = iterableOf(loop);
      const frames = outer[0] ?? EMPTY;
      const count = over
        ? this.resolver.within(frames, () => {
            const expression = dialect.expression(over);
            const path = isPaired(expression) ? 0 : null;
            return this.resolver.turnItems(expression, path)?.length ?? null;
          })
        : null;
      if (count === null || count === 0 || turns.length * count > MOST) continue;
      turns = turns.flatMap(frames =>
        Array.from({ length: count }, (_, turn) => new Map([...frames, [loop.id, turn]])),
      );
    }
    return turns;
  }

  /** What a call gives for a parameter: null where nothing, so that its default holds. */
  argument(
    call: CallOf,
    owner: Scope,
    parameter: Extract<Binding, { kind: 'parameter' }>,
    depth: number,
  ): Expression | null | 'unknown' {
    if (parameter.isRest) return this.rest(call, owner);
    const { resolver } = this;
    const isMethod = owner.parent?.kind === 'class';
    const isPython = resolver.dialect.self === 'self';
    // in JavaScript an object of named arguments is one argument
    if (isPython) {
      const byName = call.named.get(parameter.name);
      if (byName) return byName.value;
    }
    const isBound = isPython && isMethod && !isUnbound(call, resolver) && !isStatic(owner);
    const place = parameter.place === null ? null : parameter.place - (isBound ? 1 : 0);
    const byPlace = place === null ? undefined : call.positional[place];
    if (byPlace && (call.isWhole || isPython)) {
      if (!call.isWhole) return 'unknown';
      return byPlace;
    }
    if (!call.isWhole) return 'unknown';
    if (!isPython) return null;
    for (const spread of call.spreads) {
      const found = resolver.membersOf(spread, parameter.name, depth + 1, call);
      const [only] = found;
      if (found.length === 1 && only!.kind === 'value') return only!.value;
      if (found.length > 0) return 'unknown';
      const records = resolver.definitions(spread, depth + 1);
      if (!records.every(each => each.kind === 'record' && each.isWhole)) return 'unknown';
    }
    return null;
  }

  /** `**options`: what is given by name and has no parameter. */
  private rest(call: CallOf, owner: Scope): Expression {
    const own = new Set(owner.parameters.map(({ name }) => name));
    const entries = new Map(
      [...call.named].flatMap(([name, { value }]) => (own.has(name) ? [] : [[name, value] as const])),
    );
    return { kind: 'record', entries, spreads: call.spreads, isWhole: true, node: call.node };
  }
}

/** `import_module("package." + name).build`, which may be that of any module of the package. */
function isAnyOf(module: string, name: string, { node }: Scope): boolean {
  const folder = `/${module.slice(0, -2).replaceAll('.', '/')}/`;
  const own = node.childForFieldName('name')?.text;
  return own === name && (node.source.file ?? '').replaceAll('\\', '/').includes(folder);
}

function isSuper({ callee }: CallOf, name: string): boolean {
  const text = callee.node.text;
  return /^super\b/.test(text) || text === `${name}.__init__`;
}

/** `Base.__init__(self, …)`, where the instance is an argument. */
function isUnbound({ callee }: CallOf, { dialect }: Evaluator): boolean {
  return (
    callee.kind === 'member' &&
    callee.name === dialect.maker &&
    callee.object.kind === 'name' &&
    callee.object.name !== 'super'
  );
}

function isStatic({ node }: Scope): boolean {
  const { parent } = node;
  return (
    parent?.type === 'decorated_definition' &&
    /^@staticmethod\b/m.test(parent.text.slice(0, node.startIndex - parent.startIndex))
  );
}

function isPaired(expression: Expression): boolean {
  return expression.kind === 'call' && ['enumerate', 'zip'].includes(dotted(expression.callee));
}

function loopsAround(node: Node, until: Node): Node[] {
  const found: Node[] = [];
  for (let here: Node | null = node; here && here !== until; here = here.parent)
    if (
      /^(?:for_statement|for_in_statement|list_comprehension|generator_expression|set_comprehension|dictionary_comprehension)$/.test(
        here.type,
      )
    )
      found.unshift(here);
  return found;
}

/** What a loop goes over: of a comprehension, its first `for`. */
function iterableOf(loop: Node): Node | null {
  const clause = loop.namedChildren.find(({ type }) => type === 'for_in_clause');
  return (clause ?? loop).childForFieldName('right');
}

/** `const build = (units) => …`, `Net = class { … }` */
function assignedName(node: Node): string | null {
  const { parent } = node;
  const target = parent?.childForFieldName('name') ?? parent?.childForFieldName('left');
  const value = parent?.childForFieldName('value') ?? parent?.childForFieldName('right');
  if (value !== node) return null;
  if (target?.type === 'identifier') return target.text;
  // `self.build = (units) => …` of a script
  return target?.type === 'member_expression' ? (target.childForFieldName('property')?.text ?? null) : null;
}

function crossed(a: readonly Frames[], b: readonly Frames[]): Frames[] {
  return a.flatMap(one => b.map(other => (other.size === 0 ? one : new Map([...one, ...other]))));
}

function limited(frames: Frames[]): Frames[] {
  if (frames.length === 0 || frames.length > MOST) return [EMPTY];
  return frames;
}
