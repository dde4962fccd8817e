// Recurrent layers in a syntax tree: which calls make one, with what arguments, wrapped in what.

import type { Frames, Origin, Value } from './code/evaluation.ts';
import { type Argument, type Call, type Dialect, type Expression, rangeOf } from './code/expression.ts';
import { NO_PROJECT, type Project } from './code/project.ts';
import { Resolver } from './code/resolve.ts';
import type { Language, Node, Tree } from './code/syntax.ts';
import { descendants, sourceOf } from './code/syntax.ts';
import { merged } from './contexts.ts';
import { countParameters } from './counts.ts';
import { type CellKind, type FoundLayer, type FoundRecurrent, type Given, MENTIONS } from './definition.ts';
import type { Constructor, FrameworkRules } from './frameworks/framework.ts';
import { keras } from './frameworks/keras.ts';
import { tfjs } from './frameworks/tfjs.ts';
import { torch } from './frameworks/torch.ts';
import type { Steps } from './steps.ts';

/** every name on a line with such a mention may be bound to it: `Cell = nn.LSTM`, `import LSTM as Cell` */
const NAMES = /[A-Za-z_$][\w$]*/g;
/** `name(`, and `](` or `)(` where the callee has no name */
const CALLED = /([A-Za-z_$][\w$]*)\s*(?:\?\.\s*)?(?:<[\w\s,.[\]]*>)?\(|[\])](?=\s*\()/g;
const ASSIGNED =
  /^[ \t]*(?:(?:const|let|var)\s+|self\.|this\.)?([A-Za-z_$][\w$]*)[ \t]*(?::[^=\n]+)?=(?!=)[^\n]*/gm;
const IMPORTED = /^from[ \t]+([\w.]+)[ \t]+import[ \t]+\(?([\w \t,]+)/gm;
const OWN_OPTIONS =
  /\b(?:hidden_size|num_layers|batch_first|return_sequences|returnSequences|recurrent_dropout)\b/;
/** matches of a text or lines between two places where the work may be interrupted */
const IN_ONE_STEP = 256;
const WRAPPERS = /bidirectional|\bRNN\b|\brnn\b/i;

export type CallExpression = Extract<Expression, { kind: 'call' }>;

/** A call that a framework knows. */
export interface KnownCall {
  expression: CallExpression;
  maker: Constructor;
  rules: FrameworkRules;
  /** all that are possible */
  makers: readonly Constructor[];
}

/** Where a text stands, for what other files say of it. */
export interface Surroundings {
  project?: Project;
  file?: string | null;
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
  private readonly backwards = new Set<number>();
  private around: ReadonlyMap<number, readonly KnownCall[]> = new Map();
  private readonly knownCalls = new Map<number, KnownCall | null>();

  constructor(
    text: string,
    tree: Tree,
    language: Language,
    dialect: Dialect,
    { project = NO_PROJECT, file }: Surroundings = {},
  ) {
    this.text = text;
    this.root = sourceOf(tree, text, file).root;
    this.dialect = dialect;
    this.resolver = new Resolver(dialect, this.root, project);
    this.isPython = language === 'python';
    this.rules = language === 'python' ? [torch, keras] : [tfjs];
    this.hasKeras = /^\s*(?:from|import)\s+[\w.]*keras/m.test(text) || /^\s*from\s+tensorflow\b/m.test(text);
  }

  /** Recurrent layers and cells in the order of the text. */
  *recurrentLayers(): Steps<{ layer: FoundLayer; node: Node }[]> {
    const calls: KnownCall[] = [];
    for (const node of yield* this.candidates()) {
      const known = this.known(node);
      if (known) calls.push(known);
      yield;
    }
    const recurrent = calls.filter(({ maker }) => maker.role === 'recurrent');
    const { around, backward } = this.wrappersOf(recurrent);
    this.around = around;
    const found: { layer: FoundLayer; node: Node }[] = [];
    for (const call of recurrent) {
      const { node } = call.expression;
      found.push({ layer: this.inContexts(call, around.get(node.id) ?? []), node });
      yield;
    }
    const byNode = new Map(found.map(({ layer, node }) => [node.id, layer]));
    for (const [forward, other] of backward) {
      const [own, reverse] = [byNode.get(forward)?.recurrent, byNode.get(other)?.recurrent];
      if (own && reverse) own.backward = reverse;
    }
    for (const other of backward.values()) this.backwards.add(other);
    return found.filter(({ node }) => !this.isBackward(node));
  }

  /** The `backward_layer` of a Bidirectional is a part of it. */
  isBackward({ id }: Node): boolean {
    return this.backwards.has(id);
  }

  /** Calls that wrap a recurrent layer, also through a variable. */
  wrappersAround({ id }: Node): readonly KnownCall[] {
    return this.around.get(id) ?? [];
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
    // places are told apart in one text only
    if (node.source !== this.root.source) return this.recognise(node);
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
      .flatMap(name =>
        this.rules.flatMap(rules => ({ rules, maker: rules.recognise(ownName(name), this.hasKeras) })),
      )
      .filter((each): each is { rules: FrameworkRules; maker: Constructor } => each.maker !== null);
    const [first] = found;
    if (!first) return null;
    if (first.maker.name === '*' && !isPlausible(expression)) return null;
    return {
      expression: this.withPartial(expression),
      rules: first.rules,
      maker: several(found.map(({ maker }) => maker)),
      makers: found.map(({ maker }) => maker),
    };
  }

  /** `functools.partial(nn.LSTM, batch_first=True)(3, 4)`: with what was given before. */
  private withPartial(expression: CallExpression): CallExpression {
    const [made, ...more] = this.resolver.definitions(expression.callee);
    if (made?.kind !== 'call' || more.length > 0) return expression;
    const { callee } = made;
    if ((callee.kind !== 'name' && callee.kind !== 'member') || callee.name !== 'partial') return expression;
    return {
      ...expression,
      positional: [...made.positional.slice(1), ...expression.positional],
      named: new Map([...made.named, ...expression.named]),
      spreads: [...made.spreads, ...expression.spreads],
      isWhole: made.isWhole && expression.isWhole,
    };
  }

  // -------------------------------------------------------------- finding

  /** Calls worth a look: found in the text, so that a long file is not walked through. */
  private *candidates(): Steps<Node[]> {
    yield* this.root.source.copyStatements();
    const names = yield* this.namesOfInterest();
    const found = new Map<number, Node>();
    let seen = 0;
    for (const { 0: match, 1: name, index } of this.text.matchAll(CALLED)) {
      if (++seen % IN_ONE_STEP === 0) yield;
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
  callThatEndsIn(end: number): Node | null {
    let here = this.root.descendantForIndex(end - 1, end);
    while (here && here.endIndex <= end) {
      const { parent } = here;
      if (parent && parent.endIndex > end) return this.dialect.calls.includes(parent.type) ? parent : null;
      here = parent;
    }
    return null;
  }

  /** Names on lines that match: what is imported or assigned there may be called elsewhere. */
  namesBeside(pattern: RegExp): Set<string> {
    const names = new Set<string>();
    for (const line of linesWith(this.text, pattern))
      for (const [name] of line.matchAll(NAMES)) names.add(name);
    return names;
  }

  private *namesOfInterest(): Steps<Set<string>> {
    const names = new Set<string>();
    if (/\blayers\s*\[/.test(this.text)) names.add('layers');
    yield;
    for (const [index, line] of this.text.split('\n').entries()) {
      if (index % IN_ONE_STEP === IN_ONE_STEP - 1) yield;
      if (MENTIONS.test(line)) {
        for (const [name] of line.matchAll(NAMES)) names.add(name);
        // the constructor of a class that is made from a layer
        if (/^\s*class\b/.test(line)) names.add('__init__');
      }
      if (OWN_OPTIONS.test(line)) for (const [, name] of line.matchAll(/([\w$]+)\s*\(/g)) names.add(name!);
    }
    yield* this.addAliases(names);
    for (const name of this.importedLayers()) names.add(name);
    yield;
    return names;
  }

  /** Classes of the project that are made from a recurrent layer, under their names here. */
  private importedLayers(): string[] {
    const { resolver, root } = this;
    if (!this.isPython || root.source.file === null) return [];
    const scope = this.dialect.scopeOf(root);
    return [...this.text.matchAll(IMPORTED)].flatMap(({ 1: module, 2: list }) => {
      if (!resolver.project.module(module!, root.source)) return [];
      const names = list!.split(',').map(each => /(\w+)\W*$/.exec(each)?.[1] ?? '');
      return names.filter(name =>
        scope
          .bindings(name)
          .some(
            binding =>
              binding.kind === 'import' &&
              resolver
                .imported(binding)
                .some(
                  made =>
                    made.kind === 'class' &&
                    this.dialect.bases(made.body).some(base => MENTIONS.test(base.node.text)),
                ),
          ),
      );
    });
  }

  /** `cls = TABLE.get(kind)`, where the table's line mentions a layer. */
  private *addAliases(names: Set<string>): Steps<void> {
    const tables = new Set<string>();
    let seen = 0;
    for (const [line, name] of this.text.matchAll(ASSIGNED)) {
      if (++seen % IN_ONE_STEP === 0) yield;
      if (MENTIONS.test(line)) tables.add(name!);
    }
    for (let round = 0; round < 2; round++)
      for (const [line, name] of this.text.matchAll(ASSIGNED)) {
        if (++seen % IN_ONE_STEP === 0) yield;
        if (tables.has(name!)) continue;
        const value = line.slice(line.indexOf('=') + 1);
        for (const { 0: used, index } of value.matchAll(NAMES))
          if (tables.has(used) && value[index + used.length] !== '(') {
            names.add(name!);
            tables.add(name!);
          }
      }
  }

  /** Wrappers by the node of the layer they wrap, also through a variable; and which layer reads backwards for which. */
  private wrappersOf(recurrent: readonly KnownCall[]): {
    around: Map<number, KnownCall[]>;
    backward: Map<number, number>;
  } {
    const wanted = new Set(recurrent.map(({ expression }) => expression.node.id));
    const around = new Map<number, KnownCall[]>();
    const backward = new Map<number, number>();
    for (const node of this.wrapperCalls()) {
      const known = this.known(node);
      if (known?.maker.role !== 'wrapper') continue;
      const inner = this.made(innerOf(known)).flatMap(each => (each.kind === 'list' ? each.items : [each]));
      const { named } = known.expression;
      const other = this.made((named.get('backward_layer') ?? named.get('backwardLayer'))?.value);
      for (const { node: cell } of inner)
        if (wanted.has(cell.id)) around.set(cell.id, [...(around.get(cell.id) ?? []), known]);
      const [forward] = inner;
      for (const { node: reverse } of other)
        if (forward && wanted.has(reverse.id)) backward.set(forward.node.id, reverse.id);
    }
    return { around, backward };
  }

  private made(expression: Expression | undefined): Expression[] {
    return expression ? this.resolver.definitions(expression) : [];
  }

  /** Calls of what may be a wrapper, by the text. */
  private wrapperCalls(): Node[] {
    const names = this.namesBeside(WRAPPERS);
    if (names.size === 0) return [];
    const found = new Map<number, Node>();
    for (const { 1: name, index } of this.text.matchAll(CALLED)) {
      if (name === undefined || !names.has(name)) continue;
      const call = this.callThatEndsIn(index + name.length);
      const callee = call?.childForFieldName('function');
      if (call && callee && WRAPPERS.test(callee.text)) found.set(call.id, call);
    }
    return [...found.values()];
  }

  // -------------------------------------------------------------- describing

  /** As every call of the code around it, and every turn of a loop, makes it. */
  inContexts(call: KnownCall, wrappers: readonly KnownCall[] = []): FoundLayer {
    const base = this.layer(call, wrappers);
    const { node } = call.expression;
    const contexts = this.resolver.contexts(node);
    if (contexts.every(({ size }) => size === 0)) return base;
    const variants = contexts.map(frames => ({
      at: callIn(frames),
      layer: this.resolver.within(frames, () => this.layer(this.recognise(node) ?? call, wrappers)),
    }));
    return merged(base, variants);
  }

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
    { maker, makers, rules }: KnownCall,
    options: FoundLayer['options'],
    wrappers: readonly KnownCall[],
  ): FoundRecurrent {
    const { names } = rules;
    const isWrapped = wrappers.some(({ maker }) => maker.name.toLowerCase() === 'bidirectional');
    const units = named<number>(options, names.units);
    const found: FoundRecurrent = {
      cell: maker.cell,
      cells: cellsOf(makers),
      cellDefault: maker.cell ? null : usualCell(makers),
      isCell: maker.isCell && !wrappers.some(isRnn),
      units: isNumber(units),
      inputSize: isNumber(named<number>(options, names.inputSize)),
      layers: names.layers && !maker.isCell ? isNumber(named<number>(options, [names.layers])) : fixed(1),
      bidirectional:
        names.bidirectional && !maker.isCell ? named(options, [names.bidirectional]) : fixed(isWrapped),
      returnSequences: names.returnSequences ? named(options, [names.returnSequences]) : null,
      batchFirst: names.batchFirst && !maker.isCell ? named(options, [names.batchFirst]) : null,
      parameters: null,
      parametersDefault: null,
      parametersRange: null,
      parametersByInput: null,
      variants: [],
      backward: null,
    };
    if (rules.names.inputSize.length > 0) countParameters(found, rules.convention, options);
    return found;
  }

  /** Arguments by name, with the framework's defaults where nothing can have been given. */
  options({ expression, maker }: KnownCall): Map<string, Given<number | string | boolean>> {
    const options = new Map<string, Given<number | string | boolean>>();
    const spread = this.spreadOptions(expression);
    const isWhole = expression.isWhole && spread !== null;
    for (const [name, value] of Object.entries(maker.defaults))
      options.set(name, {
        value: isWhole ? (value as number) : null,
        fallback: isWhole ? null : (value as number),
        text: '',
        range: null,
      });
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
      const added = this.resolver.stores.added(record);
      const inner = added && this.spreadOptions(record, depth + 1);
      if (!inner) return null;
      for (const [name, value] of inner) if (!record.without?.has(name)) all.set(name, value);
      for (const name of new Set([...record.entries.keys(), ...added])) {
        const key: Expression = { kind: 'key', object: spread, name, node: spread.node };
        const isThere = this.resolver.bindingsOf(key, 0).some(({ kind }) => kind !== 'absent');
        if (isThere) all.set(name, key);
      }
    }
    return all;
  }

  given({ value, node }: Argument): Given<number | string | boolean> {
    const found = this.resolver.value(value);
    const sizes = found.kind === 'known' ? null : sizesIn(this, value);
    const last = sizes?.at(-1);
    return {
      value: found.kind === 'known' ? plain(found.value) : (last?.value ?? null),
      ...(sizes && { sizes: sizes.map(({ value: size }) => size) }),
      ...(found.kind === 'outside' && found.range ? { called: ends(found.range, found.from) } : {}),
      fallback: found.kind === 'outside' ? plain(found.fallback) : (last?.fallback ?? null),
      text: value.node.text,
      range: rangeOf(node),
      from: elsewhere(found.kind === 'unknown' ? (last?.from ?? null) : found.from, node),
    };
  }
}

/** The least and the most that a search takes. */
function ends(range: readonly [number, number], from: Origin | null): Given<number>['called'] {
  return range.map(fallback => ({ value: null, fallback, from }));
}

function plain(constant: unknown): number | string | boolean | null {
  return typeof constant === 'number' || typeof constant === 'string' || typeof constant === 'boolean'
    ? constant
    : null;
}

/** A number on the line of the argument itself comes from nowhere else. */
function elsewhere(from: Origin | null, node: Node): Origin | null {
  if (!from) return null;
  return from.file === null && node.startPosition.row < from.line && from.line <= node.endPosition.row + 1
    ? null
    : from;
}

/** The call that a context begins with, as the place of what it gives. */
function callIn(frames: Frames): Origin | null {
  const calls = [...frames.values()].filter(each => typeof each !== 'number');
  const last = calls.at(-1);
  return last ? { file: last.node.source.file, line: last.node.startPosition.row + 1, isCall: true } : null;
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
export function isRnn({ maker }: KnownCall): boolean {
  return maker.name === 'RNN' || maker.name === 'rnn';
}

function argumentsOf({ positional, named: byName }: Call, places: readonly string[]): [string, Argument][] {
  const byPlace = positional.flatMap((value, index): [string, Argument][] => {
    const name = places[index];
    return name ? [[name, { value, node: value.node }]] : [];
  });
  return [...byPlace, ...byName];
}

interface Size {
  value: number | null;
  fallback: number | null;
  from: Origin | null;
}

/** `[24, 7]`, such as an input's shape; null for what is no list. */
function sizesIn(reader: SourceReader, expression: Expression): Size[] | null {
  const items = reader.resolver.itemsOf(expression);
  return items
    ? items.map(item => {
        const size: Value = reader.resolver.value(item);
        if (size.kind === 'unknown') return { value: null, fallback: null, from: null };
        const number = (value: unknown) => (typeof value === 'number' ? value : null);
        return {
          value: size.kind === 'known' ? number(size.value) : null,
          fallback: size.kind === 'outside' ? number(size.fallback) : null,
          from: size.from,
        };
      })
    : null;
}

/** `super().__init__(3, 4)` in a class made from `nn.LSTM` makes that layer. */
function ownName(qualified: string): string {
  return qualified.replace(/\.__init__$/, '');
}

export function innerOf({ expression: { named: byName, positional } }: KnownCall): Expression | undefined {
  return byName.get('layer')?.value ?? byName.get('cell')?.value ?? positional[0];
}

function linesWith(text: string, pattern: RegExp): string[] {
  return pattern.test(text) ? text.split('\n').filter(line => pattern.test(line)) : [];
}

/** `rnn_type=nn.LSTM`, where a caller may give another one. */
function usualCell(makers: readonly Constructor[]): CellKind | null {
  return makers.some(({ name }) => name === '*') ? (makers.find(({ cell }) => cell)?.cell ?? null) : null;
}

/** Those that are possible; empty where it may be any. */
function cellsOf(makers: readonly Constructor[]): CellKind[] {
  if (makers.some(({ cell, role }) => role === 'recurrent' && cell === null)) return [];
  return [...new Set(makers.flatMap(({ cell }) => cell ?? []))];
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
  if (callee.kind === 'index' && /\bunits\b/.test(node.text)) return true;
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
