// Which bindings of a name reach a place: the last that surely came before, those that may have come since, and those
// that a loop or a later call leads back from.
import { areExclusive, isPrefix } from './branching.ts';
import type { Evaluator } from './evaluation.ts';
import type { Binding, Branch, Dialect, Expression, Scope } from './expression.ts';
import type { Node, Source } from './node.ts';

/** packages whose names are none of a program's own sizes */
const PACKAGES =
  /^(?:torch|tensorflow|keras|numpy|pandas|typing|math|os|sys|time|random|tkinter|collections|itertools|functools|sklearn|scipy|matplotlib|pylab|seaborn|fastai|nltk|PIL|cv2|tqdm|utils?)\b/;

export class Reach {
  private readonly evaluator: Evaluator;

  constructor(evaluator: Evaluator) {
    this.evaluator = evaluator;
  }

  lookUp(name: string, at: Expression): readonly Binding[] {
    const own = this.evaluator.dialect.scopeOf(at.node);
    for (let scope: Scope | null = own; scope; scope = scope.parent) {
      // names of a class body are not seen by its methods
      if (scope.kind === 'class' && scope !== own) continue;
      const found = visible(scope.bindings(name), at.node, this.evaluator.dialect);
      if (found.length > 0)
        return this.throughStars(found, name, at, scope) ?? this.reaching(found, at, scope);
    }
    return this.evaluator.starred({ kind: 'name', name, node: at.node });
  }

  /** What `from module import *` below a binding may have bound anew; null where there is no such import. */
  private throughStars(
    found: readonly Binding[],
    name: string,
    at: Expression,
    scope: Scope,
  ): readonly Binding[] | null {
    const { evaluator } = this;
    const last = Math.max(...found.map(({ node }) => node.startIndex));
    if (scope.kind === 'module' && isSetByName(name, scope.node))
      return [...found, { kind: 'other', node: scope.node, scope }];
    for (const { module, node } of scope.stars.toReversed()) {
      const isBetween =
        last < node.startIndex && node.endIndex <= this.placeIn(scope, at.node).node.startIndex;
      if (!isBetween || PACKAGES.test(module)) continue;
      const own = evaluator.ofModule(module, node, name);
      if (own.length > 0) return own;
      if (!evaluator.project.module(module, node.source)) return [...found, { kind: 'other', node, scope }];
    }
    return null;
  }

  /**
   * The bindings that can be meant at `at`: the last one that surely came before, those that may have come since, and
   * those of a later place that a loop or a call leads back from.
   */
  reaching(all: readonly Binding[], at: Expression, scope: Scope): readonly Binding[] {
    if (all.length < 2) return all;
    const { node, isCalledLater } = this.placeIn(scope, at.node);
    const here = this.evaluator.dialect.branches(node);
    const isOwn = ({ node: made }: Binding) => this.evaluator.dialect.scopeOf(made) === scope;
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
      const there = this.evaluator.dialect.branches(binding.node);
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
      const own = this.evaluator.dialect.scopeOf(node);
      if (own === scope || seen.has(node)) return { node, isCalledLater: false };
      seen.add(node);
      const owner = functionAround(own, scope);
      const call = owner ? this.evaluator.frames.get(owner.node.id) : undefined;
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
    for (let here: Scope | null = this.evaluator.dialect.scopeOf(node); here; here = here.parent)
      if (here === scope) return true;
    return false;
  }

  /** A later binding reaches back through a loop, unless one in that loop comes surely between. */
  private comesRound(later: Binding, past: readonly Binding[], here: readonly Branch[]): boolean {
    const there = this.evaluator.dialect.branches(later.node);
    const shared = here.filter(({ isLoop, id }) => isLoop && there.some(each => each.id === id)).at(-1);
    if (!shared) return false;
    return !past.some(binding => {
      const branches = this.evaluator.dialect.branches(binding.node);
      return isPrefix(branches, here) && branches.some(({ id }) => id === shared.id);
    });
  }
}

/** The function nearest to a scope's outside that a place inside it stands in. */
function functionAround(own: Scope, outer: Scope): Scope | null {
  let found: Scope | null = null;
  for (let scope: Scope | null = own; scope && scope !== outer; scope = scope.parent)
    if (scope.kind === 'function') found = scope;
  return found;
}

/** `globals()["units"] = 9`, and by names that are not told. */
function isSetByName(name: string, module: Node): boolean {
  let names = SET_BY_NAME.get(module.source);
  if (!names) {
    const literal = /\bglobals\(\)\s*(?:\[\s*(?:["'](\w+)["'])?[^\]]*\]\s*=(?!=)|\.update\()/g;
    names = new Set([...module.source.text.matchAll(literal)].map(([, set]) => set ?? null));
    SET_BY_NAME.set(module.source, names);
  }
  return names.has(name) || names.has(null);
}

/** null: any name; read once a text, since it is asked with every name */
const SET_BY_NAME = new WeakMap<Source, Set<string | null>>();

/** `let` and `const` are seen in their block only; an inner one hides the outer. */
export function visible(all: readonly Binding[], at: Node, dialect: Dialect): readonly Binding[] {
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
export function lastOfEach(all: readonly Binding[], dialect: Dialect): Binding[] {
  const byScope = new Map<Scope, Binding[]>();
  for (const binding of all) {
    const scope = dialect.scopeOf(binding.node);
    const kept = dialect.branches(binding.node).length === 0 ? [] : (byScope.get(scope) ?? []);
    byScope.set(scope, [...kept, binding]);
  }
  return [...byScope.values()].flat();
}

/** `x = wrap(x)` does not bind the x that it wraps. */
export function isBefore(binding: Binding, at: Node): boolean {
  if (binding.node.source !== at.source) return true;
  // `options.pop("hidden")` gives what was there
  if (binding.kind === 'other' && binding.node === at) return false;
  if (binding.kind === 'turn') return binding.node.endIndex <= at.startIndex || isInLoop(binding.loop, at);
  const end =
    binding.kind === 'value' || binding.kind === 'property'
      ? Math.max(endOf(binding.kind === 'value' ? binding.value : binding.of), endOfAll(binding.node))
      : binding.node.startIndex;
  return end <= at.startIndex;
}

/** `a, b = b, a` binds all its names when the whole right side is read. */
function endOfAll(target: Node): number {
  let here = target;
  while (here.parent && /pattern|_list$/.test(here.parent.type)) here = here.parent;
  const { parent } = here;
  if (here === target || !parent) return target.endIndex;
  return /^(?:assignment|assignment_expression|variable_declarator)$/.test(parent.type)
    ? parent.endIndex
    : target.endIndex;
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
