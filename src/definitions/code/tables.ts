// Columns of tables: those that the first line of a data file names, as far as the text tells what becomes of them:
// columns that are taken, dropped, added or made the index. The file may be another one tomorrow: what stands in it is a
// default. Names are those of pandas.
import { dataPath } from './data-paths.ts';
import { dotted, type Evaluator, usualOf } from './evaluation.ts';
import type { Binding, CallOf, Constant, Expression } from './expression.ts';
import type { Node } from './node.ts';

const DEPTH = 20;
const MOST_COLUMNS = 4096;
const READS = /(?:^|\.)read_(?:csv|table)$/;
/** Methods that leave columns as they are, unless an axis is given. */
const SAME =
  /^(?:copy|dropna|fillna|sort_values|sort_index|ffill|bfill|interpolate|astype|head|tail|sample|query|replace|diff|pct_change|shift|abs|round|clip|drop_duplicates|truncate|transform|apply|applymap|map|to_frame)$/;
/** Options of a reader by which columns are not those of the first line. */
const OTHERWISE = ['parse_dates', 'squeeze', 'dialect', 'skip_blank_lines', 'comment', 'skipinitialspace'];

export interface Columns {
  names: readonly string[];
  /** of the file that names them; null where the text does */
  at: Node | null;
}

export class Tables {
  private readonly evaluator: Evaluator;
  private readonly under = new Set<Node>();

  constructor(evaluator: Evaluator) {
    this.evaluator = evaluator;
  }

  /** The columns of a table; null where it is none, or they are not told. */
  columns(expression: Expression, depth = 0): Columns | null {
    if (this.evaluator.dialect.self !== 'self') return null;
    if (depth > DEPTH || this.under.has(expression.node)) return null;
    this.under.add(expression.node);
    try {
      const found = this.find(expression, depth + 1);
      return found && found.names.length > 0 && found.names.length <= MOST_COLUMNS ? found : null;
    } finally {
      this.under.delete(expression.node);
    }
  }

  private find(expression: Expression, depth: number): Columns | null {
    switch (expression.kind) {
      case 'call':
        return this.ofCall(expression, depth);
      case 'index':
        return this.ofIndex(expression, depth);
      case 'name':
        return this.ofBindings(expression, depth);
      case 'member':
        return /^(?:values|loc|iloc)$/.test(expression.name)
          ? this.columns(expression.object, depth)
          : this.ofBindings(expression, depth);
      default:
        return null;
    }
  }

  // names

  private ofBindings(expression: Expression, depth: number): Columns | null {
    const [binding, ...more] = this.evaluator.bindingsOf(expression, 0);
    if (!binding || more.length > 0) return null;
    if (binding.kind === 'import') {
      const [only, ...others] = this.evaluator.imported(binding);
      return only?.kind === 'value' && others.length === 0 ? this.columns(only.value, depth) : null;
    }
    if (binding.kind === 'parameter') {
      const given = this.evaluator.argumentOf(binding, 0)?.expression;
      const made = given ? this.columns(given, depth) : null;
      return made && this.changed(made, binding, expression, depth);
    }
    if (binding.kind !== 'value') return null;
    const made = this.columns(binding.value, depth);
    return made && this.changed(made, binding, expression, depth);
  }

  /** What the statements between a table's making and its use add to it and take away. */
  private changed(made: Columns, binding: Binding, use: Expression, depth: number): Columns | null {
    const { dialect } = this.evaluator;
    const { source } = binding.node;
    const target = use.node.text;
    const own = dialect.scopeOf(binding.node);
    const isSame = dialect.scopeOf(use.node) === own && use.node.source === source;
    const end = isSame ? use.node.startIndex : source.text.length;
    const from = binding.kind === 'parameter' ? own.node.startIndex : binding.node.endIndex;
    const name = target.replace(/[.$]/g, '\\$&');
    let columns: Columns | null = made;
    for (const { index } of source.text
      .slice(0, end)
      .matchAll(new RegExp(`(?<![\\w.])${name}(?![\\w])`, 'g'))) {
      if (index < from || !columns) continue;
      const node = source.root.descendantForIndex(index, index + target.length);
      if (!node || node.text !== target || node === binding.node) continue;
      const change = this.changeAt(node, depth);
      if (!change) continue;
      // a branch or a loop may or may not pass there
      if (
        dialect.scopeOf(node) !== own ||
        dialect.branches(node).length > dialect.branches(binding.node).length
      )
        return null;
      columns = change(columns);
    }
    return columns;
  }

  /** How the statement around a table's name changes its columns; null where it does not. */
  private changeAt(node: Node, depth: number): ((before: Columns) => Columns | null) | null {
    const { parent } = node;
    const { dialect } = this.evaluator;
    if (!parent) return null;
    const unknown = () => null;
    const top = parent.type === 'attribute' && parent.parent?.type === 'subscript' ? parent.parent : parent;
    const statement = top.parent;
    if (statement?.type === 'assignment' && statement.childForFieldName('left') === top)
      return this.assigned(node, top, statement.childForFieldName('right'));
    if (/^(?:pattern_list|tuple_pattern)$/.test(statement?.type ?? '') && top.type === 'subscript')
      return unknown;
    if (statement?.type === 'delete_statement') {
      const [name] = this.listed(top, depth) ?? [];
      return name === undefined ? unknown : before => without(before, [name]);
    }
    if (parent.type === 'argument_list') {
      // a function of the program may change what it is given
      const call = parent.parent && dialect.expression(parent.parent);
      const isAlone = parent.parent?.parent?.type === 'expression_statement';
      const isOwn =
        call?.kind === 'call' &&
        call.callee.kind === 'name' &&
        this.evaluator.lookUp(call.callee.name, call.callee).some(({ kind }) => kind === 'function');
      return isAlone && isOwn ? unknown : null;
    }
    if (parent.type !== 'attribute' || statement?.type !== 'call') return null;
    const call = dialect.expression(statement);
    if (call.kind !== 'call' || call.callee.kind !== 'member' || call.callee.node !== parent) return null;
    const { name } = call.callee;
    const isInPlace = this.isTrue(call.named.get('inplace')?.value);
    if (name === 'pop') return before => this.less(before, call.positional[0], depth);
    if (name === 'insert') return before => this.more(before, call.positional[1]);
    if (!isInPlace) return null;
    return before => this.after(name, call, before, depth);
  }

  /** `frame["a"] = …`, `frame.loc[:, "a"] = …`, `frame.columns = […]` */
  private assigned(node: Node, left: Node, right: Node | null): ((before: Columns) => Columns | null) | null {
    if (left.type === 'attribute') {
      if (left.childForFieldName('attribute')?.text !== 'columns') return null;
      const names = right && this.strings(this.evaluator.dialect.expression(right));
      return before => names && { names, at: before.at };
    }
    if (left.type !== 'subscript') return null;
    const owner = left.childForFieldName('value');
    const parts = left.childrenForFieldName('subscript');
    if (owner !== node && /\.i?(?:loc|at)$/.test(owner?.text ?? '') === false) return null;
    if (owner !== node && /\.i(?:loc|at)$/.test(owner!.text)) return null;
    const part = owner === node ? parts[0] : parts[1];
    if (!part) return () => null;
    if (part.type === 'slice') return null;
    return before => this.more(before, this.evaluator.dialect.expression(part));
  }

  private more(before: Columns, given: Expression | undefined): Columns | null {
    const names = given && this.strings(given);
    return names ? { ...before, names: [...new Set([...before.names, ...names])] } : null;
  }

  private less(before: Columns, given: Expression | undefined, depth: number): Columns | null {
    const names = given && (this.strings(given) ?? this.listOf(given, depth)?.names);
    return names ? without(before, names) : null;
  }

  // calls

  private ofCall(call: CallOf, depth: number): Columns | null {
    const { callee, positional, named } = call;
    const name = dotted(callee);
    if (READS.test(name)) return this.read(call, name, depth);
    if (/(?:^|\.)DataFrame$/.test(name)) {
      const columns = named.get('columns')?.value ?? positional[2];
      if (columns) return this.listOf(columns, depth);
      return positional[0] ? this.columns(positional[0], depth) : null;
    }
    const returned = this.evaluator.returned(call, result => this.columns(result, depth));
    if (returned) {
      const [first, ...rest] = returned;
      return first && rest.every(each => each?.names.join() === first.names.join()) ? first : null;
    }
    if (callee.kind !== 'member') return null;
    const before = this.columns(callee.object, depth);
    return before && this.after(callee.name, call, before, depth);
  }

  /** The columns behind a method of a table. */
  private after(name: string, call: CallOf, before: Columns, depth: number): Columns | null {
    const { positional, named } = call;
    const [first] = positional;
    const axis = named.get('axis')?.value ?? (name === 'drop' ? positional[1] : undefined);
    const along = axis ? this.constant(axis) : undefined;
    if (SAME.test(name)) return axis && along !== 0 && along !== 'index' ? null : before;
    switch (name) {
      case 'drop': {
        const columns = named.get('columns')?.value;
        if (columns) return this.less(before, columns, depth);
        if (!axis) return before;
        if (along !== 1 && along !== 'columns') return along === 0 || along === 'index' ? before : null;
        return this.less(before, named.get('labels')?.value ?? first, depth);
      }
      case 'set_index':
        return this.constant(named.get('drop')?.value) === false
          ? before
          : this.less(before, named.get('keys')?.value ?? first, depth);
      case 'reset_index':
        return this.isTrue(named.get('drop')?.value)
          ? before
          : { ...before, names: ['index', ...before.names] };
      case 'assign':
        return { ...before, names: [...new Set([...before.names, ...named.keys()])] };
      case 'filter': {
        const items = named.get('items')?.value ?? first;
        return items ? this.listOf(items, depth) : null;
      }
      case 'rename': {
        const [record] = this.evaluator.definitions(named.get('columns')?.value ?? call);
        if (record?.kind !== 'record' || !record.isWhole || record.spreads.length > 0) return null;
        const names = before.names.map(own => {
          const to = record.entries.get(own);
          return to ? this.constant(to) : own;
        });
        return names.every(each => typeof each === 'string') ? { ...before, names: names as string[] } : null;
      }
      default:
        return null;
    }
  }

  /** `pd.read_csv("x.csv", usecols=["a", "b"], index_col=0)` */
  private read(call: CallOf, name: string, depth: number): Columns | null {
    const { positional, named, node } = call;
    if (OTHERWISE.some(option => named.has(option) && !this.keepsColumns(option, named.get(option)!.value)))
      return null;
    const given = positional[0] ?? named.get('filepath_or_buffer')?.value;
    const file = given && dataPath(this.evaluator, given);
    const data = file ? this.evaluator.project.data(file, node.source, 'begin') : null;
    if (!data) return null;
    const separator = named.get('sep')?.value ?? named.get('delimiter')?.value ?? positional[1];
    const sign = separator ? this.constant(separator) : name.endsWith('table') ? '\t' : ',';
    const skipped = named.has('skiprows') ? this.constant(named.get('skiprows')!.value) : 0;
    if (typeof skipped !== 'number' || typeof sign !== 'string') return null;
    const line = this.isTrue(named.get('delim_whitespace')?.value) ? '\\s+' : sign;
    const cells = cellsOf(data.text.replace(/^\ufeff/, '').split(/\r\n|\r|\n/)[skipped] ?? '', line);
    if (!cells) return null;
    const own = named.get('names')?.value;
    const header = named.has('header') ? this.constant(named.get('header')!.value) : own ? null : 0;
    if (header !== null && header !== 0 && header !== 'infer') return null;
    const names = own ? this.listOf(own, depth)?.names : null;
    if (own && !names) return null;
    const all = names ?? (header === null ? cells.map((_, place) => String(place)) : cells);
    const used = named.get('usecols')?.value;
    let columns: Columns | null = { names: all, at: data.node };
    if (used) columns = this.taken(columns, used, depth);
    const index = named.get('index_col')?.value;
    if (!columns || !index) return columns;
    const place = this.constant(index);
    if (place === false || place === null) return columns;
    if (typeof place === 'number') return without(columns, [columns.names.at(place) ?? '']);
    return this.less(columns, index, depth);
  }

  /** `parse_dates=["day"]` reads a column otherwise; a list of lists joins some. */
  private keepsColumns(option: string, given: Expression): boolean {
    if (option === 'skipinitialspace') return true;
    if (option !== 'parse_dates') return false;
    return (
      typeof this.constant(given) === 'boolean' ||
      this.strings(given) !== null ||
      this.numbers(given) !== null
    );
  }

  // elements

  private ofIndex({ object, node }: Extract<Expression, { kind: 'index' }>, depth: number): Columns | null {
    const { dialect } = this.evaluator;
    const parts = node.childrenForFieldName('subscript');
    const isPlace = object.kind === 'member' && /^i?loc$/.test(object.name);
    const before = this.columns(isPlace ? object.object : object, depth);
    const [first, second] = parts;
    if (!before || !first || parts.length > 2) return null;
    if (!isPlace && !(object.kind === 'member' && object.name === 'values')) {
      if (second) return null;
      if (first.type === 'slice' || isMask(first)) return before;
      return this.taken(before, dialect.expression(first), depth, false);
    }
    if (!second) return first.type === 'slice' || isMask(first) ? before : null;
    if (second.type === 'slice')
      return this.sliced(before, second, object.kind === 'member' && object.name === 'loc');
    return this.taken(before, dialect.expression(second), depth, isPlace && object.name === 'iloc');
  }

  /** Columns by a list of names or of places. */
  private taken(before: Columns, given: Expression, depth: number, byPlace = true): Columns | null {
    const numbers = byPlace ? this.numbers(given) : null;
    if (numbers) {
      const names = numbers.map(place => before.names.at(place));
      return names.every(each => each !== undefined) ? { ...before, names: names as string[] } : null;
    }
    return this.listOf(given, depth);
  }

  private sliced(before: Columns, slice: Node, byName: boolean): Columns | null {
    const bounds: (Node | null)[] = [null];
    for (const child of slice.children) {
      if (child.isNamed) bounds[bounds.length - 1] = child;
      else if (child.text === ':') bounds.push(null);
    }
    const [from, to, step] = bounds.map(
      each => each && this.constant(this.evaluator.dialect.expression(each)),
    );
    if (step !== null && step !== undefined) return null;
    const at = (given: Constant | undefined, isEnd: boolean): number | undefined => {
      if (given === null || given === undefined) return isEnd ? before.names.length : 0;
      if (!byName) return typeof given === 'number' ? given : undefined;
      const place = before.names.indexOf(String(given));
      return place < 0 ? undefined : isEnd ? place + 1 : place;
    };
    // a bound that is written and not told
    if ((bounds[0] && from === undefined) || (bounds[1] && to === undefined)) return null;
    const [low, high] = [at(from, false), at(to, true)];
    return low === undefined || high === undefined
      ? null
      : { ...before, names: before.names.slice(low, high) };
  }

  // lists of names

  /** `frame.columns[1:]`, `[c for c in frame.columns if c != "y"]`, `features + ["y"]`: names, and the file behind them. */
  listOf(expression: Expression, depth = 0): Columns | null {
    if (depth > DEPTH) return null;
    const written = this.strings(expression);
    if (written) return { names: written, at: null };
    const { dialect } = this.evaluator;
    if (expression.kind === 'member' && expression.name === 'columns')
      return this.columns(expression.object, depth + 1);
    if (expression.kind === 'member' && expression.name === 'values')
      return this.listOf(expression.object, depth + 1);
    if (expression.kind === 'index' && expression.index.node.type === 'slice') {
      const all = this.listOf(expression.object, depth + 1);
      return all && this.sliced(all, expression.index.node, false);
    }
    if (expression.kind === 'binary' && expression.operator === '+') {
      const [left, right] = [
        this.listOf(expression.left, depth + 1),
        this.listOf(expression.right, depth + 1),
      ];
      return left && right && { names: [...left.names, ...right.names], at: left.at ?? right.at };
    }
    if (expression.kind === 'call') {
      const { callee, positional } = expression;
      const [first] = positional;
      if (callee.kind === 'name' && /^(?:list|sorted|tuple)$/.test(callee.name) && first)
        return this.listOf(first, depth + 1) ?? this.columns(first, depth + 1);
      if (callee.kind !== 'member') return null;
      if (/^(?:tolist|to_list|copy)$/.test(callee.name)) return this.listOf(callee.object, depth + 1);
      if (!/^(?:drop|difference)$/.test(callee.name) || !first) return null;
      const all = this.listOf(callee.object, depth + 1);
      return all && this.less(all, first, depth + 1);
    }
    if (expression.node.type === 'list_comprehension') return this.comprehended(expression.node, depth);
    if (expression.kind !== 'name' && expression.kind !== 'member') return null;
    if (isFilled(expression.node)) return null;
    const [made, ...more] = this.evaluator.definitions(expression);
    if (!made || more.length > 0 || made === expression || made.node === expression.node) return null;
    return dialect.scopeOf(made.node) === undefined ? null : this.listOf(made, depth + 1);
  }

  /** `[c for c in frame.columns if c not in ["day", "y"]]` */
  private comprehended(node: Node, depth: number): Columns | null {
    const { dialect } = this.evaluator;
    const [clause, ...more] = node.namedChildren.filter(({ type }) => type === 'for_in_clause');
    const tests = node.namedChildren.filter(({ type }) => type === 'if_clause');
    const body = node.childForFieldName('body');
    const left = clause?.childForFieldName('left');
    const right = clause?.childForFieldName('right');
    if (!right || !left || more.length > 0 || tests.length > 1 || body?.text !== left.text) return null;
    const over = dialect.expression(right);
    const all = this.listOf(over, depth + 1) ?? this.columns(over, depth + 1);
    const [test] = tests;
    if (!all || !test) return all;
    const condition = test.namedChild(0);
    const [own, other] = condition?.namedChildren ?? [];
    if (condition?.type !== 'comparison_operator' || own?.text !== left.text || !other) return null;
    const sign = condition.children
      .filter(({ isNamed }) => !isNamed)
      .map(({ text }) => text)
      .join(' ');
    const given = dialect.expression(other);
    if (sign === '!=' || sign === 'not in') return this.less(all, given, depth + 1);
    if (sign !== 'in') return null;
    const names = this.listOf(given, depth + 1)?.names;
    return names ? { ...all, names: all.names.filter(each => names.includes(each)) } : null;
  }

  /** A text, or a list of texts that is written out. */
  private strings(expression: Expression): string[] | null {
    const one = expression.kind === 'list' ? undefined : this.constant(expression);
    if (typeof one === 'string') return [one];
    const items = this.evaluator.itemsOf(expression)?.map(item => this.constant(item));
    return items?.every(item => typeof item === 'string') ? (items as string[]) : null;
  }

  private numbers(expression: Expression): number[] | null {
    if (expression.kind !== 'list' && expression.kind !== 'name') return null;
    const items = this.evaluator.itemsOf(expression)?.map(item => this.constant(item));
    return items && items.length > 0 && items.every(item => typeof item === 'number')
      ? (items as number[])
      : null;
  }

  private listed(subscript: Node, depth: number): readonly string[] | null {
    const [part] = subscript.type === 'subscript' ? subscript.childrenForFieldName('subscript') : [];
    return part ? (this.listOf(this.evaluator.dialect.expression(part), depth)?.names ?? null) : null;
  }

  /** Known, or what holds by default. */
  private constant(expression: Expression | undefined): Constant | undefined {
    return usualOf(expression && this.evaluator.value(expression));
  }

  private isTrue(expression: Expression | undefined): boolean {
    return this.constant(expression) === true;
  }
}

function without(before: Columns, names: readonly string[]): Columns | null {
  // a name that is not there is of another table, or of this one after something that is not seen
  if (names.some(name => !before.names.includes(name))) return null;
  return { ...before, names: before.names.filter(name => !names.includes(name)) };
}

function isMask({ type, children }: Node): boolean {
  if (type === 'comparison_operator') return true;
  return (
    /^(?:binary_operator|unary_operator)$/.test(type) && children.some(({ text }) => /^[&|~]$/.test(text))
  );
}

/** Something is appended to the list after it was made. */
function isFilled({ text, source }: Node): boolean {
  const name = text.replace(/[.$]/g, '\\$&');
  return new RegExp(`(?<![\\w.])${name}\\.(?:append|extend|remove|insert|pop|clear)\\s*\\(`).test(
    source.text,
  );
}

/** The cells of one line; null where a quote stays open. */
function cellsOf(line: string, separator: string): string[] | null {
  if (separator === '\\s+') return line.trim().split(/\s+/).filter(Boolean);
  if ([...separator].length !== 1) return null;
  const cells: string[] = [];
  let cell = '';
  let isQuoted = false;
  for (const sign of line) {
    if (sign === '"') isQuoted = !isQuoted;
    else if (sign === separator && !isQuoted) {
      cells.push(cell);
      cell = '';
    } else cell += sign;
  }
  return isQuoted ? null : [...cells, cell];
}
