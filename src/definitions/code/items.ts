// The items of lists that are written out, the sizes of arrays as lists, and what the variable of a loop is in each turn.
import { dotted, type Evaluator, usualOf } from './evaluation.ts';
import { type Binding, type Expression, isSpread } from './expression.ts';
import type { Node } from './node.ts';

const DEPTH = 24;
const MOST_TURNS = 64;

export class Items {
  private readonly evaluator: Evaluator;

  constructor(evaluator: Evaluator) {
    this.evaluator = evaluator;
  }

  /** What a loop's variable is: in the frame's turn, else in all that can be told; null for one that cannot. */
  turnsOf(binding: Extract<Binding, { kind: 'turn' }>, depth: number): (Expression | null)[] {
    const turn = this.evaluator.frames.get(binding.loop.id);
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
      const bounds = call.positional.map(each => this.evaluator.value(each, depth + 1));
      const isOpen = bounds.some(({ kind }) => kind === 'outside');
      const numbers = bounds.map(each =>
        each.kind === 'known'
          ? Number(each.value)
          : each.kind === 'outside'
            ? Number(each.fallback ?? Number.NaN)
            : Number.NaN,
      );
      if (numbers.some(Number.isNaN) || numbers.length === 0) return null;
      const [from, to, step] =
        numbers.length === 1 ? [0, numbers[0]!, 1] : [numbers[0]!, numbers[1]!, numbers[2] ?? 1];
      const values: Expression[] = [];
      for (let value = from; step > 0 ? value < to : value > to; value += step) {
        if (values.length === MOST_TURNS || step === 0) return null;
        values.push({ kind: isOpen ? 'setting' : 'constant', value, node: call.node });
      }
      return values;
    }
    if (call && name === 'enumerate' && path !== null) {
      const items = call.positional[0] && this.itemsOrUsual(call.positional[0], depth + 1);
      if (!items || items.length > MOST_TURNS) return null;
      if (path === 1) return items;
      const isOpen = items.some(({ kind }) => kind === 'setting');
      return items.map((item, value) => ({ kind: isOpen ? 'setting' : 'constant', value, node: item.node }));
    }
    if (call && name === 'zip' && path !== null) {
      const lists = call.positional.map(each => this.itemsOrUsual(each, depth + 1));
      const own = lists[path];
      const length = Math.min(...lists.map(each => each?.length ?? Number.NaN));
      return own && length <= MOST_TURNS ? own.slice(0, length) : null;
    }
    const items = this.itemsOrUsual(over, depth + 1);
    if (!items || items.length > MOST_TURNS) return null;
    if (path === null) return items;
    const parts = items.map(item => this.itemsOf(item, depth + 1)?.[path]);
    return parts.every(part => part !== undefined) ? (parts as Expression[]) : null;
  }

  /** The items of a list, else those of the list that holds by default, each as a setting. */
  private itemsOrUsual(expression: Expression, depth: number): Expression[] | null {
    const items = this.itemsOf(expression, depth);
    if (items || depth > DEPTH) return items;
    const { evaluator } = this;
    const lists = evaluator.definitions(expression, depth + 1).flatMap((each): Expression[] => {
      if (each.kind !== 'name') return [each];
      const [binding, ...more] = evaluator.lookUp(each.name, each);
      if (binding?.kind !== 'parameter' || more.length > 0) return [each];
      // `sizes=None`, and below it `sizes or [64, 32]`
      const fallback = binding.fallback;
      return !fallback || (fallback.kind === 'constant' && fallback.value === null) ? [] : [fallback];
    });
    const [list, ...others] = lists;
    if (list?.kind !== 'list' || others.length > 0 || evaluator.stores.changesList(list)) return null;
    const settings = list.items.map((item): Expression | null => {
      const constant = usualOf(evaluator.value(item, depth + 1));
      return constant === undefined ? null : { kind: 'setting', value: constant, node: item.node };
    });
    return settings.every(each => each !== null) ? (settings as Expression[]) : null;
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
        this.evaluator.shapeOf(expression.object)?.map((_, index) => ({
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
      bounds.map(each => each && this.evaluator.dialect.expression(each)),
      depth,
    );
  }

  private taken(
    all: readonly Expression[],
    bounds: readonly (Expression | null)[],
    depth: number,
  ): Expression[] | null {
    const places = bounds.map(each => each && this.evaluator.value(each, depth + 1));
    if (places.some(each => each && (each.kind !== 'known' || typeof each.value !== 'number'))) return null;
    const [from, to] = places.map(each => (each?.kind === 'known' ? (each.value as number) : undefined));
    return all.slice(from, to);
  }

  private itemsOfList(expression: Expression, depth: number): Expression[] | null {
    const [list, ...more] = this.evaluator.definitions(expression, depth + 1);
    if (list?.kind !== 'list' || more.length > 0 || this.evaluator.stores.changesList(list)) return null;
    // what `*words` puts in is not one item
    return list.items.some(isSpread) ? null : list.items;
  }
}
