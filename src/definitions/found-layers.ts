// Recurrent layers in a syntax tree: which calls make one, with what arguments, wrapped in what.
import { countRecurrent } from '../experiment/parameters.ts';
import { type Argument, type Call, type Dialect, type Expression, rangeOf } from './code/expression.ts';
import { Resolver, type Value } from './code/resolve.ts';
import type { Language, Node, Tree } from './code/syntax.ts';
import { descendants, sourceOf } from './code/syntax.ts';
import { CELL_NAME, type FoundLayer, type FoundRecurrent, type Given, MENTIONS } from './definition.ts';
import type { Constructor, FrameworkRules } from './frameworks/framework.ts';
import { keras } from './frameworks/keras.ts';
import { tfjs } from './frameworks/tfjs.ts';
import { torch } from './frameworks/torch.ts';

/** every name on a line with such a mention may be bound to it: `Cell = nn.LSTM`, `import LSTM as Cell` */
const NAMES = /[A-Za-z_$][\w$]*/g;
/** `name(`, and `](` or `)(` where the callee has no name */
const CALLED = /([A-Za-z_$][\w$]*)\s*(?:<[\w\s,.[\]]*>)?\(|[\])](?=\s*\()/g;
const OWN_OPTIONS =
  /\b(?:hidden_size|num_layers|batch_first|return_sequences|returnSequences|recurrent_dropout)\b/;
const WRAPPERS = /bidirectional|\bRNN\b|\brnn\b/i;

export type CallExpression = Extract<Expression, { kind: 'call' }>;

/** A call that a framework knows. */
export interface KnownCall {
  expression: CallExpression;
  maker: Constructor;
  rules: FrameworkRules;
}

export class SourceReader {
  readonly text: string;
  readonly dialect: Dialect;
  readonly resolver: Resolver;
  private readonly rules: readonly FrameworkRules[];
  readonly root: Node;
  private readonly hasKeras: boolean;
  private readonly isPython: boolean;
  private readOver: readonly number[] | null = null;
  private readonly knownCalls = new Map<number, KnownCall | null>();

  constructor(text: string, tree: Tree, language: Language, dialect: Dialect) {
    this.text = text;
    this.root = sourceOf(tree, text).root;
    this.dialect = dialect;
    this.resolver = new Resolver(dialect);
    this.isPython = language === 'python';
    this.rules = language === 'python' ? [torch, keras] : [tfjs];
    this.hasKeras = /^\s*(?:from|import)\s+[\w.]*keras/m.test(text) || /^\s*from\s+tensorflow\b/m.test(text);
  }

  /** Recurrent layers and cells in the order of the text. */
  recurrentLayers(): { layer: FoundLayer; node: Node }[] {
    const calls = this.candidates().flatMap(node => this.known(node) ?? []);
    const recurrent = calls.filter(({ maker }) => maker.role === 'recurrent');
    const wrappers = WRAPPERS.test(this.text) ? this.wrappersOf(recurrent) : new Map<number, KnownCall[]>();
    return recurrent.map(call => {
      const { node } = call.expression;
      return { layer: this.layer(call, wrappers.get(node.id) ?? []), node };
    });
  }

  /** All calls below a node that make a layer of this framework. */
  layersWithin(node: Node, framework: FrameworkRules['framework']): KnownCall[] {
    return descendants(node, [...this.dialect.calls])
      .filter(call => this.couldBeLayer(call))
      .flatMap(call => this.known(call) ?? [])
      .filter(({ maker }) => maker.framework === framework);
  }

  /** By the text alone, since most calls are others. */
  private couldBeLayer(call: Node): boolean {
    const callee = call.childForFieldName('function');
    if (!callee) return false;
    const text = this.text.slice(callee.startIndex, callee.endIndex);
    const last = /([\w$]+)\s*$/.exec(text)?.[1] ?? '';
    return this.isPython
      ? /^[A-Z]/.test(last) || MENTIONS.test(last)
      : /layers|^tf/.test(text) || !text.includes('.');
  }

  /** An error of syntax stands in this node. */
  hasError({ hasError, startIndex, endIndex }: Node): boolean {
    this.readOver ??= this.dialect.readOver(this.root, this.text);
    return hasError || this.readOver.some(offset => startIndex <= offset && offset < endIndex);
  }

  known(node: Node): KnownCall | null {
    const key = node.startIndex * 1e6 + node.endIndex;
    const remembered = this.knownCalls.get(key);
    if (remembered !== undefined) return remembered;
    const found = this.recognise(node);
    this.knownCalls.set(key, found);
    return found;
  }

  private recognise(node: Node): KnownCall | null {
    const expression = this.dialect.expression(node);
    if (expression.kind !== 'call') return null;
    const found = this.resolver
      .qualified(expression.callee)
      .flatMap(name => this.rules.flatMap(rules => ({ rules, maker: rules.recognise(name, this.hasKeras) })))
      .filter((each): each is { rules: FrameworkRules; maker: Constructor } => each.maker !== null);
    const [first] = found;
    if (!first) return null;
    if (first.maker.name === '*' && !isPlausible(expression)) return null;
    return {
      expression,
      rules: first.rules,
      maker: several(found.map(({ maker }) => maker)),
    };
  }

  // -------------------------------------------------------------- finding

  /** Calls worth a look: found in the text, so that a long file is not walked through. */
  private candidates(): Node[] {
    const names = this.namesOfInterest();
    const found = new Map<number, Node>();
    for (const { 0: match, 1: name, index } of this.text.matchAll(CALLED)) {
      if (name !== undefined && !names.has(name)) continue;
      const end = index + (name ?? match[0]!).length;
      const call = this.callThatEndsIn(end);
      if (call) found.set(call.startIndex * 1e6 + call.endIndex, call);
    }
    return [...found.values()].sort((x, y) => x.startIndex - y.startIndex || y.endIndex - x.endIndex);
  }

  /** Calls of `variable.method(` between two offsets. */
  callsOf(variable: string, method: string, from: number, to: number): Node[] {
    const name = variable.replaceAll('$', '\\$&');
    const called = new RegExp(`(?<![\\w$.])${name}\\s*\\.\\s*${method}(?=\\s*\\()`, 'g');
    return [...this.text.slice(from, to).matchAll(called)].flatMap(
      ({ 0: match, index }) => this.callThatEndsIn(from + index + match.length) ?? [],
    );
  }

  /** Calls of `target(`, a name or `self.name`, between two offsets. */
  callsTo(target: string, from: number, to: number): Node[] {
    const called = new RegExp(`(?<![\\w$.])${target.replace(/[$.]/g, '\\$&')}(?=\\s*\\()`, 'g');
    return [...this.text.slice(from, to).matchAll(called)].flatMap(
      ({ 0: match, index }) => this.callThatEndsIn(from + index + match.length) ?? [],
    );
  }

  /** The call whose callee ends here. */
  private callThatEndsIn(end: number): Node | null {
    let here = this.root.descendantForIndex(end - 1, end);
    while (here && here.endIndex <= end) {
      const { parent } = here;
      if (parent && parent.endIndex > end) return this.dialect.calls.includes(parent.type) ? parent : null;
      here = parent;
    }
    return null;
  }

  private namesOfInterest(): Set<string> {
    const names = new Set<string>();
    for (const line of this.text.split('\n')) {
      if (MENTIONS.test(line)) for (const [name] of line.matchAll(NAMES)) names.add(name);
      if (OWN_OPTIONS.test(line)) for (const [, name] of line.matchAll(/([\w$]+)\s*\(/g)) names.add(name!);
    }
    return names;
  }

  /** Wrappers by the node of the layer they wrap, also through a variable. */
  private wrappersOf(recurrent: readonly KnownCall[]): Map<number, KnownCall[]> {
    const wanted = new Set(recurrent.map(({ expression }) => expression.node.id));
    const found = new Map<number, KnownCall[]>();
    for (const node of descendants(this.root, [...this.dialect.calls])) {
      const callee = node.childForFieldName('function');
      if (!callee || !WRAPPERS.test(this.text.slice(callee.startIndex, callee.endIndex))) continue;
      const known = this.known(node);
      if (known?.maker.role !== 'wrapper') continue;
      const { positional, named } = known.expression;
      const inner = named.get('layer')?.value ?? named.get('cell')?.value ?? positional[0];
      for (const each of inner ? this.resolver.definitions(inner) : [])
        for (const cell of each.kind === 'list' ? each.items : [each])
          if (wanted.has(cell.node.id)) found.set(cell.node.id, [...(found.get(cell.node.id) ?? []), known]);
    }
    return found;
  }

  // -------------------------------------------------------------- describing

  layer(call: KnownCall, wrappers: readonly KnownCall[] = []): FoundLayer {
    const { expression, maker } = call;
    const { node } = expression;
    const branches = this.dialect.branches(node);
    const options = this.options(call);
    for (const wrapper of wrappers)
      for (const [name, given] of this.options(wrapper))
        if (FROM_WRAPPER.includes(name) || (isRnn(wrapper) && (!options.has(name) || given.text)))
          options.set(name, given);
    return {
      framework: maker.framework,
      name: maker.name,
      range: rangeOf(nameNode(expression.callee)),
      callRange: rangeOf(node),
      options,
      isWhole: expression.isWhole && this.spreadOptions(expression) !== null,
      inLoop: branches.some(({ isLoop }) => isLoop),
      isConditional: branches.some(({ isLoop }) => !isLoop),
      recurrent: maker.role === 'recurrent' ? this.recurrent(call, options, wrappers) : null,
    };
  }

  private recurrent(
    { maker, rules }: KnownCall,
    options: FoundLayer['options'],
    wrappers: readonly KnownCall[],
  ): FoundRecurrent {
    const { names } = rules;
    const isWrapped = wrappers.some(({ maker }) => maker.name.toLowerCase() === 'bidirectional');
    const units = named<number>(options, names.units);
    const found: FoundRecurrent = {
      cell: maker.cell,
      isCell: maker.isCell,
      units: isNumber(units),
      inputSize: isNumber(named<number>(options, names.inputSize)),
      layers: names.layers && !maker.isCell ? isNumber(named<number>(options, [names.layers])) : fixed(1),
      bidirectional:
        names.bidirectional && !maker.isCell ? named(options, [names.bidirectional]) : fixed(isWrapped),
      returnSequences: names.returnSequences ? named(options, [names.returnSequences]) : null,
      batchFirst: names.batchFirst && !maker.isCell ? named(options, [names.batchFirst]) : null,
      parameters: null,
    };
    found.parameters = parametersOf(found, rules, options, found.inputSize.value);
    return found;
  }

  /** Arguments by name, with the framework's defaults where nothing can have been given. */
  options({ expression, maker }: KnownCall): Map<string, Given<number | string | boolean>> {
    const options = new Map<string, Given<number | string | boolean>>();
    const spread = this.spreadOptions(expression);
    const isWhole = expression.isWhole && spread !== null;
    for (const [name, value] of Object.entries(maker.defaults))
      options.set(name, { value: isWhole ? (value as number) : null, fallback: null, text: '', range: null });
    for (const [name, value] of spread ?? []) options.set(name, this.given({ value, node: value.node }));
    for (const [name, argument] of argumentsOf(expression, maker.positional))
      options.set(name, this.given(argument));
    return options;
  }

  /** What `**options` holds; null where that cannot be told. */
  private spreadOptions({ spreads }: Pick<Call, 'spreads'>, depth = 0): Map<string, Expression> | null {
    const all = new Map<string, Expression>();
    for (const spread of spreads) {
      const [record, ...more] = this.resolver.definitions(spread);
      if (record?.kind !== 'record' || more.length > 0 || !record.isWhole || depth > 4) return null;
      const inner = this.spreadOptions(record, depth + 1);
      if (!inner) return null;
      for (const [name, value] of [...inner, ...record.entries]) all.set(name, value);
    }
    return all;
  }

  given({ value, node }: Argument): Given<number | string | boolean> {
    const found = this.resolver.value(value);
    const plain = (constant: unknown) =>
      typeof constant === 'number' || typeof constant === 'string' || typeof constant === 'boolean'
        ? constant
        : null;
    const sizes = found.kind === 'known' ? null : sizesIn(this, value);
    return {
      value: found.kind === 'known' ? plain(found.value) : (sizes?.at(-1) ?? null),
      ...(sizes && { sizes }),
      fallback: found.kind === 'outside' ? plain(found.fallback) : null,
      text: value.node.text,
      range: rangeOf(node),
    };
  }
}

/** The options by which a first layer, or what wraps it, tells what it reads. */
export const INPUT_SHAPES = [
  'input_shape',
  'inputShape',
  'batch_input_shape',
  'batchInputShape',
  'batch_shape',
  'batchShape',
  'shape',
  'input_dim',
  'inputDim',
];

const FROM_WRAPPER = [...INPUT_SHAPES, 'merge_mode', 'mergeMode'];

/** `RNN(cell)`, whose options are those of the layer that its cell makes */
function isRnn({ maker }: KnownCall): boolean {
  return maker.name === 'RNN' || maker.name === 'rnn';
}

function argumentsOf({ positional, named: byName }: Call, places: readonly string[]): [string, Argument][] {
  const byPlace = positional.flatMap((value, index): [string, Argument][] => {
    const name = places[index];
    return name ? [[name, { value, node: value.node }]] : [];
  });
  return [...byPlace, ...byName];
}

/** `[24, 7]`, such as an input's shape; null for what is no list. */
function sizesIn(reader: SourceReader, expression: Expression): (number | null)[] | null {
  const [list, ...more] = reader.resolver.definitions(expression);
  if (list?.kind !== 'list' || more.length > 0) return null;
  return list.items.map(item => {
    const size: Value = reader.resolver.value(item);
    return size.kind === 'known' && typeof size.value === 'number' ? size.value : null;
  });
}

/** Where several constructors are possible, what they have in common. */
function several(all: readonly Constructor[]): Constructor {
  const [first] = all;
  const cells = new Set(all.map(({ cell }) => cell));
  return cells.size > 1 ? { ...first!, cell: null } : first!;
}

/** Of `getattr(nn, kind)(…)`: whether it looks like a recurrent layer. */
function isPlausible({ callee, named: byName, node }: CallExpression): boolean {
  if ([...byName.keys()].some(name => OWN_OPTIONS.test(name) || name === 'bidirectional')) return true;
  return MENTIONS.test(callee.node.text) || MENTIONS.test(node.parent?.text.split('\n')[0] ?? '');
}

/** The constructor's own name: what stands after the last dot. */
function nameNode(callee: Expression): Node {
  if (callee.kind === 'member') return callee.nameNode;
  if (callee.kind === 'call') return nameNode(callee.callee);
  return callee.node;
}

function named<T>(options: FoundLayer['options'], names: readonly string[]): Given<T> {
  for (const name of names) {
    const given = options.get(name);
    if (given) return given as Given<T>;
  }
  return { value: null, fallback: null, text: '', range: null };
}

function isNumber(given: Given<number>): Given<number> {
  const number = (value: unknown) => (typeof value === 'number' ? value : null);
  return { ...given, value: number(given.value), fallback: number(given.fallback) };
}

function fixed<T>(value: T): Given<T> {
  return { value, fallback: null, text: '', range: null };
}

/** In the framework's own convention; null where a size is not known. */
export function parametersOf(
  { cell, units, layers, bidirectional }: FoundRecurrent,
  { convention }: FrameworkRules,
  options: FoundLayer['options'],
  inputSize: number | null,
): number | null {
  const [H, L, both] = [units.value, layers.value, bidirectional.value];
  const projection = options.get('proj_size')?.value ?? 0;
  if (!cell || inputSize === null || H === null || L === null || both === null || projection !== 0)
    return null;
  const bias =
    options.get('bias')?.value ?? options.get('use_bias')?.value ?? options.get('useBias')?.value ?? true;
  const resetAfter = options.get('reset_after')?.value ?? options.get('resetAfter')?.value;
  const directions = both ? 2 : 1;
  let total = 0;
  for (let level = 0; level < L; level++) {
    const count = countRecurrent({
      cell: CELL_NAME[cell],
      inputSize: level === 0 ? inputSize : H * directions,
      units: H,
      convention,
      resetAfter: typeof resetAfter === 'boolean' ? resetAfter : undefined,
    });
    total += directions * (count.total - (bias === false ? count.bias : 0));
  }
  return total;
}
