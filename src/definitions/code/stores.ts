// What is stored into records, lists, instances and classes after they were made: `options["hidden"] = 40`,
// `config.units = 9`, `options.update(hidden=99)`, `Object.assign(config, …)`. What is stored at a place that cannot be
// told leaves the member open.

import type { Evaluator } from './evaluation.ts';
import type { Binding, Expression } from './expression.ts';
import type { Node } from './node.ts';

interface Store {
  /** what is changed */
  object: Expression;
  /** null: any of them */
  key: string | null;
  value: Expression | null;
  node: Node;
}

const ASSIGNED = String.raw`\s*(?:[-+*/%&|^]|\*\*|\/\/|<<|>>|\?\?|&&|\|\|)?=(?![=>])`;
/** methods that change a record or a list */
const METHODS =
  /\.\s*(update|setdefault|pop|popitem|clear|append|extend|insert|remove|reverse|sort|push|unshift|shift|splice|fill|set|merge_from_file|merge_with)\s*\(|\b(setattr|Object\.assign)\s*\(|\bdel(?:ete)?\s/g;
/** anything that is stored somewhere but into `self.name` */
const ANY = new RegExp(String.raw`(?:\]|(?<!\bself)(?<!\bthis)\.\w+)${ASSIGNED}|\|=`, 'g');

export class Stores {
  private readonly resolver: Evaluator;
  private readonly all = new Map<Node, Store[]>();
  private readonly targets = new Map<Store, Set<number>>();
  private readonly byName = new WeakMap<
    readonly Store[],
    { stores: Map<string | null, Store[]>; found: Map<string | null, Map<number, Store[]>> }
  >();
  private isLooking = false;

  constructor(resolver: Evaluator) {
    this.resolver = resolver;
  }

  /** The bindings of a member of `definition` that may hold at `at`: `made` when it was made, and what was stored since. */
  merged(definition: Expression, name: string, made: readonly Binding[], at: Expression): readonly Binding[] {
    const stores = this.into(definition, name);
    if (stores.length === 0) return made;
    const { dialect } = this.resolver;
    const stored = stores.map(({ value, node }): Binding => {
      const scope = dialect.scopeOf(node);
      return value ? { kind: 'value', value, node, scope } : { kind: 'other', node, scope };
    });
    const place = this.placeOf(definition);
    const scope = dialect.scopeOf(place);
    const first =
      made.length > 0
        ? made.map((binding): Binding => ({ ...binding, node: place, scope }))
        : [{ kind: 'absent', node: place, scope } satisfies Binding];
    return this.resolver.reaching([...first, ...stored], at, scope);
  }

  /** Keys that were stored into a record by name; null where other keys may have been. */
  added(definition: Expression): string[] | null {
    const keys = this.into(definition).map(({ key }) => key);
    return keys.includes(null) ? null : (keys as string[]);
  }

  mayAdd(definitions: readonly Expression[]): boolean {
    return definitions.some(each => this.into(each).length > 0);
  }

  mayHold(definitions: readonly Expression[], key: string, but: Node): boolean {
    return definitions.some(each => this.into(each, key).some(({ node }) => node !== but));
  }

  changesList(list: Expression): boolean {
    return this.into(list).length > 0;
  }

  /** All that is stored into what an expression made, or what may be stored under one name. */
  private into(definition: Expression, name: string | null = null): readonly Store[] {
    // to look for stores is to resolve, which must not look for stores again
    if (this.isLooking) return [];
    const key = this.identity(definition);
    if (key === null) return [];
    this.isLooking = true;
    try {
      const all = this.inSource(definition.node.source.root);
      if (name === null) return all.filter(store => this.targetsOf(store).has(key));
      const own = this.byTarget(all, name).get(key);
      const any = this.byTarget(all, null).get(key);
      return own && any ? [...own, ...any] : (own ?? any ?? []);
    } finally {
      this.isLooking = false;
    }
  }

  /** By name first, then by target: what a store goes into is dear to find out. */
  private byTarget(all: readonly Store[], name: string | null): Map<number, Store[]> {
    let known = this.byName.get(all);
    if (!known) this.byName.set(all, (known = { stores: byKey(all), found: new Map() }));
    let found = known.found.get(name);
    if (!found) {
      found = new Map();
      for (const store of known.stores.get(name) ?? [])
        for (const target of this.targetsOf(store)) {
          const list = found.get(target);
          if (list) list.push(store);
          else found.set(target, [store]);
        }
      known.found.set(name, found);
    }
    return found;
  }

  private targetsOf(store: Store): Set<number> {
    let known = this.targets.get(store);
    if (!known) {
      const ids = this.pointsTo(store.object, 0).flatMap(each => this.identities(each));
      known = new Set(ids);
      this.targets.set(store, known);
    }
    return known;
  }

  /** What an expression may stand for, through the parameters of functions too. */
  private pointsTo(expression: Expression, depth: number): Expression[] {
    const { resolver } = this;
    if (depth > 3) return [];
    return resolver.within(new Map(), () =>
      resolver.definitions(expression).flatMap(each => {
        if (each.kind !== 'name') return [each];
        const [binding, ...more] = resolver.lookUp(each.name, each);
        if (binding?.kind !== 'parameter' || more.length > 0) return [each];
        const given = resolver
          .contexts(binding.node)
          .flatMap(frames =>
            resolver.within(frames, () => resolver.argumentOf(binding, 0)?.expression ?? []),
          );
        return given.length > 0 ? given.flatMap(argument => this.pointsTo(argument, depth + 1)) : [each];
      }),
    );
  }

  /** `Object.assign(base, …)` gives its first argument. */
  private identities(definition: Expression): number[] {
    const own = this.identity(definition);
    const [first] = definition.kind === 'record' ? definition.spreads : [];
    const isAssigned = first && /^Object\.assign\b/.test(definition.node.text);
    const of = isAssigned ? this.pointsTo(first, 0).flatMap(each => this.identity(each) ?? []) : [];
    return own === null ? of : [own, ...of];
  }

  private identity(definition: Expression): number | null {
    return this.makerOf(definition)?.id ?? null;
  }

  private placeOf(definition: Expression): Node {
    return this.makerOf(definition) ?? definition.node;
  }

  /** The node that a record, an instance or a class was made by. */
  private makerOf(definition: Expression): Node | null {
    if (definition.kind === 'record' || definition.kind === 'list' || definition.kind === 'call')
      return definition.node;
    if (definition.kind !== 'name') return null;
    const [binding] = this.resolver.lookUp(definition.name, definition);
    return binding?.kind === 'class' || binding?.kind === 'parameter' ? binding.node : null;
  }

  private inSource(root: Node): Store[] {
    const known = this.all.get(root);
    if (known) return known;
    const { text } = root.source;
    const found = new Map<Node, Store[]>();
    for (const { index, 0: match } of text.matchAll(ANY)) {
      const node = assignmentAt(root, index + match.length - 1);
      if (node && !found.has(node)) found.set(node, this.ofAssignment(node));
    }
    for (const { index, 0: match } of text.matchAll(METHODS)) {
      const node = callAt(root, index + match.trimEnd().length - 1, this.resolver.dialect.calls);
      if (node && !found.has(node)) found.set(node, this.ofNode(node));
    }
    const stores = [...found.values()].flat();
    this.all.set(root, stores);
    return stores;
  }

  private ofAssignment(node: Node): Store[] {
    const { dialect } = this.resolver;
    const left = node.childForFieldName('left') ?? node.childForFieldName('argument');
    const right = node.childForFieldName('right');
    if (!left) return [];
    if (/^(?:pattern_list|tuple_pattern|list_pattern|array_pattern)$/.test(left.type)) {
      const values = right && /^(?:expression_list|tuple)$/.test(right.type) ? right.namedChildren : [];
      return left.namedChildren.flatMap((target, index) =>
        this.ofTarget(target, values[index] ?? null, node),
      );
    }
    const isPlain = node.type === 'assignment' || node.type === 'assignment_expression';
    if (isPlain) return this.ofTarget(left, right, node);
    const operator = node.childForFieldName('operator')?.text;
    // `options |= {…}` changes the record itself
    const joined =
      operator === '|=' && right
        ? this.ofRecord(dialect.expression(left), dialect.expression(right), node)
        : [];
    return [
      ...joined,
      ...this.ofTarget(left, node, node).map(store => ({ ...store, value: dialect.expression(node) })),
    ];
  }

  private ofTarget(target: Node, value: Node | null, node: Node): Store[] {
    const { dialect } = this.resolver;
    const stored = dialect.expression(target);
    const given = value && value.type !== 'assignment' ? dialect.expression(value) : null;
    if (stored.kind === 'member') return [{ object: stored.object, key: stored.name, value: given, node }];
    if (stored.kind !== 'index') return [];
    const key = stored.index.kind === 'constant' ? String(stored.index.value) : null;
    return [{ object: stored.object, key, value: key === null ? null : given, node }];
  }

  private ofNode(node: Node): Store[] {
    const { dialect } = this.resolver;
    if (/^del|unary/.test(node.type)) {
      const target = node.namedChild(0);
      return target ? this.ofTarget(target, null, node).map(store => ({ ...store, value: null })) : [];
    }
    const call = dialect.expression(node);
    if (call.kind !== 'call') return [];
    const { callee, positional, named } = call;
    const text = callee.node.text;
    const [first, second, third] = positional;
    if (text === 'setattr' && first)
      return [
        {
          object: first,
          key: second?.kind === 'constant' ? String(second.value) : null,
          value: third ?? null,
          node,
        },
      ];
    if (text === 'Object.assign' && first)
      return positional.slice(1).flatMap(each => this.ofRecord(first, each, node));
    if (callee.kind !== 'member') return [];
    const { object, name } = callee;
    if (name === 'update')
      return [
        ...positional.flatMap(each => this.ofRecord(object, each, node)),
        ...[...named].map(([key, { value }]): Store => ({ object, key, value, node })),
        ...call.spreads.flatMap(each => (dialect.self === 'self' ? this.ofRecord(object, each, node) : [])),
      ];
    const key = /^(?:setdefault|pop)$/.test(name) && first?.kind === 'constant' ? String(first.value) : null;
    // what was there, else the default
    const isDefault = name === 'setdefault' && key !== null && positional.length === 2;
    const value = isDefault ? { ...call, callee: { ...callee, name: 'get' } } : null;
    return [{ object, key, value, node }];
  }

  private ofRecord(object: Expression, given: Expression, node: Node): Store[] {
    const [record, ...more] = this.resolver.definitions(given);
    if (record?.kind !== 'record' || more.length > 0 || !record.isWhole || record.spreads.length > 0)
      return [{ object, key: null, value: null, node }];
    return [...record.entries].map(([key, value]) => ({ object, key, value, node }));
  }
}

function byKey(all: readonly Store[]): Map<string | null, Store[]> {
  const found = new Map<string | null, Store[]>();
  for (const store of all) {
    const list = found.get(store.key);
    if (list) list.push(store);
    else found.set(store.key, [store]);
  }
  return found;
}

/** The assignment whose sign stands at an offset. */
function assignmentAt(root: Node, offset: number): Node | null {
  const sign = root.descendantForIndex(offset, offset + 1);
  const { parent } = sign ?? {};
  return parent && /assignment/.test(parent.type) && !/pattern/.test(parent.type) ? parent : null;
}

function callAt(root: Node, offset: number, calls: readonly string[]): Node | null {
  for (let here = root.descendantForIndex(offset, offset + 1); here; here = here.parent) {
    if (calls.includes(here.type) || /^(?:delete_statement|unary_expression)$/.test(here.type)) return here;
    if (/_statement$|^(?:block|statement_block|module|program)$/.test(here.type)) return null;
  }
  return null;
}
