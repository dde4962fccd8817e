// What searches of hyperparameters may take: Keras Tuner, Optuna, Ray Tune and Hyperopt. Each size is told as the least
// and the most of it, and a function that a search calls gets the space that the search is given.
import { callsNamed, type Evaluator, usualOf, type Value } from './evaluation.ts';
import type { CallOf, Constant, Expression } from './expression.ts';
import type { Node, Source } from './node.ts';

/** How a search is called: the choices or the bounds it takes, by place and by name. */
interface Search {
  place: number;
  names: readonly string[];
  isListed?: true;
  /** the upper bound itself is not drawn */
  isExclusive?: true;
}

const listed = (place: number, ...names: string[]): Search => ({ place, names, isListed: true });
const between = (place: number, ...names: string[]): Search => ({ place, names });
const below = (place: number, ...names: string[]): Search => ({ place, names, isExclusive: true });

/** Methods of `trial` and `hp`, which are parameters: their names alone tell them. */
const METHODS: Readonly<Record<string, Search>> = {
  Int: between(1, 'min_value', 'max_value'),
  Choice: listed(1, 'values'),
  suggest_int: between(1, 'low', 'high'),
  suggest_float: between(1, 'low', 'high'),
  suggest_uniform: between(1, 'low', 'high'),
  suggest_discrete_uniform: between(1, 'low', 'high'),
  suggest_categorical: listed(1, 'choices'),
};
const HYPEROPT: Readonly<Record<string, Search>> = {
  choice: listed(1, 'options'),
  uniform: between(1, 'low', 'high'),
  quniform: between(1, 'low', 'high'),
  uniformint: between(1, 'low', 'high'),
  randint: below(1, 'low', 'high'),
};
const RAY: Readonly<Record<string, Search>> = {
  choice: listed(0, 'categories'),
  grid_search: listed(0, 'values'),
  uniform: between(0, 'lower', 'upper'),
  quniform: between(0, 'lower', 'upper'),
  randint: below(0, 'lower', 'upper'),
  qrandint: between(0, 'lower', 'upper'),
  lograndint: below(0, 'lower', 'upper'),
  qlograndint: between(0, 'lower', 'upper'),
};
/** Calls that hand a space on to a function: the places and names of both. */
const RUNS: Readonly<
  Record<string, { trained: readonly [number, string]; space: readonly [number, string] }>
> = {
  fmin: { trained: [0, 'fn'], space: [1, 'space'] },
  run: { trained: [0, 'run_or_experiment'], space: [-1, 'config'] },
  Tuner: { trained: [0, 'trainable'], space: [-1, 'param_space'] },
};
const STEPPED = /^(?:Int|suggest_(?:int|discrete_uniform))$/;
/** What wraps a function that Ray Tune calls. */
const WRAPS = /^(?:tune\.)?with_(?:resources|parameters)$/;

export class Searches {
  private readonly evaluator: Evaluator;

  constructor(evaluator: Evaluator) {
    this.evaluator = evaluator;
  }

  private of({ callee }: CallOf): Search | null {
    const name = callee.kind === 'member' || callee.kind === 'name' ? callee.name : '';
    if (callee.kind === 'member' && Object.hasOwn(METHODS, name)) return METHODS[name]!;
    const inRay = Object.hasOwn(RAY, name);
    if (!inRay && !Object.hasOwn(HYPEROPT, name)) return null;
    if (!maySearch(callee.node.source)) return null;
    for (const qualified of this.evaluator.qualified(callee)) {
      if (qualified === `hyperopt.hp.${name}`) return HYPEROPT[name] ?? null;
      if (inRay && qualified === `ray.tune.${name}`) return RAY[name]!;
    }
    return null;
  }

  /** `hp.Int("units", 32, 256)`: between its bounds; null for what is no search. */
  value(call: CallOf, origin: (node: Node) => Value & { kind: 'outside' }, depth: number): Value | null {
    const { callee, positional, named } = call;
    const name = callee.kind === 'member' ? callee.name : '';
    const search = this.of(call);
    if (!search) return null;
    const read = (given: Expression | undefined) => usualOf(given && this.evaluator.value(given, depth + 1));
    const open = origin(call.node);
    const { place, names, isListed, isExclusive } = search;
    const nothing: Value = { ...open, from: null };
    const at = (index: number) => read(named.get(names[index] ?? '')?.value ?? positional[place + index]);
    if (isListed) {
      const given = named.get(names[0]!)?.value ?? positional[place];
      const choices = ((given && this.evaluator.itemsOf(given, depth + 1)) ?? []).map(read);
      const sizes = choices.map(choice => (typeof choice === 'boolean' ? Number(choice) : choice));
      if (sizes.length === 0 || !sizes.every(size => typeof size === 'number')) return nothing;
      return this.within(
        open,
        sizes as number[],
        name === 'Choice' ? (choices[0] as number) : undefined,
        read(named.get('default')?.value),
      );
    }
    let [low, high] = [at(0), at(1)];
    // `randint("units", 64)` counts from 0
    if (isExclusive && high === undefined && search === HYPEROPT['randint']) [low, high] = [0, low];
    if (typeof low !== 'number' || typeof high !== 'number') return nothing;
    const step = STEPPED.test(name)
      ? (read(named.get('step')?.value ?? named.get('q')?.value ?? positional[place + 2]) ?? 1)
      : 1;
    const isEven = typeof step === 'number' && step > 1 && !named.has('sampling') && !named.has('log');
    // the last step may end below the bound
    const steps = isEven ? low + Math.floor((high - low) / step) * step : high;
    const most = isExclusive ? high - 1 : steps;
    if (most < low) return nothing;
    return this.within(
      open,
      [low, most],
      name === 'Int' ? low : undefined,
      read(named.get('default')?.value),
    );
  }

  /** Keras Tuner begins with the default, else with the least or the first. */
  private within(
    open: Value & { kind: 'outside' },
    sizes: readonly number[],
    first: number | undefined,
    usual: Constant | undefined,
  ): Value {
    const [low, high] = [Math.min(...sizes), Math.max(...sizes)];
    const only = low === high ? low : undefined;
    const fallback = first === undefined ? only : typeof usual === 'number' ? usual : first;
    return only === undefined ? { ...open, fallback, range: [low, high] } : { ...open, fallback };
  }

  /** What `hp.choice("depth", [{…}, {…}])` may be; null for what is no such choice. */
  choices(call: CallOf, depth: number): Expression[] | null {
    const search = this.of(call);
    if (!search?.isListed) return null;
    const given = call.named.get(search.names[0]!)?.value ?? call.positional[search.place];
    return (given && this.evaluator.itemsOf(given, depth + 1)) ?? null;
  }

  /** `fmin(train, space)`, `tune.run(train, config=space)`: searches that call what has this name, each as a call of it. */
  callsOf(name: string, root: Node): CallOf[] {
    const { dialect } = this.evaluator;
    if (dialect.self !== 'self' || !maySearch(root.source)) return [];
    if (/\btalos\b/.test(root.source.text)) return this.scansOf(name, root);
    return Object.entries(RUNS).flatMap(([run, { trained, space }]) =>
      callsNamed(root, run, dialect).flatMap((node): CallOf[] => {
        const call = dialect.expression(node);
        if (call.kind !== 'call') return [];
        const given = argument(call, trained);
        const taken = argument(call, space);
        const callee = given && unwrapped(given);
        const isIt = (callee?.kind === 'name' || callee?.kind === 'member') && callee.name === name;
        if (!isIt || !taken) return [];
        return [
          { kind: 'call', callee, positional: [taken], named: new Map(), spreads: [], isWhole: true, node },
        ];
      }),
    );
  }

  /** `talos.Scan(x, y, model=build, params={"units": [32, 64]})` calls `build(x, y, x_val, y_val, params)`. */
  private scansOf(name: string, root: Node): CallOf[] {
    const { dialect } = this.evaluator;
    return callsNamed(root, 'Scan', dialect).flatMap((node): CallOf[] => {
      const call = dialect.expression(node);
      if (call.kind !== 'call') return [];
      const { positional, named } = call;
      const [x, y, taken, callee] = ['x', 'y', 'params', 'model'].map(
        (option, place) => named.get(option)?.value ?? positional[place],
      );
      const isIt = callee?.kind === 'name' && callee.name === name;
      const [record, ...more] = taken ? this.evaluator.definitions(taken) : [];
      if (!isIt || !x || !y || record?.kind !== 'record' || !record.isWhole || more.length > 0) return [];
      const entries = new Map([...record.entries].map(([key, value]) => [key, this.oneOf(value)]));
      const space: Expression = { ...record, entries };
      const [xVal, yVal] = ['x_val', 'y_val'].map(option => named.get(option)?.value ?? x);
      const given = [x, y, xVal!, yVal!, space];
      return [
        { kind: 'call', callee, positional: given, named: new Map(), spreads: [], isWhole: true, node },
      ];
    });
  }

  /** One of the numbers of a list. */
  private oneOf(list: Expression): Expression {
    const { node } = list;
    const numbers = (this.evaluator.itemsOf(list) ?? []).map(item => {
      const value = this.evaluator.value(item);
      return value.kind === 'known' ? value.value : null;
    });
    // `(16, 128, 4)` stands for steps between two bounds
    const isSteps = node.type === 'tuple';
    if (isSteps || numbers.length === 0 || !numbers.every(each => typeof each === 'number'))
      return { kind: 'other', node };
    const all = numbers as number[];
    const [low, high] = [Math.min(...all), Math.max(...all)];
    if (low === high) return { kind: 'setting', value: low, node };
    return { kind: 'setting', value: null, range: [low, high], node };
  }
}

const MAY_SEARCH = new WeakMap<Source, boolean>();

/** Its text mentions a library of searches; asked for each call and function. */
function maySearch(source: Source): boolean {
  let isIt = MAY_SEARCH.get(source);
  if (isIt === undefined) {
    isIt = /\b(?:hyperopt|ray|talos)\b/.test(source.text);
    MAY_SEARCH.set(source, isIt);
  }
  return isIt;
}

function argument({ positional, named }: CallOf, [place, name]: readonly [number, string]) {
  return named.get(name)?.value ?? positional[place];
}

function unwrapped(expression: Expression): Expression {
  if (expression.kind !== 'call' || !WRAPS.test(expression.callee.node.text)) return expression;
  return expression.positional[0] ? unwrapped(expression.positional[0]) : expression;
}
