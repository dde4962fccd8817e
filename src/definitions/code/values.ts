// What expressions come to: constants, with where they stand. What a caller or a configuration may set otherwise is open,
// with its default.
import { binary, unary } from './arithmetic.ts';
import { dotted, type Evaluator, framesWith, type Origin, usualOf, type Value } from './evaluation.ts';
import type { Binding, CallOf, Choice, Constant, Expression } from './expression.ts';
import type { Node } from './node.ts';
import { ParsedSettings } from './parsed-settings.ts';
import { isBefore } from './reach.ts';
import { Searches } from './searches.ts';

const UNKNOWN: Value = { kind: 'unknown' };
const DEPTH = 24;
/** Functions of one value. */
const CONVERSIONS: Readonly<Record<string, (value: Constant) => Constant | undefined>> = {
  int: value => whole(value, Math.trunc),
  float: numeric,
  bool: value => Boolean(value),
  Number: numeric,
  'Math.floor': value => whole(value, Math.floor),
  'Math.ceil': value => whole(value, Math.ceil),
  'math.floor': value => whole(value, Math.floor),
  'math.ceil': value => whole(value, Math.ceil),
  'Math.trunc': value => whole(value, Math.trunc),
  'Math.round': value => whole(value, Math.round),
  // Python rounds halves to the even number
  round: value =>
    typeof value === 'number' && Math.abs(value % 1) === 0.5 ? undefined : whole(value, Math.round),
  str: value => (typeof value === 'boolean' || value === null ? undefined : String(value)),
  String,
};
/** Operators between whose results at the ends all others are. */
const MONOTONE = /^(?:[-+*/]|\/\/|\*\*|<<)$/;
/** Words that Keras's texts number. */
const WORD_INDEXES: Readonly<Record<string, number>> = { imdb: 88_584, reuters: 30_979 };
/** `field(default=64)` of dataclasses, attrs and pydantic; `Option(64)` of typer. */
const FIELDS = new Set(['field', 'Field', 'ib', 'attrib', 'Option', 'Argument']);

export class Values {
  private readonly evaluator: Evaluator;
  private readonly parsed: ParsedSettings;
  private readonly searches: Searches;

  constructor(evaluator: Evaluator) {
    this.evaluator = evaluator;
    this.searches = new Searches(evaluator);
    this.parsed = new ParsedSettings(evaluator);
  }

  value(expression: Expression, depth = 0): Value {
    if (expression.kind === 'constant')
      return { kind: 'known', value: expression.value, from: this.originOf(expression.node) };
    return this.valueOf(expression, depth);
  }

  private valueOf(expression: Expression, depth: number): Value {
    if (depth > DEPTH) return UNKNOWN;
    switch (expression.kind) {
      case 'constant':
        return { kind: 'known', value: expression.value, from: this.originOf(expression.node) };
      case 'setting': {
        const { value, range, node } = expression;
        const from = this.originOf(node);
        return range
          ? { kind: 'outside', fallback: undefined, from, range }
          : { kind: 'outside', fallback: value, from };
      }
      case 'unary':
        return lift([this.evaluator.value(expression.operand, depth + 1)], ([operand]) =>
          unary(expression.operator, operand!),
        );
      case 'binary':
        return lift(
          [
            this.evaluator.value(expression.left, depth + 1),
            this.evaluator.value(expression.right, depth + 1),
          ],
          ([left, right]) => binary(expression.operator, left!, right!),
          MONOTONE.test(expression.operator),
        );
      case 'choice':
        return (
          this.usual(expression, depth) ??
          agreed(this.chosen(expression, depth).map(option => this.evaluator.value(option, depth + 1)))
        );
      case 'call':
        return this.valueOfCall(expression, depth);
      case 'within':
        return this.evaluator.within(framesWith(this.evaluator.frames, expression), () =>
          this.evaluator.value(expression.value, depth + 1),
        );
      default:
        return this.valueOfReference(expression, depth);
    }
  }

  /** The option that the default of its condition takes: `d_proj if args.projection else d_embed`. */
  private usual(expression: Extract<Expression, { kind: 'choice' }>, depth: number): Value | null {
    const { options, by } = expression;
    if (by === null) return null;
    const tested = this.evaluator.value(typeof by === 'string' ? options[0]! : by.condition, depth + 1);
    if (tested.kind !== 'outside' || tested.fallback === undefined) return null;
    if (typeof by === 'string') {
      // `hidden or 128`
      const isFirst = truth(by, tested.fallback) === (by !== 'and');
      return isFirst ? tested : open(this.evaluator.value(options[1]!, depth + 1));
    }
    const all = options.map(option => this.evaluator.value(option, depth + 1));
    if (agreed(all).kind !== 'unknown') return null;
    return open(all[truth(by, tested.fallback) ? 0 : 1]!);
  }

  /** The options that can be taken, where the condition is known only one. */
  chosen(expression: Extract<Expression, { kind: 'choice' }>, depth: number): Expression[] {
    const { options, by } = expression;
    if (by === null) return options;
    const [first, second] = options;
    const tested = this.evaluator.value(typeof by === 'string' ? first! : by.condition, depth + 1);
    const isTrue = tested.kind === 'known' ? truth(by, tested.value) : null;
    if (isTrue === null) return options;
    return [isTrue === (by !== 'and') ? first! : second!];
  }

  private originOf(node: Node, isCall = false): Origin {
    const { file } = node.source;
    const own = file === this.evaluator.root.source.file;
    return { file: own ? null : file, line: node.startPosition.row + 1, isCall };
  }

  private openAt(node: Node): Extract<Value, { kind: 'outside' }> {
    return { kind: 'outside', fallback: undefined, from: this.originOf(node) };
  }

  private valueOfCall(call: CallOf, depth: number): Value {
    const { callee, positional, named } = call;
    const name = dotted(callee);
    if (/^(?:Number\.)?parse(?:Int|Float)$/.test(name) && positional[0])
      return lift([this.evaluator.value(positional[0], depth + 1)], ([value]) =>
        name.endsWith('Int') ? whole(value!, Math.trunc) : numeric(value!),
      );
    const convert = Object.hasOwn(CONVERSIONS, name) ? CONVERSIONS[name] : undefined;
    if (convert)
      return positional.length === 1
        ? lift([this.evaluator.value(positional[0]!, depth + 1)], ([value]) => convert(value!))
        : UNKNOWN;
    const last = name.slice(name.lastIndexOf('.') + 1);
    if (FIELDS.has(last)) {
      const given = named.get('default')?.value ?? positional[0];
      return given ? this.evaluator.value(given, depth + 1) : UNKNOWN;
    }
    if (name === 'len' && positional.length === 1) return this.lengthOf(positional[0]!, depth + 1);
    if (last === 'size' && callee.kind === 'member' && positional.length === 1)
      // `x.size(-1)` of a tensor
      return this.sizeAt(callee.object, positional[0]!, depth + 1);
    if (['max', 'min', 'Math.max', 'Math.min'].includes(name) && positional.length > 1)
      return lift(
        positional.map(each => this.evaluator.value(each, depth + 1)),
        values =>
          values.every(each => typeof each === 'number')
            ? Math[last as 'max'](...(values as number[]))
            : undefined,
      );
    if (name === 'sum' && positional.length === 1) return this.sumOf(positional[0]!, depth + 1);
    const searched = this.searches.value(call, node => this.openAt(node), depth);
    if (searched) return searched;
    const taken = callee.kind === 'member' ? this.parsed.taken(call, depth) : null;
    if (taken) return taken;
    if (last === 'get' || last === 'pop' || last === 'getattr') return this.valueOfLookUp(call, last, depth);
    return UNKNOWN;
  }

  /** `sum([64, 32])`, `sum(sizes.values())` */
  private sumOf(expression: Expression, depth: number): Value {
    const isValues =
      expression.kind === 'call' &&
      expression.callee.kind === 'member' &&
      expression.callee.name === 'values';
    const [record, ...more] = isValues
      ? this.evaluator.definitions((expression.callee as { object: Expression }).object, depth + 1)
      : [];
    const isWhole =
      record?.kind === 'record' && more.length === 0 && record.isWhole && record.spreads.length === 0;
    const items = isValues
      ? isWhole && !this.evaluator.stores.mayAdd([record])
        ? [...record.entries.values()]
        : null
      : this.evaluator.itemsOf(expression, depth + 1);
    if (!items) return UNKNOWN;
    return lift(
      items.map(each => this.evaluator.value(each, depth + 1)),
      all =>
        all.every(each => typeof each === 'number')
          ? (all as number[]).reduce((a, b) => a + b, 0)
          : undefined,
    );
  }

  /** `config.get("hidden", 64)` and `getattr(args, "hidden", 64)`. */
  private valueOfLookUp(call: CallOf, name: string, depth: number): Value {
    const { callee, positional } = call;
    const object = name === 'getattr' ? positional[0] : callee.kind === 'member' ? callee.object : undefined;
    const [key, otherwise] = name === 'getattr' ? positional.slice(1) : positional;
    const told = key && this.evaluator.value(key, depth + 1);
    if (!object || told?.kind !== 'known') return UNKNOWN;
    const key_ = String(told.value);
    const found = this.evaluator.membersOf(object, key_, depth + 1, call);
    if (found.some(({ kind }) => kind !== 'absent'))
      return agreed(found.map(each => this.evaluator.valueOfBinding(each, depth + 1)));
    const records = this.evaluator.definitions(object, depth + 1);
    const fallback = otherwise && this.evaluator.value(otherwise, depth + 1);
    if (fallback?.kind !== 'known') return UNKNOWN;
    // a whole record that lacks the key
    const isWhole = records.every(
      each => each.kind === 'record' && each.isWhole && each.spreads.length === 0,
    );
    if (isWhole && !this.evaluator.stores.mayHold(records, key_, call.node)) return fallback;
    return { kind: 'outside', fallback: fallback.value, from: fallback.from };
  }

  /** Of a list, a text, a set, or an array along its first axis. */
  private lengthOf(expression: Expression, depth: number): Value {
    const items = this.evaluator.itemsOf(expression, depth + 1);
    if (items) return { kind: 'known', value: items.length, from: null };
    const counted = this.evaluator.countOf(expression);
    // a file may say something else when the program reads it
    if (counted?.from) return { kind: 'outside', fallback: counted.count, from: this.originOf(counted.from) };
    if (counted) return { kind: 'known', value: counted.count, from: null };
    const words = this.wordsOf(expression, depth);
    if (words !== null) return { kind: 'known', value: words, from: null };
    return this.evaluator.shapeOf(expression)?.[0] ?? UNKNOWN;
  }

  /** `imdb.get_word_index()` */
  private wordsOf(expression: Expression, depth: number): number | null {
    const [made, ...more] = this.evaluator.definitions(expression, depth + 1);
    if (made?.kind !== 'call' || more.length > 0 || !/get_word_index$/.test(dotted(made.callee))) return null;
    for (const name of this.evaluator.qualified(made.callee)) {
      const set = /(?:^|\.)datasets\.(\w+)\.get_word_index$/.exec(name)?.[1];
      if (set && Object.hasOwn(WORD_INDEXES, set)) return WORD_INDEXES[set]!;
    }
    return null;
  }

  /** `x.shape[2]`, where the text says which shape `x` was given; `words.length`. */
  private sizeOf(expression: Expression, depth: number): Value | null {
    if (
      expression.kind === 'member' &&
      this.evaluator.dialect.self === 'this' &&
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
    const [made, ...more] = this.evaluator.definitions(element, depth + 1);
    if (made?.kind !== 'call' || more.length > 0 || made.callee.kind !== 'member') return null;
    const { name } = made.callee;
    const [given] = made.positional;
    if (!/^(?:getElementById|querySelector)$/.test(name) || given?.kind !== 'constant') return null;
    const id = String(given.value);
    if (name === 'querySelector' && !id.startsWith('#')) return null;
    const setting = this.evaluator.project.input(id.replace(/^#/, ''), element.node.source);
    return setting && this.evaluator.value(setting, depth + 1);
  }

  private sizeAt(array: Expression, axis: Expression, depth: number): Value {
    const place = this.evaluator.value(axis, depth);
    if (place.kind !== 'known' || typeof place.value !== 'number') return UNKNOWN;
    const shape = this.evaluator.shapeOf(array);
    return shape?.[place.value < 0 ? shape.length + place.value : place.value] ?? UNKNOWN;
  }

  private valueOfReference(expression: Expression, depth: number): Value {
    const size = this.sizeOf(expression, depth);
    if (size) return size;
    const bindings = this.evaluator.bindingsOf(expression, depth);
    if (bindings.length === 0) return UNKNOWN;
    const all = bindings.map(binding => this.evaluator.valueOfBinding(binding, depth + 1));
    const found = agreed(all);
    if (found.kind !== 'unknown' || bindings.length < 2) return found;
    return this.byConditions(bindings, expression, depth) ?? between(all);
  }

  /** Of several bindings in branches, the last that the conditions take, known or by default. */
  private byConditions(bindings: readonly Binding[], at: Expression, depth: number): Value | null {
    const { dialect } = this.evaluator;
    const [first] = bindings;
    const scope = dialect.scopeOf(first!.node);
    const here = dialect.scopeOf(at.node);
    // set by a constructor, and read in a method
    const isMember = here !== scope && scope.parent?.kind === 'class' && here.parent === scope.parent;
    const isMade = isMember && this.evaluator.constructorOf(scope.parent!) === scope;
    if (here !== scope && !isMade) return null;
    let isOpen = false;
    let last: Binding | null = null;
    for (const binding of bindings) {
      if (binding.kind !== 'value' || dialect.scopeOf(binding.node) !== scope) return null;
      if (!isMade && !isBefore(binding, at.node)) return null;
      const taken = this.isTaken(binding.node, at.node, depth);
      if (taken === null) return null;
      isOpen ||= taken.isOpen;
      if (taken.value && (!last || binding.node.startIndex > last.node.startIndex)) last = binding;
    }
    if (!last) return null;
    const value = this.evaluator.valueOfBinding(last, depth + 1);
    return isOpen ? open(value) : value;
  }

  /** Whether the conditions around a place, those that `at` shares not among them, lead to it; null where unknown. */
  private isTaken(node: Node, at: Node, depth: number): { value: boolean; isOpen: boolean } | null {
    const taken = { value: true, isOpen: false };
    const { dialect } = this.evaluator;
    let below = node;
    for (let here = node.parent; here; below = here, here = here.parent) {
      if (
        here.startIndex <= at.startIndex &&
        at.endIndex <= here.endIndex &&
        !/^if_|clause$/.test(here.type)
      ) {
        if (/block$|^module$|^program$/.test(here.type)) return taken;
      }
      if (/^(?:for|while|do|try|match|switch|with)/.test(here.type)) return null;
      if (/definition$|function|class/.test(here.type))
        return at.startIndex >= here.startIndex ? taken : null;
      if (here.type !== 'if_statement' && here.type !== 'elif_clause') continue;
      const condition = here.childForFieldName('condition');
      if (!condition || condition === below) continue;
      const tested = this.evaluator.value(dialect.expression(condition), depth + 1);
      const constant = usualOf(tested);
      if (constant === undefined) return null;
      taken.isOpen ||= tested.kind === 'outside';
      const isFirst = here.childForFieldName('consequence') === below;
      if (isFirst !== Boolean(constant)) taken.value = false;
      // an `elif` stands behind the conditions before it
      if (here.type === 'if_statement' && !isFirst)
        for (const other of here.childrenForFieldName('alternative')) {
          if (other === below) break;
          const before = other.childForFieldName('condition');
          const value = before && this.evaluator.value(dialect.expression(before), depth + 1);
          if (value?.kind === 'outside' && value.fallback !== undefined) {
            taken.isOpen = true;
            if (value.fallback) taken.value = false;
          } else if (value?.kind === 'known') {
            if (value.value) taken.value = false;
          } else return null;
        }
    }
    return taken;
  }

  ofBinding(binding: Binding, depth: number): Value {
    if (depth > DEPTH) return UNKNOWN;
    switch (binding.kind) {
      case 'value':
        return this.evaluator.value(binding.value, depth);
      case 'parameter':
        return this.valueOfParameter(binding, depth);
      case 'property': {
        const found = this.evaluator.membersOf(binding.of, binding.name, depth);
        if (found.length > 0)
          return agreed(found.map(each => this.evaluator.valueOfBinding(each, depth + 1)));
        return this.outside(binding.fallback, depth);
      }
      case 'turn':
        return agreed(
          this.evaluator
            .turnsOf(binding, depth)
            .map(each => (each ? this.evaluator.value(each, depth + 1) : UNKNOWN)),
        );
      case 'import':
        return agreed(
          this.evaluator.imported(binding).map(each => this.evaluator.valueOfBinding(each, depth + 1)),
        );
      default:
        return UNKNOWN;
    }
  }

  private outside(fallback: Expression | null, depth: number): Value {
    const found = fallback && this.evaluator.value(fallback, depth);
    if (found?.kind === 'outside') return found;
    return found?.kind === 'known'
      ? { kind: 'outside', fallback: found.value, from: found.from }
      : { kind: 'outside', fallback: undefined, from: null };
  }

  private valueOfParameter(binding: Extract<Binding, { kind: 'parameter' }>, depth: number): Value {
    const given = this.evaluator.argumentOf(binding, depth);
    if (given === undefined) return this.outside(binding.fallback, depth);
    const { expression, call, isDefault } = given;
    if (!expression) return this.outside(binding.fallback, depth);
    const found = this.evaluator.value(expression, depth + 1);
    if (found.kind === 'unknown') return this.outside(binding.fallback, depth);
    if (found.kind !== 'known') return found;
    // the outermost call that gave it; a default stands where it is written
    if (isDefault || found.from?.isCall) return found;
    return { ...found, from: this.originOf(call, true) };
  }
}

/** What a caller may give otherwise. */
function open(value: Value): Value | null {
  if (value.kind === 'unknown') return null;
  if (value.kind === 'outside') return value;
  return { kind: 'outside', fallback: value.value, from: value.from };
}

function numeric(value: Constant): Constant | undefined {
  const number =
    typeof value === 'string' && value.trim() !== '' ? Number(value) : Number(value ?? Number.NaN);
  return Number.isNaN(number) || value === '' ? undefined : number;
}

function whole(value: Constant, round: (number: number) => number): Constant | undefined {
  const number = numeric(value);
  return typeof number === 'number' ? round(number) : undefined;
}

function truth(by: Exclude<Choice, null>, value: Constant): boolean {
  return by === '??' ? value !== null : Boolean(value);
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

/** Of numbers that are all told and differ: between which they are. */
function between(values: readonly Value[]): Value {
  const ends = values.map(value => {
    if (value.kind === 'known' && typeof value.value === 'number') return [value.value, value.value];
    return value.kind === 'outside' && value.fallback === undefined ? value.range : undefined;
  });
  if (ends.some(each => each === undefined)) return UNKNOWN;
  const all = ends.flat() as number[];
  const [first] = values as [Exclude<Value, { kind: 'unknown' }>];
  return {
    kind: 'outside',
    fallback: undefined,
    from: first.from,
    range: [Math.min(...all), Math.max(...all)],
  };
}

function isSame(a: Value, b: Value): boolean {
  if (a.kind === 'known') return b.kind === 'known' && a.value === b.value;
  return (
    a.kind === 'outside' &&
    b.kind === 'outside' &&
    a.fallback === b.fallback &&
    a.range?.join() === b.range?.join()
  );
}

/** Of a function that never turns round, the ends of what is open give the ends of the result. */
function lift(
  values: Value[],
  compute: (values: Constant[]) => Constant | undefined,
  isMonotone = true,
): Value {
  if (values.some(({ kind }) => kind === 'unknown')) return UNKNOWN;
  const constants = values.map(usualOf);
  const result = constants.some(each => each === undefined) ? undefined : compute(constants as Constant[]);
  const origins = values.flatMap(value => (value.kind === 'unknown' || !value.from ? [] : [value.from]));
  const from = origins.find(({ isCall }) => isCall) ?? origins[0] ?? null;
  if (values.some(({ kind }) => kind === 'outside')) {
    const range = isMonotone ? rangeThrough(values, compute) : null;
    return { kind: 'outside', fallback: result, from, ...(range && { range }) };
  }
  return result === undefined ? UNKNOWN : { kind: 'known', value: result, from };
}

function rangeThrough(
  values: readonly Value[],
  compute: (values: Constant[]) => Constant | undefined,
): readonly [number, number] | null {
  const ends = values.map((value): readonly (Constant | undefined)[] => {
    if (value.kind === 'known') return [value.value];
    if (value.kind === 'unknown') return [undefined];
    return value.range ?? [value.fallback];
  });
  if (!ends.some(({ length }) => length === 2) || ends.flat().some(end => end === undefined)) return null;
  const corners = ends.reduce<Constant[][]>(
    (all, each) => all.flatMap(corner => each.map(end => [...corner, end!])),
    [[]],
  );
  const results = corners.map(compute);
  if (!results.every(each => typeof each === 'number' && Number.isFinite(each))) return null;
  return [Math.min(...(results as number[])), Math.max(...(results as number[]))];
}
