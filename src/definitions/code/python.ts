// Python: expressions, scopes and branches from its syntax tree.
import {
  type Argument,
  type Binding,
  type Branch,
  type Dialect,
  type Expression,
  nothing,
  type Parameter,
  type RecordPart,
  recordFrom,
  type Scope,
  type Star,
} from './expression.ts';
import { LazyScopes } from './scopes.ts';
import { descendants, type Node, namedChildren as named, ownDescendants } from './syntax.ts';

const FUNCTIONS = new Set(['function_definition', 'lambda']);
const BINDERS = new Set([
  'assignment',
  'augmented_assignment',
  'named_expression',
  'import_statement',
  'import_from_statement',
  'for_statement',
  'for_in_clause',
  'with_item',
  'as_pattern',
  'case_pattern',
  'function_definition',
  'class_definition',
]);
const CLOSED = new Set([...FUNCTIONS, 'class_definition']);

export function pythonDialect(): Dialect {
  const scopes = new LazyScopes({
    kindOf: ({ type }) =>
      type === 'class_definition'
        ? 'class'
        : FUNCTIONS.has(type)
          ? 'function'
          : type === 'module'
            ? 'module'
            : null,
    collect,
    members,
    fields,
  });
  return {
    expression,
    scopeOf: node => scopes.around(node),
    self: 'self',
    maker: '__init__',
    region,
    bases: ({ node }) => {
      const list = node.childForFieldName('superclasses');
      return list
        ? named(list)
            .filter(({ type }) => type !== 'keyword_argument')
            .map(expression)
        : [];
    },
    calls: ['call'],
    branches,
    readOver: dotsAtLineEnds,
  };
}

/** Outside of sentences: a chain of names behind a sign or at the line's begin, that ends in a dot. */
const DOT_AT_LINE_END =
  /(?:^|[=(,:[{+*/-]|\b(?:return|await|in|not|and|or|if|else))[ \t]*[\w.()[\]]{1,200}\.(?=[ \t]*(?:#.*)?$)/gm;
const BRACKETS = new Set([
  'parenthesized_expression',
  'argument_list',
  'subscript',
  'list',
  'tuple',
  'dictionary',
  'set',
]);

/** `nn.` while its name is still to be written: the parser takes the next line's first word for it. */
function dotsAtLineEnds(root: Node, text: string): number[] {
  return [...text.matchAll(DOT_AT_LINE_END)].flatMap(({ 0: match, index }) => {
    const dot = index + match.length - 1;
    const attribute = root.descendantForIndex(dot, dot + 1)?.parent;
    return attribute?.type === 'attribute' && !isInBrackets(attribute) ? [dot] : [];
  });
}

function isInBrackets(node: Node): boolean {
  for (let here = node.parent; here && !here.type.endsWith('_statement'); here = here.parent)
    if (BRACKETS.has(here.type)) return true;
  return false;
}

// ---------------------------------------------------------------- expressions

function expression(node: Node): Expression {
  node.read ??= expressionOf(node);
  return node.read as Expression;
}

function expressionOf(node: Node): Expression {
  switch (node.type) {
    case 'integer':
    case 'float':
      return constantOrOther(node, Number(node.text.replaceAll('_', '')));
    case 'true':
      return { kind: 'constant', value: true, node };
    case 'false':
      return { kind: 'constant', value: false, node };
    case 'none':
      return { kind: 'constant', value: null, node };
    case 'string':
      return stringOf(node);
    case 'concatenated_string': {
      const parts = named(node).map(stringOf);
      if (!parts.every(part => part.kind === 'constant')) return nothing(node);
      return { kind: 'constant', value: parts.map(({ value }) => value).join(''), node };
    }
    case 'identifier':
      return { kind: 'name', name: node.text, node };
    case 'attribute': {
      const nameNode = node.childForFieldName('attribute')!;
      const object = expression(node.childForFieldName('object')!);
      return { kind: 'member', object, name: nameNode.text, nameNode, node };
    }
    case 'subscript':
      return {
        kind: 'index',
        object: expression(node.childForFieldName('value')!),
        index: expression(node.childForFieldName('subscript')!),
        node,
      };
    case 'call':
      return callOf(node);
    case 'binary_operator':
    case 'boolean_operator': {
      const [left, right] = [node.childForFieldName('left')!, node.childForFieldName('right')!];
      const operator = node.childForFieldName('operator')!.type;
      if (operator === 'or' || operator === 'and')
        return { kind: 'choice', options: [expression(left), expression(right)], by: operator, node };
      return { kind: 'binary', operator, left: expression(left), right: expression(right), node };
    }
    case 'comparison_operator': {
      const [left, right, ...more] = named(node);
      if (!left || !right || more.length > 0) return nothing(node);
      const operator = node.children
        .filter(({ isNamed }) => !isNamed)
        .map(({ text }) => text)
        .join(' ');
      return { kind: 'binary', operator, left: expression(left), right: expression(right), node };
    }
    case 'augmented_assignment': {
      const [left, right] = [node.childForFieldName('left')!, node.childForFieldName('right')!];
      const operator = node.childForFieldName('operator')!.text.slice(0, -1);
      return { kind: 'binary', operator, left: expression(left), right: expression(right), node };
    }
    case 'unary_operator':
    case 'not_operator': {
      const operand = expression(node.childForFieldName('argument')!);
      return { kind: 'unary', operator: node.child(0)!.type, operand, node };
    }
    case 'named_expression':
      return expression(node.childForFieldName('value')!);
    case 'parenthesized_expression':
      return node.namedChild(0) ? expression(node.namedChild(0)!) : nothing(node);
    case 'conditional_expression': {
      const [whenTrue, condition, whenFalse] = named(node);
      if (!whenTrue || !condition || !whenFalse) return nothing(node);
      return {
        kind: 'choice',
        options: [expression(whenTrue), expression(whenFalse)],
        by: { condition: expression(condition) },
        node,
      };
    }
    case 'list':
    case 'tuple':
    case 'expression_list':
      return { kind: 'list', items: named(node).map(expression), node };
    case 'dictionary':
      return recordOf(node);
    default:
      return nothing(node);
  }
}

function constantOrOther(node: Node, value: number): Expression {
  return Number.isNaN(value) ? nothing(node) : { kind: 'constant', value, node };
}

function stringOf(node: Node): Expression {
  const parts = node.namedChildren.filter(child => child !== null);
  if (parts.some(({ type }) => type === 'interpolation')) return nothing(node);
  const value = parts.map(part => (part.type === 'string_content' ? part.text : '')).join('');
  return { kind: 'constant', value, node };
}

function callOf(node: Node): Expression {
  const callee = expression(node.childForFieldName('function')!);
  const list = node.childForFieldName('arguments')!;
  const positional: Expression[] = [];
  const byName = new Map<string, Argument>();
  const spreads: Expression[] = [];
  let isWhole = true;
  for (const child of named(list)) {
    if (child.type === 'keyword_argument')
      byName.set(child.childForFieldName('name')!.text, {
        value: expression(child.childForFieldName('value')!),
        node: child,
      });
    else if (child.type === 'dictionary_splat') spreads.push(expression(child.namedChild(0)!));
    else if (child.type === 'list_splat') isWhole = false;
    else if (child.type !== 'comment') positional.push(expression(child));
  }
  return { kind: 'call', callee, positional, named: byName, spreads, isWhole, node };
}

function recordOf(node: Node): Expression {
  const parts = named(node).flatMap((child): RecordPart[] => {
    if (child.type === 'dictionary_splat') return [{ spread: expression(child.namedChild(0)!) }];
    if (child.type !== 'pair') return [];
    const key = expression(child.childForFieldName('key')!);
    const value = expression(child.childForFieldName('value')!);
    return [{ key: key.kind === 'constant' ? String(key.value) : null, value }];
  });
  return recordFrom(parts, node);
}

// ---------------------------------------------------------------- bindings

type Bind = (name: string, binding: Binding) => void;

/** What one scope binds, without those inside it. */
function collect(scope: Scope, bind: Bind, star: (star: Star) => void): void {
  const { node } = scope;
  if (scope.kind === 'function') parameters(scope, bind);
  const body = node.childForFieldName('body') ?? node;
  const outer = scope.kind === 'function' ? globalsOf(body) : null;
  const own: Bind = (name, binding) => {
    if (!outer?.has(name)) bind(name, binding);
  };
  for (const found of ownDescendants(body, BINDERS, CLOSED)) bindOne(found, scope, own, star);
  if (scope.kind !== 'class') assignedWithin(scope, bind);
}

/** Names that a function takes from around it with `global` or `nonlocal`. */
function globalsOf(body: Node): Set<string> | null {
  if (!/\b(?:global|nonlocal)\b/.test(body.text)) return null;
  const names = ownDescendants(body, GLOBALS, CLOSED).flatMap(node => named(node).map(({ text }) => text));
  return new Set(names);
}

const GLOBALS = new Set(['global_statement', 'nonlocal_statement']);

/** What functions inside bind here, at a time that the text does not tell: `global size`. */
function assignedWithin(scope: Scope, bind: Bind): void {
  const { node } = scope;
  const word = scope.kind === 'module' ? 'global' : 'nonlocal';
  if (!new RegExp(`\\b${word}\\b`).test(node.text)) return;
  for (const statement of descendants(node, [`${word}_statement`])) {
    const inner = innermost(statement);
    if (inner === node) continue;
    const names = new Set(named(statement).map(({ text }) => text));
    for (const found of ownDescendants(inner.childForFieldName('body') ?? inner, BINDERS, CLOSED))
      bindOne(
        found,
        scope,
        (name, binding) => names.has(name) && bind(name, binding),
        () => {},
      );
  }
}

/** The scope in which a binder binds: a definition binds its own name around itself. */
function innermost(node: Node): Node {
  let here = node.parent;
  while (here && here.type !== 'class_definition' && !FUNCTIONS.has(here.type) && here.type !== 'module')
    here = here.parent;
  return here ?? node;
}

function classAround(node: Node): Node | null {
  let here: Node | null = node;
  while (here && here.type !== 'class_definition') here = here.parent;
  return here;
}

function bindOne(node: Node, scope: Scope, bind: Bind, star: (star: Star) => void): void {
  switch (node.type) {
    case 'assignment': {
      const left = node.childForFieldName('left');
      const right = node.childForFieldName('right');
      if (left && right) assign(left, right, scope, bind);
      return;
    }
    case 'named_expression':
      assign(node.childForFieldName('name')!, node.childForFieldName('value')!, scope, bind);
      return;
    case 'for_statement':
    case 'for_in_clause': {
      const left = node.childForFieldName('left');
      const right = node.childForFieldName('right');
      if (left && right) turns(left, right, node, scope, bind);
      return;
    }
    case 'augmented_assignment': {
      const left = node.childForFieldName('left');
      if (left?.type === 'identifier')
        bind(left.text, { kind: 'value', value: expression(node), node: left, scope });
      else others(left, node, scope, bind);
      return;
    }
    case 'with_item':
      opened(node, scope, bind);
      return;
    case 'as_pattern':
      // `except E as error`; that of `with` is told by its item
      if (node.parent?.type !== 'with_item') others(node.childForFieldName('alias'), node, scope, bind);
      return;
    case 'case_pattern':
      captured(node, scope, bind);
      return;
    case 'function_definition':
      bind(node.childForFieldName('name')!.text, { kind: 'function', node, scope, body: scope });
      return;
    case 'class_definition':
      bind(node.childForFieldName('name')!.text, { kind: 'class', node, scope, body: scope });
      return;
    case 'import_statement':
      for (const each of named(node)) {
        if (each.type === 'aliased_import')
          bind(each.childForFieldName('alias')!.text, {
            kind: 'import',
            qualified: each.childForFieldName('name')!.text,
            node: each,
            scope,
          });
        else {
          const [first] = each.text.split('.');
          bind(first!, { kind: 'import', qualified: first!, node: each, scope });
        }
      }
      return;
    case 'import_from_statement':
      importFrom(node, scope, bind, star);
      return;
  }
}

function importFrom(node: Node, scope: Scope, bind: Bind, star: (star: Star) => void): void {
  const from = node.childForFieldName('module_name')?.text ?? '';
  // `from . import sizes` is the file beside this one
  const module = /^\.+$/.test(from) ? from.slice(1) : from;
  for (const each of named(node).slice(1)) {
    if (each.type === 'wildcard_import') star({ module, node: each });
    else if (each.type === 'aliased_import') {
      const qualified = `${module}.${each.childForFieldName('name')!.text}`;
      bind(each.childForFieldName('alias')!.text, { kind: 'import', qualified, node: each, scope });
    } else bind(each.text, { kind: 'import', qualified: `${module}.${each.text}`, node: each, scope });
  }
}

function assign(left: Node, right: Node, scope: Scope, bind: Bind): void {
  if (right.type === 'assignment') {
    // a = b = 3
    assign(left, right.childForFieldName('right')!, scope, bind);
    return;
  }
  if (left.type === 'identifier') {
    bind(left.text, { kind: 'value', value: expression(right), node: left, scope });
    return;
  }
  if (!SEVERAL.has(left.type)) return;
  const targets = named(left);
  const [first] = targets;
  if (
    first?.type === 'identifier' &&
    right.childForFieldName('function')?.text.endsWith('.parse_known_args')
  ) {
    // the rest is what was not understood
    assign(first, right, scope, bind);
    for (const target of targets.slice(1)) unpack(target, scope, bind);
    return;
  }
  const values = right.type === 'expression_list' || right.type === 'tuple' ? named(right) : [];
  const isPaired = values.length === targets.length && !targets.some(({ type }) => type === STARRED);
  targets.forEach((target, index) => {
    if (isPaired) assign(target, values[index]!, scope, bind);
    else if (targets.some(({ type }) => type === STARRED)) unpack(target, scope, bind);
    else part(target, expression(right), index, scope, bind);
  });
}

/** `(a, b), c = load()`: a is the first of the first of what is loaded. */
function part(target: Node, whole: Expression, index: number, scope: Scope, bind: Bind): void {
  const place: Expression = { kind: 'constant', value: index, node: target };
  const value: Expression = { kind: 'index', object: whole, index: place, node: target };
  if (target.type === 'identifier') bind(target.text, { kind: 'value', value, node: target, scope });
  else if (SEVERAL.has(target.type) && !named(target).some(({ type }) => type === STARRED))
    for (const [at, inner] of named(target).entries()) part(inner, value, at, scope, bind);
  else unpack(target, scope, bind);
}

/** The variable of a comprehension is seen in it only. */
function region(node: Node): Node | null {
  for (let here = node.parent; here; here = here.parent) {
    if (here.type === 'for_in_clause') return here.parent;
    if (!SEVERAL.has(here.type)) return null;
  }
  return null;
}

const STARRED = 'list_splat_pattern';
const SEVERAL = new Set(['pattern_list', 'tuple_pattern', 'list_pattern']);

/** `_, (h, c) = lstm(x)`: every name in it is bound, to what is not followed. */
function unpack(target: Node, scope: Scope, bind: Bind): void {
  if (target.type === 'identifier') bind(target.text, { kind: 'other', node: target, scope });
  else if (SEVERAL.has(target.type) || target.type === STARRED)
    for (const each of named(target)) unpack(each, scope, bind);
}

/** `for i, size in enumerate(sizes)` */
function turns(left: Node, right: Node, node: Node, scope: Scope, bind: Bind): void {
  const over = expression(right);
  const loop = node.type === 'for_statement' ? node : node.parent!;
  const targets = SEVERAL.has(left.type) ? named(left) : null;
  if (!targets && left.type === 'identifier')
    bind(left.text, { kind: 'turn', over, loop, path: null, node: left, scope });
  else if (!targets) others(left, node, scope, bind);
  targets?.forEach((target, path) => {
    if (target.type === 'identifier')
      bind(target.text, { kind: 'turn', over, loop, path, node: target, scope });
    else unpack(target, scope, bind);
  });
}

/** `case {"units": units}:`, `case [first, *rest]:`, `case Net() as net:` */
function captured(pattern: Node, scope: Scope, bind: Bind): void {
  const [inner] = named(pattern);
  const names =
    inner?.type === 'dotted_name'
      ? [inner]
      : inner?.type === 'splat_pattern' || inner?.type === 'as_pattern'
        ? named(inner).filter(({ type }) => type === 'identifier')
        : inner?.type === 'class_pattern'
          ? descendants(inner, ['keyword_pattern']).map(({ namedChildren }) => namedChildren.at(-1)!)
          : [];
  for (const { text } of names) if (!text.includes('.')) bind(text, { kind: 'other', node: pattern, scope });
}

/** `with open("config.yaml") as file:` */
function opened(node: Node, scope: Scope, bind: Bind): void {
  const value = node.childForFieldName('value');
  const alias = value?.childForFieldName('alias') ?? null;
  const name = alias?.type === 'as_pattern_target' ? alias.namedChild(0) : alias;
  const made = value?.namedChild(0);
  if (name?.type !== 'identifier' || made?.type !== 'call') others(alias, node, scope, bind);
  else bind(name.text, { kind: 'value', value: expression(made), node: name, scope });
}

function others(target: Node | null, node: Node, scope: Scope, bind: Bind): void {
  if (!target) return;
  for (const name of target.type === 'identifier' ? [target] : descendants(target, ['identifier']))
    bind(name.text, { kind: 'other', node, scope });
}

function parameters(scope: Scope, bind: Bind): void {
  const list = scope.node.childForFieldName('parameters');
  if (!list) return;
  const options = optionsOf(scope.node);
  let place: number | null = 0;
  for (const each of named(list)) {
    // what stands behind `*` is given by name
    if (/^(?:list_splat_pattern|keyword_separator)$/.test(each.type) || each.text === '*') place = null;
    if (/separator$/.test(each.type)) continue;
    const inner = each.type === 'typed_parameter' ? each.namedChild(0)! : each;
    const name =
      each.childForFieldName('name') ??
      (inner.type === 'identifier' ? inner : (inner.namedChild(0) ?? inner));
    const value = each.childForFieldName('value');
    const type = each.childForFieldName('type')?.namedChild(0) ?? null;
    const isSplat = inner.type === 'list_splat_pattern' || inner.type === 'dictionary_splat_pattern';
    const parameter: Parameter = {
      name: name.text,
      fallback: value ? expression(value) : (options.get(name.text) ?? null),
      place: isSplat ? null : place,
      property: null,
      annotation: type && !isSplat ? annotated(type) : null,
      isRest: inner.type === 'dictionary_splat_pattern',
    };
    if (place !== null && !isSplat) place++;
    bind(name.text, { kind: 'parameter', ...parameter, node: each, scope });
  }
}

/** `Optional[Config]` and `Config | None` are told as `Config`. */
function annotated(type: Node): Expression {
  const inner = type.type === 'generic_type' ? descendants(type, ['type'])[0]?.namedChild(0) : null;
  if (inner) return annotated(inner);
  if (type.type === 'binary_operator') return annotated(type.namedChild(0)!);
  return type.type === 'string'
    ? { kind: 'name', name: type.text.slice(1, -1), node: type }
    : expression(type);
}

/** Defaults that `@click.option("--hidden-size", default=64)` gives a function's parameters. */
function optionsOf({ parent }: Node): Map<string, Expression> {
  const found = new Map<string, Expression>();
  if (parent?.type !== 'decorated_definition') return found;
  for (const { type, children } of parent.children) {
    const call = type === 'decorator' ? children.find(child => child.type === 'call') : undefined;
    if (!call || !/\b(?:option|argument)$/.test(call.childForFieldName('function')?.text ?? '')) continue;
    const made = callOf(call);
    const fallback = made.kind === 'call' ? made.named.get('default')?.value : undefined;
    if (made.kind !== 'call' || !fallback) continue;
    for (const name of made.positional)
      if (name.kind === 'constant')
        found.set(String(name.value).replace(/^-+/, '').replaceAll('-', '_'), fallback);
  }
  return found;
}

/** Annotated names of a class body, which a dataclass takes by place. */
function fields({ node }: Scope): string[] {
  const body = node.childForFieldName('body');
  return named(body ?? node).flatMap(statement => {
    const assignment = statement.type === 'expression_statement' ? statement.namedChild(0) : null;
    const left = assignment?.type === 'assignment' ? assignment.childForFieldName('left') : null;
    return left?.type === 'identifier' && assignment!.childForFieldName('type') ? [left.text] : [];
  });
}

/** Fields of a class, and what its methods assign to `self`. */
function members(scope: Scope, bind: Bind): void {
  const body = scope.node.childForFieldName('body');
  if (!body) return;
  for (const node of named(body)) {
    const method = node.type === 'decorated_definition' ? node.childForFieldName('definition') : null;
    const isProperty =
      method && node.children.some(each => /^@(?:functools\.)?(?:cached_)?property$/.test(each.text));
    if (isProperty) property(method, scope, bind);
  }
  for (const node of descendants(body, ['assignment', 'augmented_assignment'])) {
    const left = node.childForFieldName('left');
    const right = node.childForFieldName('right');
    if (!left || !right) continue;
    const inner = innermost(node);
    // `self` of a class inside is another one
    if (!classAround(inner)?.equals(scope.node)) continue;
    if (node.type === 'augmented_assignment') {
      const name =
        left.type === 'identifier' && inner.equals(scope.node)
          ? left.text
          : left.type === 'attribute' && left.childForFieldName('object')!.text === 'self'
            ? left.childForFieldName('attribute')!.text
            : null;
      if (name !== null) bind(name, { kind: 'value', value: expression(node), node: left, scope });
      continue;
    }
    if (left.type === 'identifier' && inner.equals(scope.node))
      bind(left.text, { kind: 'value', value: expression(right), node: left, scope });
    else if (left.type === 'attribute' && left.childForFieldName('object')!.text === 'self')
      bind(left.childForFieldName('attribute')!.text, {
        kind: 'value',
        value: expression(right.type === 'assignment' ? right.childForFieldName('right')! : right),
        node: left,
        scope,
      });
    else if (left.type === 'pattern_list') pairs(left, right, scope, bind);
  }
}

/** A property of one `return` is what that returns. */
function property(method: Node, scope: Scope, bind: Bind): void {
  const body = method.childForFieldName('body')!;
  const returns = ownDescendants(body, RETURNS, CLOSED);
  const value = returns.length === 1 ? returns[0]!.namedChild(0) : null;
  const name = method.childForFieldName('name')!.text;
  bind(name, { kind: 'value', value: value ? expression(value) : nothing(method), node: method, scope });
}

const RETURNS = new Set(['return_statement']);

/** `self.a, self.b = 1, 2` */
function pairs(left: Node, right: Node, scope: Scope, bind: Bind): void {
  const values = right.type === 'expression_list' ? named(right) : [];
  named(left).forEach((target, index) => {
    if (target.type !== 'attribute' || target.childForFieldName('object')!.text !== 'self') return;
    const value = values[index];
    const name = target.childForFieldName('attribute')!.text;
    const whole: Expression = {
      kind: 'index',
      object: expression(right),
      index: { kind: 'constant', value: index, node: target },
      node: target,
    };
    const isOther = right.type === 'expression_list';
    if (isOther && !value) bind(name, { kind: 'other', node: target, scope });
    else bind(name, { kind: 'value', value: value ? expression(value) : whole, node: target, scope });
  });
}

// ---------------------------------------------------------------- branches

function branches(node: Node): Branch[] {
  const found: Branch[] = [];
  let below: Node = node;
  for (let here = node.parent; here; below = here, here = here.parent) {
    if (FUNCTIONS.has(here.type) || here.type === 'class_definition') break;
    const branch = branchOf(here, below);
    if (branch) found.unshift(branch);
  }
  return found;
}

function branchOf(statement: Node, below: Node): Branch | null {
  switch (statement.type) {
    case 'if_statement':
      if (below.equals(statement.childForFieldName('condition')!)) return null;
      return { id: statement.id, arm: below.id, isLoop: false };
    case 'try_statement':
    case 'match_statement':
    case 'conditional_expression':
      return { id: statement.id, arm: below.id, isLoop: false };
    case 'for_statement':
    case 'while_statement':
    case 'list_comprehension':
    case 'generator_expression':
      return { id: statement.id, arm: statement.id, isLoop: true };
    default:
      return null;
  }
}
