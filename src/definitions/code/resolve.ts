// What expressions come to, as far as the file itself says: constants, and the qualified names of what is called.
import {
  type Binding,
  type Branch,
  type Constant,
  type Dialect,
  type Expression,
  enclosingClass,
  type Scope,
} from './expression.ts';

/** `outside`: it is a parameter or depends on one; `fallback` is what it is when the caller says nothing. */
export type Value =
  | { kind: 'known'; value: Constant }
  | { kind: 'outside'; fallback: Constant | undefined }
  | { kind: 'unknown' };

const UNKNOWN: Value = { kind: 'unknown' };
const DEPTH = 12;

export class Resolver {
  private readonly dialect: Dialect;

  constructor(dialect: Dialect) {
    this.dialect = dialect;
  }

  // -------------------------------------------------------------- values

  value(expression: Expression, depth = 0): Value {
    if (depth > DEPTH) return UNKNOWN;
    switch (expression.kind) {
      case 'constant':
        return { kind: 'known', value: expression.value };
      case 'unary':
        return lift([this.value(expression.operand, depth + 1)], ([operand]) =>
          unary(expression.operator, operand!),
        );
      case 'binary':
        return lift(
          [this.value(expression.left, depth + 1), this.value(expression.right, depth + 1)],
          ([left, right]) => binary(expression.operator, left!, right!),
        );
      case 'choice':
        return agreed(expression.options.map(option => this.value(option, depth + 1)));
      case 'call':
        return this.valueOfCall(expression, depth);
      default:
        return this.valueOfReference(expression, depth);
    }
  }

  /** `int(x)`, and `x.get("key", default)` of a record. */
  private valueOfCall(call: Extract<Expression, { kind: 'call' }>, depth: number): Value {
    const { callee, positional } = call;
    if (callee.kind === 'name' && ['int', 'Number', 'Math.floor', 'bool', 'float'].includes(callee.name))
      return positional.length === 1 ? this.value(positional[0]!, depth + 1) : UNKNOWN;
    if (callee.kind === 'name' && callee.name === 'len' && positional.length === 1) {
      const list = this.definitions(positional[0]!, depth + 1);
      const [only] = list;
      return list.length === 1 && only?.kind === 'list'
        ? { kind: 'known', value: only.items.length }
        : UNKNOWN;
    }
    return UNKNOWN;
  }

  private valueOfReference(expression: Expression, depth: number): Value {
    const bindings = this.bindingsOf(expression, depth);
    if (bindings.length === 0) return UNKNOWN;
    return agreed(bindings.map(binding => this.valueOfBinding(binding, depth + 1)));
  }

  private valueOfBinding(binding: Binding, depth: number): Value {
    switch (binding.kind) {
      case 'value':
        return this.value(binding.value, depth);
      case 'parameter': {
        const fallback = binding.fallback && this.value(binding.fallback, depth);
        return { kind: 'outside', fallback: fallback?.kind === 'known' ? fallback.value : undefined };
      }
      case 'property': {
        const found = this.membersOf(binding.of, binding.name, depth);
        if (found.length > 0) return agreed(found.map(each => this.valueOfBinding(each, depth + 1)));
        const fallback = binding.fallback && this.value(binding.fallback, depth);
        return { kind: 'outside', fallback: fallback?.kind === 'known' ? fallback.value : undefined };
      }
      default:
        return UNKNOWN;
    }
  }

  // -------------------------------------------------------------- references

  /** What a name, a member or an element may have been bound to where it stands. */
  private bindingsOf(expression: Expression, depth: number): readonly Binding[] {
    if (depth > DEPTH) return [];
    if (expression.kind === 'name') return this.lookUp(expression.name, expression);
    if (expression.kind === 'member')
      return this.membersOf(expression.object, expression.name, depth, expression);
    if (expression.kind === 'index') {
      const key = this.value(expression.index, depth + 1);
      if (key.kind === 'known') return this.membersOf(expression.object, String(key.value), depth);
    }
    return [];
  }

  private lookUp(name: string, at: Expression): readonly Binding[] {
    const own = this.dialect.scopeOf(at.node);
    for (let scope: Scope | null = own; scope; scope = scope.parent) {
      // names of a class body are not seen by its methods
      if (scope.kind === 'class' && scope !== own) continue;
      const found = scope.bindings(name);
      if (found.length > 0) return this.reaching(found, at, scope === own);
    }
    return [];
  }

  /** The bindings that can be meant at `at`: the last one that surely came before, and those that may have come since. */
  private reaching(all: readonly Binding[], at: Expression, isSameScope: boolean): readonly Binding[] {
    if (all.length === 1) return all;
    const before = isSameScope ? all.filter(binding => isBefore(binding, at)) : all;
    if (before.length === 0) return all;
    const here = isSameScope ? this.dialect.branches(at.node) : [];
    const possible: Binding[] = [];
    for (const binding of before) {
      const there = this.dialect.branches(binding.node);
      if (areExclusive(there, here)) continue;
      if (isPrefix(there, here)) possible.length = 0;
      possible.push(binding);
    }
    return possible;
  }

  /** `object.name`: of an instance of the class that is being defined, of a record, or of an instance of a class. */
  private membersOf(object: Expression, name: string, depth: number, at?: Expression): readonly Binding[] {
    if (depth > DEPTH) return [];
    if (object.kind === 'name' && object.name === this.dialect.self) {
      const owner = enclosingClass(this.dialect.scopeOf(object.node));
      const found = owner?.members(name) ?? [];
      if (!at || found.length < 2) return found;
      const own = this.dialect.scopeOf(at.node);
      const near = found.filter(({ node }) => this.dialect.scopeOf(node) === own);
      return near.length > 0 ? this.reaching(near, at, true) : found;
    }
    return this.definitions(object, depth + 1).flatMap(definition => {
      if (definition.kind === 'record') {
        const value = definition.entries.get(name);
        return value ? [bindingOf(value, this.dialect)] : [];
      }
      if (definition.kind === 'list') {
        const value = definition.items[Number(name)];
        return value ? [bindingOf(value, this.dialect)] : [];
      }
      if (definition.kind === 'call') return this.membersOfCall(definition, name, depth);
      // `Config.hidden`, a field of the class itself
      if (definition.kind === 'name') return this.classesOf(definition).flatMap(body => body.members(name));
      return [];
    });
  }

  /** `Config(hidden=3).hidden`, `parser.parse_args().hidden` and `dict(hidden=3)["hidden"]`. */
  private membersOfCall(
    call: Extract<Expression, { kind: 'call' }>,
    name: string,
    depth: number,
  ): readonly Binding[] {
    const { callee } = call;
    if (callee.kind === 'name' && ['dict', 'Namespace', 'SimpleNamespace'].includes(callee.name)) {
      const given = call.named.get(name);
      return given ? [bindingOf(given.value, this.dialect)] : [];
    }
    if (callee.kind === 'member' && /^parse_(known_)?args$/.test(callee.name)) return this.option(call, name);
    if (callee.kind === 'name') {
      const given = call.named.get(name);
      const classes = this.classesOf(callee);
      if (given && classes.length > 0) return [bindingOf(given.value, this.dialect)];
      return classes
        .flatMap(body => body.members(name))
        .flatMap(member => this.throughConstructor(member, depth));
    }
    return [];
  }

  /** A member that its constructor's parameter sets comes from that parameter. */
  private throughConstructor(member: Binding, depth: number): readonly Binding[] {
    if (member.kind !== 'value' || member.value.kind !== 'name') return [member];
    const found = this.bindingsOf(member.value, depth + 1);
    return found.length > 0 ? found : [member];
  }

  private classesOf(name: Expression): Scope[] {
    if (name.kind !== 'name') return [];
    return this.lookUp(name.name, name).flatMap(binding => (binding.kind === 'class' ? [binding.body] : []));
  }

  /** The default of an `add_argument("--name", default=…)` anywhere in the file. */
  private option(call: Extract<Expression, { kind: 'call' }>, name: string): readonly Binding[] {
    let root = call.node;
    while (root.parent) root = root.parent;
    const flag = new RegExp(`^--?${name.replaceAll('_', '[-_]')}$`);
    for (const node of root.descendantsOfType(['call'])) {
      if (!node?.childForFieldName('function')?.text.endsWith('add_argument')) continue;
      const added = this.dialect.expression(node);
      if (added.kind !== 'call') continue;
      const names = added.positional.map(each => (each.kind === 'constant' ? String(each.value) : ''));
      const target = added.named.get('dest')?.value;
      const isIt =
        names.some(each => flag.test(each) || each === name) ||
        (target?.kind === 'constant' && target.value === name);
      if (!isIt) continue;
      const fallback = added.named.get('default');
      return fallback ? [bindingOf(fallback.value, this.dialect)] : [];
    }
    return [];
  }

  /** The expressions that a reference may stand for; itself where it is none, or leads out of the file. */
  definitions(expression: Expression, depth = 0): Expression[] {
    if (depth > DEPTH) return [expression];
    if (expression.kind === 'choice')
      return expression.options.flatMap(each => this.definitions(each, depth + 1));
    if (!['name', 'member', 'index'].includes(expression.kind)) return [expression];
    const bindings = this.bindingsOf(expression, depth);
    if (bindings.length === 0) {
      const entries = expression.kind === 'index' ? this.anyEntry(expression, depth) : [];
      return entries.length > 0 ? entries : [expression];
    }
    return bindings.flatMap(binding => {
      if (binding.kind === 'value') return this.definitions(binding.value, depth + 1);
      if (binding.kind === 'property') {
        const found = this.membersOf(binding.of, binding.name, depth + 1);
        return found.flatMap(each => (each.kind === 'value' ? this.definitions(each.value, depth + 1) : []));
      }
      return [expression];
    });
  }

  /** `{"lstm": nn.LSTM, "gru": nn.GRU}[kind]`: any of them, when the key is not known. */
  private anyEntry(expression: Extract<Expression, { kind: 'index' }>, depth: number): Expression[] {
    return this.definitions(expression.object, depth + 1).flatMap(object =>
      object.kind === 'record'
        ? [...object.entries.values()].flatMap(each => this.definitions(each, depth + 1))
        : object.kind === 'list'
          ? object.items.flatMap(each => this.definitions(each, depth + 1))
          : [],
    );
  }

  // -------------------------------------------------------------- qualified names

  /**
   * The dotted names that an expression may stand for: imports followed, aliases too. A name that nothing binds stands
   * for itself; a part that is not known is `*`.
   */
  qualified(expression: Expression, depth = 0): string[] {
    if (depth > DEPTH) return [];
    switch (expression.kind) {
      case 'name':
        return this.qualifiedName(expression, depth);
      case 'member':
        return this.qualifiedMember(expression, depth);
      case 'choice':
        return distinct(expression.options.flatMap(each => this.qualified(each, depth + 1)));
      case 'index':
        return distinct(
          this.definitions(expression, depth + 1).flatMap(each =>
            each === expression || each.kind === 'index' ? [] : this.qualified(each, depth + 1),
          ),
        );
      case 'call':
        return this.qualifiedCall(expression, depth);
      default:
        return [];
    }
  }

  private qualifiedName(expression: Extract<Expression, { kind: 'name' }>, depth: number): string[] {
    const found = this.lookUp(expression.name, expression);
    if (found.length === 0) return [expression.name, ...this.fromStars(expression)];
    const names = found.flatMap(binding => this.qualifiedBinding(binding, expression.name, depth));
    return names.length > 0 ? distinct(names) : [`(unknown).${expression.name}`];
  }

  private qualifiedBinding(binding: Binding, name: string, depth: number): string[] {
    switch (binding.kind) {
      case 'import':
        return [binding.qualified];
      case 'value':
        return this.qualified(binding.value, depth + 1);
      case 'property':
        return this.qualified(binding.of, depth + 1).map(base => `${base}.${binding.name}`);
      case 'parameter': {
        // `rnn_type=nn.LSTM`: that one, or another beside it
        const usual = binding.fallback ? this.qualified(binding.fallback, depth + 1) : [];
        return [`(parameter).${name}`, ...usual, ...usual.map(each => each.replace(/\w+$/, '*'))];
      }
      default:
        return [];
    }
  }

  private fromStars(expression: Extract<Expression, { kind: 'name' }>): string[] {
    const found: string[] = [];
    for (let scope: Scope | null = this.dialect.scopeOf(expression.node); scope; scope = scope.parent)
      for (const module of scope.stars) found.push(`${module}.${expression.name}`);
    return found;
  }

  private qualifiedMember(expression: Extract<Expression, { kind: 'member' }>, depth: number): string[] {
    const members = this.membersOf(expression.object, expression.name, depth, expression);
    const throughMembers = members.flatMap(binding =>
      this.qualifiedBinding(binding, expression.name, depth + 1),
    );
    if (throughMembers.length > 0) return distinct(throughMembers);
    return this.qualified(expression.object, depth + 1).map(base => `${base}.${expression.name}`);
  }

  /** `require("x")`, `import("x")`, `importlib.import_module("x")` and `getattr(nn, "LSTM")`. */
  private qualifiedCall(expression: Extract<Expression, { kind: 'call' }>, depth: number): string[] {
    const { callee, positional } = expression;
    const [first, second] = positional;
    const name = callee.kind === 'name' ? callee.name : callee.kind === 'member' ? callee.name : '';
    if (['require', 'import', 'import_module'].includes(name) && first?.kind === 'constant')
      return [name === 'import_module' ? String(first.value) : `npm:${first.value}`];
    if (name !== 'getattr' || !first || !second) return [];
    const attribute = this.value(second, depth + 1);
    const last = attribute.kind === 'known' ? String(attribute.value) : '*';
    return this.qualified(first, depth + 1).map(base => `${base}.${last}`);
  }
}

function bindingOf(value: Expression, dialect: Dialect): Binding {
  return { kind: 'value', value, node: value.node, scope: dialect.scopeOf(value.node) };
}

/** `x = wrap(x)` does not bind the x that it wraps. */
function isBefore(binding: Binding, at: Expression): boolean {
  const end = binding.kind === 'value' ? binding.value.node.endIndex : binding.node.startIndex;
  return end <= at.node.startIndex;
}

function isPrefix(branches: readonly Branch[], of: readonly Branch[]): boolean {
  return branches.every((branch, index) => of[index]?.id === branch.id && of[index]?.arm === branch.arm);
}

function areExclusive(a: readonly Branch[], b: readonly Branch[]): boolean {
  return a.some(
    branch => !branch.isLoop && b.some(other => other.id === branch.id && other.arm !== branch.arm),
  );
}

/** One value where all agree; what comes from outside stays so. */
function agreed(values: readonly Value[]): Value {
  const [first, ...rest] = values;
  if (!first) return UNKNOWN;
  if (rest.every(value => JSON.stringify(value) === JSON.stringify(first))) return first;
  return UNKNOWN;
}

function lift(values: Value[], compute: (values: Constant[]) => Constant | undefined): Value {
  if (values.some(({ kind }) => kind === 'unknown')) return UNKNOWN;
  const constants = values.map(value =>
    value.kind === 'known' ? value.value : value.kind === 'outside' ? value.fallback : undefined,
  );
  const result = constants.some(each => each === undefined) ? undefined : compute(constants as Constant[]);
  if (values.some(({ kind }) => kind === 'outside')) return { kind: 'outside', fallback: result };
  return result === undefined ? UNKNOWN : { kind: 'known', value: result };
}

function unary(operator: string, operand: Constant): Constant | undefined {
  if (operator === 'not' || operator === '!') return !operand;
  if (typeof operand !== 'number') return undefined;
  if (operator === '-') return -operand;
  return operator === '+' ? operand : undefined;
}

function binary(operator: string, left: Constant, right: Constant): Constant | undefined {
  if (typeof left !== 'number' || typeof right !== 'number') return undefined;
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
    case '//':
      return Math.floor(left / right);
    case '%':
      return left % right;
    case '**':
      return left ** right;
    case '<<':
      return left << right;
    default:
      return undefined;
  }
}

function distinct(names: string[]): string[] {
  return [...new Set(names)];
}
