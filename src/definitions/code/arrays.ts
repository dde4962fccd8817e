// Shapes of arrays, as far as the text gives them: reshapes, slices, columns by name, lists that a loop fills, and what
// functions of the file hand on. Names are those of NumPy, pandas, PyTorch, TensorFlow and TensorFlow.js.

import {
  type ArrayShape,
  callsNamed,
  dotted,
  type Evaluator,
  framesWith,
  usualOf,
  type Value,
} from './evaluation.ts';
import { type Binding, type CallOf, type Expression, itemAt } from './expression.ts';
import type { Node, Source } from './node.ts';
import { type Columns, Tables } from './tables.ts';

const UNKNOWN: Value = { kind: 'unknown' };
const DEPTH = 26;
/** places looked at for one shape */
const MOST = 600;

/** Called as functions of a module or as methods: what they give has the shape of what they are given. */
const SAME =
  /^(?:array|asarray|ascontiguousarray|copy|deepcopy|astype|float|half|double|int|long|to|cuda|cpu|detach|clone|numpy|to_numpy|tensor|as_tensor|from_numpy|FloatTensor|LongTensor|Tensor|constant|convert_to_tensor|cast|Variable|requires_grad_|contiguous|dropna|fillna|sort_values|sort_index|reset_index|interpolate|ffill|bfill|shuffle|nan_to_num|abs|log|log1p|exp|sqrt|clip|round|normalize|toFloat|clone|sin|cos|tanh|flip|roll|set_index_none)$/;
/** The shape is the arguments, or the first of them. */
const SIZED =
  /^(?:zeros|ones|empty|full|rand|randn|random|random_sample|standard_normal|randomNormal|randomUniform|truncatedNormal|variable|placeholder)$/;
/** The shape is given by the name `size` or `shape`, or by a place. */
const DRAWN: Readonly<Record<string, number>> = { normal: 2, uniform: 2, randint: 2, binomial: 2, choice: 1 };
const TABLES =
  /^(?:read_(?:csv|excel|parquet|table|sql|json|feather)|DataFrame|DataReader|get_data_yahoo|download)$/;
const MAY_BE_TABLE = /\bread_(?:csv|table)\b|\.columns\b/;
/** Modules whose functions take the array as their first argument. */
const MODULES =
  /^(?:numpy|np|torch|tensorflow|tf|pandas|pd|K|keras|jnp|jax|copy|sklearn|npm:(?:https?:\/\/[\w./@-]*\/)?@tensorflow\/tfjs[\w./@-]*)(?:\.|$)/;
const SCALERS = /(?:Scaler|Normalizer|QuantileTransformer|PowerTransformer)$/;
/** Built-in data of Keras: the first array of each pair. */
const DATASETS: Readonly<Record<string, readonly number[]>> = {
  mnist: [28, 28],
  fashion_mnist: [28, 28],
  cifar10: [32, 32, 3],
  cifar100: [32, 32, 3],
  boston_housing: [13],
};

export class Arrays {
  private readonly evaluator: Evaluator;
  private readonly tables: Tables;
  private readonly under = new Set<Node>();
  private left = 0;
  private nested = 0;

  constructor(evaluator: Evaluator) {
    this.evaluator = evaluator;
    this.tables = new Tables(evaluator);
  }

  of(expression: Expression): ArrayShape {
    if (this.nested === 0) this.left = MOST;
    this.nested++;
    try {
      return this.shape(expression, 0);
    } finally {
      this.nested--;
    }
  }

  private shape(expression: Expression, depth: number): ArrayShape {
    if (depth > DEPTH || --this.left <= 0) return null;
    const table = this.ofTable(expression);
    if (table) return table;
    switch (expression.kind) {
      case 'list':
        return this.ofList(expression, depth);
      case 'call':
        return this.ofCall(expression, depth);
      case 'binary':
        return this.ofBinary(expression, depth);
      case 'unary':
        return this.shape(expression.operand, depth + 1);
      case 'choice':
        return agreed(expression.options.map(each => this.shape(each, depth + 1)));
      case 'index':
        return this.ofIndex(expression, depth);
      case 'member':
        return this.ofMember(expression, depth);
      case 'name':
        return this.ofBindings(expression, depth);
      case 'within':
        return this.evaluator.within(framesWith(this.evaluator.frames, expression), () =>
          this.shape(expression.value, depth + 1),
        );
      default:
        return null;
    }
  }

  /** A table whose columns the text or the first line of its file names. */
  private ofTable(expression: Expression): ArrayShape {
    if (!mayHoldTables(expression.node.source)) return null;
    const columns = this.tables.columns(expression);
    if (columns) return [UNKNOWN, this.widthOf(columns)];
    const names = this.tables.listOf(expression);
    return names?.at ? [this.widthOf(names)] : null;
  }

  private widthOf({ names, at }: Columns): Value {
    if (!at) return size(names.length);
    return {
      kind: 'outside',
      fallback: names.length,
      from: { file: at.source.file, line: 1, isCall: false },
    };
  }

  // names

  private ofBindings(expression: Expression, depth: number): ArrayShape {
    // an array that is made of itself, through a loop
    if (this.under.has(expression.node)) return null;
    if (isChangedInPlace(expression)) return null;
    this.under.add(expression.node);
    try {
      const bindings = this.evaluator.bindingsOf(expression, 0);
      return agreed(bindings.map(each => this.ofBinding(each, expression, depth + 1)));
    } finally {
      this.under.delete(expression.node);
    }
  }

  private ofBinding(binding: Binding, at: Expression, depth: number): ArrayShape {
    if (binding.kind === 'parameter') {
      const given = this.evaluator.argumentOf(binding, 0)?.expression;
      return given ? this.shape(given, depth) : null;
    }
    if (binding.kind === 'import')
      return agreed(this.evaluator.imported(binding).map(each => this.ofBinding(each, at, depth + 1)));
    if (binding.kind !== 'value') return null;
    const { value } = binding;
    // a table that has a name and whose columns are not told is changed after it was made
    if (this.ofTable(value)) return [UNKNOWN, UNKNOWN];
    return isEmptyList(value) ? this.ofFilled(binding, depth) : this.shape(value, depth);
  }

  /** `xs = []`, which `xs.append(…)` fills. */
  private ofFilled(binding: Binding, depth: number): ArrayShape {
    const target = binding.node.text;
    const { dialect } = this.evaluator;
    const { root } = binding.node.source;
    const scope = dialect.scopeOf(binding.node);
    const calls = (method: string) =>
      callsNamed(root, method, dialect).flatMap(node => {
        const call = dialect.scopeOf(node) === scope ? dialect.expression(node) : null;
        const isIt =
          call?.kind === 'call' && call.callee.kind === 'member' && call.callee.object.node.text === target;
        return isIt ? [call] : [];
      });
    const added = calls(dialect.self === 'self' ? 'append' : 'push');
    const isOtherwise = ['extend', 'insert', 'splice', 'unshift'].some(method => calls(method).length > 0);
    if (added.length === 0 || isOtherwise) return null;
    const items = agreed(added.map(({ positional: [item] }) => (item ? this.shape(item, depth + 1) : null)));
    return items && [UNKNOWN, ...items];
  }

  private ofList(list: Extract<Expression, { kind: 'list' }>, depth: number): ArrayShape {
    // null where it is changed after it was written
    const items = this.evaluator.itemsOf(list) ?? [];
    if (items.length === 0 || items.length > 4096) return null;
    const inner = agreed(items.slice(0, 64).map(item => this.itemShape(item, depth + 1)));
    return inner && [size(items.length), ...inner];
  }

  private itemShape(item: Expression, depth: number): ArrayShape {
    if (item.kind === 'constant' || (item.kind === 'unary' && item.operand.kind === 'constant')) return [];
    return this.shape(item, depth);
  }

  // members and elements

  private ofMember(expression: Extract<Expression, { kind: 'member' }>, depth: number): ArrayShape {
    const { object, name } = expression;
    if (name === 'values' || name === 'data' || name === 'real') {
      const own = this.shape(object, depth + 1);
      if (own) return own;
    }
    if (name === 'T') {
      const own = this.shape(object, depth + 1);
      return own && [...own].reverse();
    }
    return this.ofBindings(expression, depth);
  }

  private ofIndex(expression: Extract<Expression, { kind: 'index' }>, depth: number): ArrayShape {
    const { object, index } = expression;
    const place = index.kind === 'constant' && typeof index.value === 'number' ? index.value : null;
    if (place !== null) {
      const part = this.partOf(object, place, depth);
      if (part !== undefined) return part;
    }
    const target = object.kind === 'member' && /^i?loc$/.test(object.name) ? object.object : object;
    const parts = subscripts(expression.node);
    if (!parts) return null;
    if (parts.length === 1 || target !== object) {
      const columns = this.columns(parts.at(-1)!, target, depth);
      if (columns) return columns;
    }
    const own = this.shape(target, depth + 1);
    return own && this.sliced(own, parts);
  }

  /** An element of a tuple that a call or a list gives; undefined where the object is an array. */
  private partOf(object: Expression, place: number, depth: number): ArrayShape | undefined {
    if (object.kind === 'list') {
      const item = itemAt(object.items, place);
      return item ? this.shape(item, depth + 1) : null;
    }
    if (object.kind === 'index' && object.index.kind === 'constant') {
      const data = this.dataset(object.object);
      if (data && typeof object.index.value === 'number')
        return place === 0 ? [UNKNOWN, ...data.map(size)] : [UNKNOWN];
    }
    if (object.kind === 'name' || object.kind === 'member') {
      const [made, ...more] = this.evaluator.definitions(object);
      const isTuple = made && more.length === 0 && made !== object && ['call', 'list'].includes(made.kind);
      return isTuple ? this.partOf(made, place, depth + 1) : undefined;
    }
    if (object.kind !== 'call') return undefined;
    const { callee, positional } = object;
    const name = lastOf(callee);
    if (name === 'train_test_split') {
      const given = positional[place >> 1];
      const own = given ? this.shape(given, depth + 1) : null;
      return own && [UNKNOWN, ...own.slice(1)];
    }
    const parts = this.evaluator.returned(object, result => {
      const [list] = result.kind === 'list' ? [result] : this.evaluator.definitions(result);
      if (list?.kind !== 'list') return undefined;
      const item = itemAt(list.items, place);
      return item ? this.shape(item, depth + 1) : null;
    });
    if (!parts || parts.some(each => each === undefined)) return undefined;
    return agreed(parts as ArrayShape[]);
  }

  private dataset(expression: Expression): readonly number[] | null {
    if (expression.kind !== 'call' || lastOf(expression.callee) !== 'load_data') return null;
    for (const name of this.evaluator.qualified(expression.callee)) {
      const found = /(?:keras|^)\.?datasets\.(\w+)\.load_data$/.exec(name)?.[1];
      if (found && DATASETS[found]) return DATASETS[found];
    }
    return null;
  }

  /** `df["a"]`, `df[["a", "b"]]`, `df[features]`: the columns of a table. */
  private columns(part: Node, table: Expression | null, depth: number): ArrayShape {
    const { dialect } = this.evaluator;
    const given = dialect.expression(part);
    if (given.kind === 'constant')
      return typeof given.value === 'string' && table && this.isTable(table, depth) ? [UNKNOWN] : null;
    if (!['list', 'name', 'member'].includes(given.kind)) return null;
    const items = this.evaluator.itemsOf(given);
    const isNames = items?.every(item => {
      const name = this.evaluator.value(item);
      return name.kind === 'known' && typeof name.value === 'string';
    });
    if (items && isNames) return [UNKNOWN, size(items.length)];
    const listed = this.tables.listOf(given);
    return listed && [UNKNOWN, this.widthOf(listed)];
  }

  /** A table of pandas: a string in its brackets names a column, where it may be anything in a dictionary. */
  private isTable(expression: Expression, depth: number): boolean {
    if (depth > DEPTH) return false;
    const made = this.evaluator.definitions(expression);
    return (
      made.length > 0 &&
      made.every(each => {
        if (each.kind !== 'call') return false;
        const name = lastOf(each.callee);
        if (TABLES.test(name)) return true;
        const owner = each.callee.kind === 'member' ? each.callee.object : null;
        return owner !== null && SAME.test(name) && this.isTable(owner, depth + 1);
      })
    );
  }

  private sliced(own: readonly Value[], parts: readonly Node[]): ArrayShape {
    const dims: Value[] = [];
    let axis = 0;
    for (const [index, part] of parts.entries()) {
      if (part.type === 'ellipsis') {
        const rest = parts.slice(index + 1).filter(each => !isNewAxis(each)).length;
        while (axis < own.length - rest) dims.push(own[axis++]!);
        continue;
      }
      if (isNewAxis(part)) {
        dims.push(size(1));
        continue;
      }
      const dim = own[axis++];
      if (!dim) return null;
      if (part.type === 'slice') {
        dims.push(this.window(part, dim));
        continue;
      }
      const given = this.evaluator.dialect.expression(part);
      if (given.kind === 'list') {
        dims.push(size(given.items.length));
        continue;
      }
      // a name may be an array of places, or of truths
      if (!this.isCount(given)) return null;
    }
    return [...dims, ...own.slice(axis)];
  }

  /** A number, or the variable of a loop over numbers. */
  private isCount(expression: Expression): boolean {
    if (numberOf(this.evaluator.value(expression)) !== null) return true;
    if (expression.kind === 'binary' && /^[-+*]$/.test(expression.operator))
      return this.isCount(expression.left) && this.isCount(expression.right);
    if (expression.kind !== 'name') return false;
    const [binding, ...more] = this.evaluator.bindingsOf(expression, 0);
    if (binding?.kind !== 'turn' || more.length > 0 || binding.over.kind !== 'call') return false;
    const name = lastOf(binding.over.callee);
    return name === 'range' || (name === 'enumerate' && binding.path === 0);
  }

  private window(slice: Node, dim: Value): Value {
    const bounds: (Node | null)[] = [null];
    for (const child of slice.children) {
      if (child.isNamed) bounds[bounds.length - 1] = child;
      else if (child.text === ':') bounds.push(null);
    }
    const [from, to, step] = bounds;
    if (!from && !to && !step) return dim;
    if (step) return UNKNOWN;
    const { dialect } = this.evaluator;
    const read = (node: Node | null | undefined) =>
      node ? numberOf(this.evaluator.value(dialect.expression(node))) : undefined;
    const [low, high] = [read(from) ?? (from ? null : 0), to ? read(to) : undefined];
    if (low === null || high === null) return UNKNOWN;
    const length = numberOf(dim);
    if (length === null && dim.kind === 'outside' && typeof dim.fallback === 'number') {
      const usual = this.window(slice, size(dim.fallback));
      return usual.kind === 'known' ? { kind: 'outside', fallback: usual.value, from: dim.from } : UNKNOWN;
    }
    if (high !== undefined && low >= 0 && high >= 0)
      return size(Math.max(0, (length === null ? high : Math.min(high, length)) - low));
    if (length === null) return UNKNOWN;
    const end = high === undefined ? length : high < 0 ? length + high : Math.min(high, length);
    const begin = low < 0 ? Math.max(0, length + low) : low;
    return size(Math.max(0, end - begin));
  }

  // calculations

  private ofBinary(
    { operator, left, right }: Extract<Expression, { kind: 'binary' }>,
    depth: number,
  ): ArrayShape {
    if (!/^(?:[-+*/%]|\*\*|\/\/)$/.test(operator)) return null;
    const [a, b] = [this.operand(left, depth + 1), this.operand(right, depth + 1)];
    if (!a || !b) return null;
    // lists are put behind each other
    const isList = [left, right].some(each =>
      this.evaluator.definitions(each).some(made => made.kind === 'list'),
    );
    if (!isList) return broadcast(a, b);
    return operator === '+'
      ? agreed([
          [UNKNOWN, ...a.slice(1)],
          [UNKNOWN, ...b.slice(1)],
        ])
      : null;
  }

  /** A number has no axes. */
  private operand(expression: Expression, depth: number): ArrayShape {
    const own = this.shape(expression, depth);
    if (own) return own;
    if (this.evaluator.value(expression).kind === 'known') return [];
    const isNumber = (each: Expression) =>
      each.kind === 'call' && /^(?:float|int|len|max|min|Number)$/.test(dotted(each.callee));
    return this.evaluator.definitions(expression).every(isNumber) ? [] : null;
  }

  private ofCall(call: CallOf, depth: number): ArrayShape {
    const { callee, positional, named } = call;
    const name = lastOf(callee);
    const owner = callee.kind === 'member' ? callee.object : null;
    const isModule = this.evaluator.qualified(callee).some(each => MODULES.test(each));
    if (owner === null && !isModule && !/^(?:train_test_split|pad_sequences|to_categorical)$/.test(name)) {
      const results = this.evaluator.returned(call, result => this.shape(result, depth + 1));
      return results && agreed(results);
    }
    const subject = isModule ? positional[0] : owner;
    const rest = isModule ? positional.slice(1) : positional;
    const own = () => (subject ? this.shape(subject, depth + 1) : null);
    const option = (place: number, ...names: string[]) =>
      rest[place] ?? names.map(each => named.get(each)?.value).find(each => each !== undefined);
    const results = this.evaluator.returned(call, result => this.shape(result, depth + 1));
    if (results) return agreed(results);
    if (SIZED.test(name) && isModule) {
      // `full((4, 3), 7)`: its second argument is no size
      const given = name === 'full' ? positional.slice(0, 1) : positional;
      return this.sizes(given[0] ? given : [named.get('shape')?.value ?? named.get('size')?.value]);
    }
    const drawn = DRAWN[name];
    if (drawn !== undefined && isModule) {
      const given =
        named.get('size')?.value ??
        named.get('shape')?.value ??
        positional[drawn] ??
        (positional[0]?.kind === 'list' ? positional[0] : undefined);
      return given ? this.sizes([given]) : null;
    }
    if (/^(?:reshape|view)$/.test(name)) {
      const shape = rest[0] ?? named.get('newshape')?.value ?? named.get('shape')?.value;
      return shape ? this.reshaped(rest.length > 1 ? rest : [shape], own()) : null;
    }
    if (/^tensor[1-6]d$|^tensor$/.test(name) && rest[0] && isModule) return this.sizes([rest[0]]);
    if (/^(?:expand_dims|expandDims|unsqueeze)$/.test(name))
      return this.expanded(own(), option(0, 'axis', 'dim'));
    if (/^(?:transpose|permute)$/.test(name))
      return this.permuted(own(), rest.length > 1 ? rest : rest[0], name, owner);
    if (/^(?:fit_transform|transform|inverse_transform)$/.test(name) && owner)
      return this.scaled(owner, positional[0], depth);
    if (name === 'pad_sequences') {
      const length = named.get('maxlen')?.value ?? positional[1];
      return [UNKNOWN, length ? this.evaluator.value(length) : UNKNOWN];
    }
    if (name === 'to_categorical') {
      const classes = named.get('num_classes')?.value ?? positional[1];
      const dims = positional[0] ? this.shape(positional[0], depth + 1) : null;
      return dims && [...dims, classes ? this.evaluator.value(classes) : UNKNOWN];
    }
    if (
      name === 'column_stack' ||
      name === 'dstack' ||
      name === 'hstack' ||
      name === 'stack' ||
      name === 'concatenate' ||
      name === 'concat'
    )
      return this.joined(name, positional[0], option(0, 'axis', 'dim'), depth);
    if (name === 'filter' && owner && positional[0]) return this.columns(positional[0].node, null, depth);
    if (name === 'read_csv')
      return this.table(named.get('usecols')?.value, named.get('index_col') !== undefined);
    if (TABLES.test(name) && name !== 'DataFrame') return [UNKNOWN, UNKNOWN];
    if (name === 'DataFrame') {
      const columns = named.get('columns')?.value;
      return (columns && this.columns(columns.node, null, depth)) ?? own();
    }
    return SAME.test(name) && !named.has('axis') ? own() : null;
  }

  private table(columns: Expression | undefined, hasIndex: boolean): ArrayShape {
    const items = columns && !hasIndex ? this.evaluator.itemsOf(columns) : null;
    return [UNKNOWN, items ? size(items.length) : UNKNOWN];
  }

  private scaled(owner: Expression, given: Expression | undefined, depth: number): ArrayShape {
    const made = this.evaluator.definitions(owner);
    const isScaler =
      made.length > 0 && made.every(each => each.kind === 'call' && SCALERS.test(lastOf(each.callee)));
    // scikit-learn takes tables only
    return isScaler && given ? (this.shape(given, depth + 1) ?? [UNKNOWN, UNKNOWN]) : null;
  }

  /** `(n, 10, 1)`, `n, 10, 1` or `[n, 10, 1]` */
  private sizes(given: readonly (Expression | undefined)[]): Value[] | null {
    const [first] = given;
    if (!first) return null;
    const items = given.length === 1 ? this.evaluator.itemsOf(first) : null;
    const all = items ?? (given as Expression[]);
    // a shape that has a name and is not told
    if (!items && given.length === 1 && numberOf(this.evaluator.value(first)) === null) return null;
    return all.map(each => this.evaluator.value(each));
  }

  /** With `-1` for what is left of the sizes before. */
  private reshaped(given: readonly Expression[], before: ArrayShape): ArrayShape {
    const dims = this.sizes(given);
    if (!dims) return null;
    const isRest = (dim: Value) => numberOf(dim) === -1;
    if (!dims.some(isRest)) return dims.map(positive);
    const all = before?.map(numberOf);
    const others = dims.filter(dim => !isRest(dim)).map(numberOf);
    const product = (numbers: (number | null)[]) =>
      numbers.some(each => each === null) ? null : (numbers as number[]).reduce((a, b) => a * b, 1);
    const [total, known] = [all ? product(all) : null, product(others)];
    const rest = total !== null && known ? size(total / known) : UNKNOWN;
    return dims.map(dim => (isRest(dim) ? rest : positive(dim)));
  }

  private expanded(own: ArrayShape, axis: Expression | undefined): ArrayShape {
    const place = axis ? numberOf(this.evaluator.value(axis)) : null;
    if (!own || place === null) return null;
    const at = place < 0 ? own.length + 1 + place : place;
    return [...own.slice(0, at), size(1), ...own.slice(at)];
  }

  private permuted(
    own: ArrayShape,
    given: readonly Expression[] | Expression | undefined,
    name: string,
    owner: Expression | null,
  ): ArrayShape {
    if (!own) return null;
    if (!given) return [...own].reverse();
    const items = Array.isArray(given) ? given : this.evaluator.itemsOf(given as Expression);
    const places = items?.map(each => numberOf(this.evaluator.value(each)));
    if (!places || places.some(each => each === null)) return null;
    const at = (place: number) => own[place < 0 ? own.length + place : place] ?? UNKNOWN;
    // `x.transpose(1, 2)` of PyTorch swaps two axes, that of NumPy names all of them
    if (name === 'transpose' && places.length === 2 && own.length > 2 && owner) {
      const [a, b] = (places as number[]).map(place => (place < 0 ? own.length + place : place));
      return own.map((dim, index) => (index === a ? own[b!]! : index === b ? own[a!]! : dim));
    }
    return places.length === own.length ? (places as number[]).map(at) : null;
  }

  private joined(
    name: string,
    given: Expression | undefined,
    axis: Expression | undefined,
    depth: number,
  ): ArrayShape {
    const items = given && this.evaluator.itemsOf(given);
    if (!items) return null;
    const shapes = items.map(each => this.shape(each, depth + 1));
    if (shapes.some(each => each === null)) return null;
    const [first] = shapes as Value[][];
    const place = axis ? numberOf(this.evaluator.value(axis)) : 0;
    if (!first || place === null || shapes.some(each => each!.length !== first.length)) return null;
    if (name === 'stack') return this.stacked(agreed(shapes), items.length, place);
    if (name === 'dstack') return null;
    if (name === 'column_stack' && first.length === 1) return [UNKNOWN, size(items.length)];
    const along = /stack$/.test(name)
      ? first.length === 1
        ? 0
        : 1
      : place < 0
        ? first.length + place
        : place;
    const whole = sumOf(shapes.map(each => each![along] ?? UNKNOWN));
    return agreed(shapes)!.map((dim, index) => (index === along ? whole : dim));
  }

  private stacked(own: ArrayShape, many: number, place: number): ArrayShape {
    if (!own) return null;
    const at = place < 0 ? own.length + 1 + place : place;
    return [...own.slice(0, at), size(many), ...own.slice(at)];
  }
}

/** `[]`, `list()` */
function isEmptyList(value: Expression): boolean {
  if (value.kind === 'list') return value.items.length === 0;
  return value.kind === 'call' && value.node.text === 'list()';
}

function lastOf(expression: Expression): string {
  return expression.kind === 'member' || expression.kind === 'name' ? expression.name : '';
}

function size(value: number): Value {
  return Number.isInteger(value) ? { kind: 'known', value, from: null } : UNKNOWN;
}

function numberOf(value: Value): number | null {
  return value.kind === 'known' && typeof value.value === 'number' ? value.value : null;
}

/** What is open in one of them leaves the sum open, with its default. */
function sumOf(values: readonly Value[]): Value {
  let sum = 0;
  let open: Extract<Value, { kind: 'outside' }> | null = null;
  for (const value of values) {
    const number = usualOf(value);
    if (typeof number !== 'number') return UNKNOWN;
    sum += number;
    if (value.kind === 'outside') open ??= value;
  }
  return open ? { kind: 'outside', fallback: sum, from: open.from } : size(sum);
}

function positive(value: Value): Value {
  const number = usualOf(value);
  return typeof number === 'number' && number > 0 ? value : UNKNOWN;
}

/** `x.shape = (3, 4)` and `x.resize(3, 4)` give a name another shape without binding it. */
function isChangedInPlace({ node }: Expression): boolean {
  let known = CHANGED.get(node.source);
  if (!known) CHANGED.set(node.source, (known = new Map()));
  const { text } = node;
  let isIt = known.get(text);
  if (isIt === undefined) known.set(text, (isIt = findChange(node)));
  return isIt;
}

const HOLDS_TABLES = new WeakMap<Source, boolean>();

function mayHoldTables(source: Source): boolean {
  let isIt = HOLDS_TABLES.get(source);
  if (isIt === undefined) HOLDS_TABLES.set(source, (isIt = MAY_BE_TABLE.test(source.text)));
  return isIt;
}

const CHANGED = new WeakMap<Source, Map<string, boolean>>();

function findChange(node: Node): boolean {
  const { text, root } = node.source;
  if (!IN_PLACE.test(text)) return false;
  const name = node.text.replace(/[.$]/g, '\\$&');
  const change = new RegExp(
    `(?<![\\w.])${name}\\.(?:shape\\s*=[^=]|(?:resize_?|squeeze_|unsqueeze_|insert)\\s*\\()`,
    'g',
  );
  return [...text.matchAll(change)].some(
    ({ index }) => !/string|comment/.test(root.descendantForIndex(index, index + 1)?.type ?? ''),
  );
}

const IN_PLACE = /\.shape\s*=[^=]|\.(?:resize_?|squeeze_|unsqueeze_|insert)\s*\(/;

/** What stands in the brackets of `x[…]`; null where it is no subscript of Python. */
function subscripts(node: Node): Node[] | null {
  if (node.type !== 'subscript') return null;
  const parts = node.childrenForFieldName('subscript');
  const [only] = parts;
  return parts.length === 1 && only?.type === 'tuple' ? only.namedChildren : parts;
}

function isNewAxis({ type, text }: Node): boolean {
  return type === 'none' || /(?:^|\.)newaxis$/.test(text);
}

function agreed(shapes: readonly ArrayShape[]): ArrayShape {
  const [first, ...rest] = shapes;
  if (!first) return null;
  if (rest.some(each => each?.length !== first.length)) return null;
  return first.map((dim, index) => {
    const isOne = rest.every(each => isSame(each![index]!, dim));
    return isOne ? dim : UNKNOWN;
  });
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

function broadcast(a: readonly Value[], b: readonly Value[]): Value[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, index) => {
    const [left, right] = [a[a.length - rank + index], b[b.length - rank + index]];
    if (!left || !right) return (left ?? right)!;
    if (isSame(left, right)) return left;
    const [one, other] = [numberOf(left), numberOf(right)];
    if (one !== null && one > 1) return left;
    if (other !== null && other > 1) return right;
    return one === 1 ? right : other === 1 ? left : UNKNOWN;
  });
}
