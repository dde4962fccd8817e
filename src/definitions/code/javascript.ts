// JavaScript and TypeScript, JSX included: expressions, scopes and branches from their syntax trees.
import {
  type Argument,
  type Binding,
  type Branch,
  type Dialect,
  type Expression,
  nothing,
  type RecordPart,
  recordFrom,
  type Scope,
} from './expression.ts';
import { LazyScopes } from './scopes.ts';
import { descendants, type Node, namedChildren as named, ownDescendants } from './syntax.ts';

const FUNCTIONS = new Set([
  'function_declaration',
  'function_expression',
  'function',
  'arrow_function',
  'method_definition',
  'generator_function',
  'generator_function_declaration',
]);
const CLASSES = new Set(['class_declaration', 'class', 'abstract_class_declaration']);
const BINDERS = new Set([
  'variable_declarator',
  'assignment_expression',
  'augmented_assignment_expression',
  'update_expression',
  'import_statement',
  'function_declaration',
  'class_declaration',
  'abstract_class_declaration',
  'for_in_statement',
  'enum_declaration',
  'catch_clause',
]);
const CLOSED = new Set([...FUNCTIONS, ...CLASSES]);

export function javascriptDialect(): Dialect {
  const scopes = new LazyScopes({
    kindOf: ({ type }) =>
      CLASSES.has(type) ? 'class' : FUNCTIONS.has(type) ? 'function' : type === 'program' ? 'module' : null,
    collect,
    members,
    fields: () => [],
  });
  return {
    expression,
    scopeOf: node => scopes.around(node),
    self: 'this',
    maker: 'constructor',
    region,
    bases: ({ node }) =>
      descendants(node, ['class_heritage'])
        .slice(0, 1)
        .flatMap(heritage => {
          const base = heritage.namedChild(0);
          return base ? [expression(base.childForFieldName('value') ?? base)] : [];
        }),
    calls: ['call_expression', 'new_expression'],
    branches,
    readOver: () => [],
  };
}

// ---------------------------------------------------------------- expressions

function expression(node: Node): Expression {
  node.read ??= expressionOf(node);
  return node.read as Expression;
}

function expressionOf(node: Node): Expression {
  switch (node.type) {
    case 'number': {
      const value = Number(node.text.replaceAll('_', ''));
      return Number.isNaN(value) ? nothing(node) : { kind: 'constant', value, node };
    }
    case 'true':
      return { kind: 'constant', value: true, node };
    case 'false':
      return { kind: 'constant', value: false, node };
    case 'null':
    case 'undefined':
      return { kind: 'constant', value: null, node };
    case 'string':
      return { kind: 'constant', value: node.text.slice(1, -1), node };
    case 'template_string':
      return named(node).some(({ type }) => type === 'template_substitution')
        ? nothing(node)
        : { kind: 'constant', value: node.text.slice(1, -1), node };
    case 'identifier':
    case 'this':
    case 'import':
    case 'shorthand_property_identifier':
      return { kind: 'name', name: node.text, node };
    case 'member_expression': {
      const nameNode = node.childForFieldName('property')!;
      const object = expression(node.childForFieldName('object')!);
      return { kind: 'member', object, name: nameNode.text, nameNode, node };
    }
    case 'subscript_expression':
      return {
        kind: 'index',
        object: expression(node.childForFieldName('object')!),
        index: expression(node.childForFieldName('index')!),
        node,
      };
    case 'call_expression':
    case 'new_expression':
      return callOf(node);
    case 'binary_expression': {
      const [left, right] = [node.childForFieldName('left')!, node.childForFieldName('right')!];
      const operator = node.childForFieldName('operator')!.type;
      if (['||', '??', '&&'].includes(operator))
        return {
          kind: 'choice',
          options: [expression(left), expression(right)],
          by: operator === '||' ? 'or' : operator === '&&' ? 'and' : '??',
          node,
        };
      return { kind: 'binary', operator, left: expression(left), right: expression(right), node };
    }
    case 'unary_expression':
      return {
        kind: 'unary',
        operator: node.childForFieldName('operator')!.type,
        operand: expression(node.childForFieldName('argument')!),
        node,
      };
    case 'ternary_expression':
      return {
        kind: 'choice',
        options: [
          expression(node.childForFieldName('consequence')!),
          expression(node.childForFieldName('alternative')!),
        ],
        by: { condition: expression(node.childForFieldName('condition')!) },
        node,
      };
    case 'parenthesized_expression':
    case 'await_expression':
    case 'as_expression':
    case 'satisfies_expression':
    case 'non_null_expression':
      return node.namedChild(0) ? expression(node.namedChild(0)!) : nothing(node);
    case 'augmented_assignment_expression': {
      const [left, right] = [node.childForFieldName('left')!, node.childForFieldName('right')!];
      const operator = node.childForFieldName('operator')!.text.slice(0, -1);
      return { kind: 'binary', operator, left: expression(left), right: expression(right), node };
    }
    case 'array':
      return { kind: 'list', items: named(node).map(expression), node };
    case 'object':
      return recordOf(node);
    default:
      return nothing(node);
  }
}

function callOf(node: Node): Expression {
  const callee = expression((node.childForFieldName('function') ?? node.childForFieldName('constructor'))!);
  const list = node.childForFieldName('arguments');
  const args = list?.type === 'arguments' ? named(list) : [];
  const positional = args.map(expression);
  const options = positional.at(-1);
  const byName = new Map<string, Argument>();
  const spreads: Expression[] = [];
  let isWhole = !args.some(({ type }) => type === 'spread_element');
  if (options?.kind === 'record') {
    isWhole &&= options.isWhole;
    spreads.push(...options.spreads);
    for (const [name, value] of options.entries)
      byName.set(name, { value, node: value.node.parent?.type === 'pair' ? value.node.parent : value.node });
  } else if (options) spreads.push(options);
  return { kind: 'call', callee, positional, named: byName, spreads, isWhole, node };
}

function recordOf(node: Node): Expression {
  const parts = named(node).flatMap((child): RecordPart[] => {
    if (child.type === 'spread_element') return [{ spread: expression(child.namedChild(0)!) }];
    if (child.type === 'shorthand_property_identifier')
      return [{ key: child.text, value: expression(child) }];
    if (child.type === 'pair') {
      const key = child.childForFieldName('key')!;
      const value = expression(child.childForFieldName('value')!);
      return [{ key: key.type === 'computed_property_name' ? null : plainKey(key), value }];
    }
    // a getter may give anything
    return child.type === 'method_definition' ? [{ key: nameOf(child), value: nothing(child) }] : [];
  });
  return recordFrom(parts, node);
}

function nameOf(method: Node): string | null {
  const name = method.childForFieldName('name');
  return name && name.type !== 'computed_property_name' ? plainKey(name) : null;
}

function plainKey(node: Node): string {
  return node.type === 'string' ? node.text.slice(1, -1) : node.text;
}

// ---------------------------------------------------------------- bindings

type Bind = (name: string, binding: Binding) => void;

/** What one scope binds, without those inside it. */
function collect(scope: Scope, bind: Bind): void {
  const { node } = scope;
  if (scope.kind === 'function') parameters(scope, bind);
  const body = node.childForFieldName('body') ?? node;
  const declared = new Set<string>();
  const assigned: { name: string; binding: Binding }[] = [];
  const own: Bind = (name, binding) => {
    if (isAssignment(binding.node)) assigned.push({ name, binding });
    else {
      declared.add(name);
      bind(name, binding);
    }
  };
  if (scope.kind === 'function') for (const { name } of scope.parameters) declared.add(name);
  for (const found of ownDescendants(body, BINDERS, CLOSED)) bindOne(found, scope, own);
  // what a function assigns and does not declare belongs to a scope around it
  if (scope.kind === 'module')
    for (const { name, binding } of assigned) if (!declared.has(name)) bind(name, binding);
  if (declared.size > 0) assignedIn(scope, body, declared, bind);
}

const ASSIGNMENTS = ['assignment_expression', 'augmented_assignment_expression', 'update_expression'];

/** The target of an assignment, not of a declaration. */
function isAssignment({ parent, type }: Node): boolean {
  if (type === 'function_declaration' || !parent) return false;
  if (ASSIGNMENTS.includes(parent.type)) return true;
  let here: Node | null = type.endsWith('pattern') || /pattern$/.test(parent.type) ? parent : null;
  while (here && /pattern$/.test(here.type)) here = here.parent;
  return here !== null && ASSIGNMENTS.includes(here.type);
}

/** Assignments to what a scope declares, in it and in functions inside that do not declare it anew. */
function assignedIn(scope: Scope, body: Node, declared: ReadonlySet<string>, bind: Bind): void {
  const nodes = new Set<Node>();
  for (const { 0: match, 1: name, index } of body.text.matchAll(ASSIGNED)) {
    if (name && !declared.has(name)) continue;
    const at = body.startIndex + index + match.length - 1;
    for (let here = body.descendantForIndex(at, at + 1); here && here !== body; here = here.parent)
      if (ASSIGNMENTS.includes(here.type)) {
        nodes.add(here);
        break;
      } else if (/_statement$|_declaration$/.test(here.type)) break;
  }
  for (const node of nodes) {
    const hidden = shadowed(node, scope.node);
    bindOne(node, scope, (name, binding) => {
      if (declared.has(name) && !hidden.has(name)) bind(name, binding);
    });
  }
}

/** `name =`, `name +=`, `name++`, and `} =` of what is taken apart */
const ASSIGNED =
  /(?<![\w$.]|\b(?:const|let|var)\s{1,4})([A-Za-z_$][\w$]*)\s*(?:(?:[-+*/%&|^?]{0,3}|<<|>>)=(?![=>])|\+\+|--)|\}\s*=(?![=>])|(?<=(?:^|[;{}\n])\s{0,40})\[[\w\s,$.]*\]\s*=(?![=>])|(?:\+\+|--)\s*([A-Za-z_$][\w$]*)/g;

/** `let` and `const` are seen in their block only. */
function region(node: Node): Node | null {
  let here: Node | null = node;
  while (here && here.type !== 'variable_declarator') {
    if (here.type === 'catch_clause') return here;
    if (here.type === 'for_in_statement')
      return /^(?:const|let)$/.test(here.childForFieldName('kind')?.text ?? '') ? here : null;
    if (!/pattern|identifier|^pair/.test(here.type)) return null;
    here = here.parent;
  }
  const declaration = here?.parent;
  if (declaration?.type !== 'lexical_declaration') return null;
  for (let block = declaration.parent; block; block = block.parent)
    if (/^(?:statement_block|for_statement|switch_body)$/.test(block.type))
      return block.parent && FUNCTIONS.has(block.parent.type) ? null : block;
  return null;
}

/** What functions between a node and the scope's own declare by parameter or `const`, `let`, `var`. */
function shadowed(node: Node, until: Node): Set<string> {
  const names = new Set<string>();
  for (let here = node.parent; here && here !== until; here = here.parent) {
    if (!FUNCTIONS.has(here.type)) continue;
    const list = here.childForFieldName('parameters') ?? here.childForFieldName('parameter');
    for (const each of list ? descendants(list, ['identifier', 'shorthand_property_identifier_pattern']) : [])
      names.add(each.text);
    const body = here.childForFieldName('body');
    for (const each of body ? ownDescendants(body, DECLARATORS, CLOSED) : []) {
      const name = each.childForFieldName('name');
      if (name?.type === 'identifier') names.add(name.text);
      else if (name)
        for (const { text } of descendants(name, ['identifier', 'shorthand_property_identifier_pattern']))
          names.add(text);
    }
  }
  return names;
}

const DECLARATORS = new Set(['variable_declarator']);
const RETURNS = new Set(['return_statement']);

function bindOne(node: Node, scope: Scope, bind: Bind): void {
  switch (node.type) {
    case 'variable_declarator': {
      const name = node.childForFieldName('name')!;
      const value = node.childForFieldName('value');
      if (value) assign(name, expression(value), scope, bind);
      else if (name.type === 'identifier') bind(name.text, { kind: 'declared', node: name, scope });
      return;
    }
    case 'assignment_expression':
      assign(node.childForFieldName('left')!, expression(node.childForFieldName('right')!), scope, bind);
      return;
    case 'augmented_assignment_expression': {
      const left = node.childForFieldName('left')!;
      if (left.type === 'identifier')
        bind(left.text, { kind: 'value', value: expression(node), node: left, scope });
      return;
    }
    case 'for_in_statement': {
      const left = node.childForFieldName('left');
      const right = node.childForFieldName('right');
      const isOf = node.childForFieldName('operator')?.text === 'of';
      if (left?.type === 'identifier' && right && isOf)
        bind(left.text, { kind: 'turn', over: expression(right), loop: node, path: null, node: left, scope });
      else if (left?.type === 'array_pattern' && right && isOf)
        for (const [path, target] of named(left).entries())
          if (target.type === 'identifier')
            bind(target.text, {
              kind: 'turn',
              over: expression(right),
              loop: node,
              path,
              node: target,
              scope,
            });
          else others(target, scope, bind);
      else others(left, scope, bind);
      return;
    }
    case 'catch_clause':
      others(node.childForFieldName('parameter'), scope, bind);
      return;
    case 'update_expression':
      others(node.childForFieldName('argument'), scope, bind);
      return;
    case 'enum_declaration':
      bind(node.childForFieldName('name')!.text, { kind: 'value', value: enumeration(node), node, scope });
      return;
    case 'function_declaration':
      bind(node.childForFieldName('name')!.text, { kind: 'function', node, scope, body: scope });
      return;
    case 'class_declaration':
    case 'abstract_class_declaration':
      bind(node.childForFieldName('name')!.text, { kind: 'class', node, scope, body: scope });
      return;
    case 'import_statement':
      importNames(node, scope, bind);
      return;
  }
}

/** `enum Sizes { Hidden = 64, Wide }`: a name without a value has one more than the name before. */
function enumeration(node: Node): Expression {
  const entries = new Map<string, Expression>();
  let next: number | null = 0;
  for (const each of named(node.childForFieldName('body') ?? node)) {
    const value = each.type === 'enum_assignment' ? each.childForFieldName('value') : null;
    const name = each.type === 'enum_assignment' ? each.childForFieldName('name')! : each;
    const made: Expression = value
      ? expression(value)
      : next === null
        ? nothing(each)
        : { kind: 'constant', value: next, node: each };
    entries.set(plainKey(name), made);
    next = made.kind === 'constant' && typeof made.value === 'number' ? made.value + 1 : null;
  }
  return { kind: 'record', entries, spreads: [], isWhole: true, node };
}

/** Every name of a pattern, bound to what is not followed. */
function others(target: Node | null, scope: Scope, bind: Bind): void {
  if (!target || target.type === 'member_expression' || target.type === 'subscript_expression') return;
  for (const node of descendants(target, ['identifier', 'shorthand_property_identifier_pattern']))
    if (!isDefault(node, target)) bind(node.text, { kind: 'other', node, scope });
}

/** A name in the default of a pattern is read, not bound. */
function isDefault(node: Node, until: Node): boolean {
  for (let here = node; here !== until && here.parent; here = here.parent)
    if (/assignment_pattern$/.test(here.parent.type) && here.field === 'right') return true;
  return false;
}

function importNames(node: Node, scope: Scope, bind: Bind): void {
  const source = node.childForFieldName('source');
  if (!source) return;
  const module = `npm:${source.text.slice(1, -1)}`;
  for (const each of descendants(node, ['namespace_import', 'import_specifier', 'import_clause'])) {
    if (each.type === 'namespace_import')
      bind(each.namedChild(0)!.text, { kind: 'import', qualified: module, node: each, scope });
    else if (each.type === 'import_specifier') {
      const name = each.childForFieldName('name')!.text;
      const alias = each.childForFieldName('alias')?.text ?? name;
      bind(alias, { kind: 'import', qualified: `${module}.${name}`, node: each, scope });
    } else {
      const [first] = named(each);
      if (first?.type === 'identifier')
        bind(first.text, {
          kind: 'import',
          // a package is told by its own name; a file of the project by what it exports
          qualified: module.startsWith('npm:.') ? `${module}.default` : module,
          node: each,
          scope,
        });
    }
  }
}

function assign(target: Node, value: Expression, scope: Scope, bind: Bind): void {
  if (target.type === 'identifier') bind(target.text, { kind: 'value', value, node: target, scope });
  else if (target.type === 'object_pattern') destructure(target, value, scope, bind);
  else if (target.type === 'array_pattern') elements(target, value, scope, bind);
}

/** `[a, b = 1]`: each name is an element of the value. */
function elements(pattern: Node, of: Expression, scope: Scope, bind: Bind): void {
  let place = 0;
  for (const each of pattern.children) {
    if (each.text === ',') place++;
    if (!each.isNamed || each.type === 'comment') continue;
    const target = each.type === 'assignment_pattern' ? each.childForFieldName('left')! : each;
    const fallback = each.type === 'assignment_pattern' ? each.childForFieldName('right') : null;
    const name = String(place);
    if (target.type === 'identifier')
      bind(target.text, {
        kind: 'property',
        of,
        name,
        fallback: fallback && expression(fallback),
        node: target,
        scope,
      });
    else if (/^(?:object|array)_pattern$/.test(target.type) && !fallback) {
      const index: Expression = { kind: 'constant', value: place, node: target };
      assign(target, { kind: 'index', object: of, index, node: target }, scope, bind);
    } else others(target, scope, bind);
  }
}

/** `{a, b: c = 1}`: each name is a property of the value. */
function destructure(pattern: Node, of: Expression, scope: Scope, bind: Bind): void {
  const taken = new Set<string>();
  for (const each of named(pattern)) {
    const property = propertyOf(each);
    const key = each.childForFieldName('key');
    const rest = each.type === 'rest_pattern' ? each.namedChild(0) : null;
    if (property) taken.add(property.name);
    else if (key) taken.add(plainKey(key));
    if (rest?.type === 'identifier') {
      const isWhole = !named(pattern).some(({ text }) => /^\[/.test(text));
      const value: Expression = {
        kind: 'record',
        entries: new Map(),
        spreads: [of],
        isWhole,
        without: taken,
        node: each,
      };
      bind(rest.text, { kind: 'value', value, node: rest, scope });
      continue;
    }
    const inner = each.childForFieldName('value');
    if (property)
      bind(property.local, {
        kind: 'property',
        of,
        name: property.name,
        fallback: property.fallback && expression(property.fallback),
        node: each,
        scope,
      });
    else if (each.type === 'pair_pattern' && inner && /^(?:object|array)_pattern$/.test(inner.type)) {
      const key = each.childForFieldName('key')!;
      const name = plainKey(key);
      assign(inner, { kind: 'member', object: of, name, nameNode: key, node: key }, scope, bind);
    } else others(inner ?? each, scope, bind);
  }
}

function propertyOf(node: Node): { local: string; name: string; fallback: Node | null } | null {
  switch (node.type) {
    case 'shorthand_property_identifier_pattern':
      return { local: node.text, name: node.text, fallback: null };
    case 'object_assignment_pattern': {
      const left = node.childForFieldName('left')!;
      return { local: left.text, name: left.text, fallback: node.childForFieldName('right') };
    }
    case 'pair_pattern': {
      const name = plainKey(node.childForFieldName('key')!);
      const value = node.childForFieldName('value')!;
      if (value.type === 'identifier') return { local: value.text, name, fallback: null };
      if (value.type !== 'assignment_pattern') return null;
      return {
        local: value.childForFieldName('left')!.text,
        name,
        fallback: value.childForFieldName('right'),
      };
    }
    default:
      return null;
  }
}

function parameters(scope: Scope, bind: Bind): void {
  const list = scope.node.childForFieldName('parameters') ?? scope.node.childForFieldName('parameter');
  if (!list) return;
  const add = (name: string, node: Node, place: number, property: string | null, value: Node | null) => {
    const fallback = value && expression(value);
    const parameter = { name, fallback, place, property, annotation: null, isRest: false };
    bind(name, { kind: 'parameter', ...parameter, node, scope });
  };
  if (list.type === 'identifier') {
    if (isCallback(scope.node))
      bind(list.text, {
        kind: 'turn',
        over: callbackOver(scope.node),
        loop: scope.node,
        path: null,
        node: list,
        scope,
      });
    else add(list.text, list, 0, null, null);
    return;
  }
  named(list).forEach((each, place) => {
    const typed = each.childForFieldName('pattern');
    const pattern = typed ?? (each.type === 'assignment_pattern' ? each.childForFieldName('left')! : each);
    const value = typed ? each.childForFieldName('value') : each.childForFieldName('right');
    if (pattern.type === 'identifier' && place === 0 && isCallback(scope.node))
      // `[64, 32].forEach(units => …)`
      bind(pattern.text, {
        kind: 'turn',
        over: callbackOver(scope.node),
        loop: scope.node,
        path: null,
        node: pattern,
        scope,
      });
    else if (pattern.type === 'identifier') add(pattern.text, each, place, null, value);
    else if (pattern.type === 'object_pattern')
      for (const inner of named(pattern)) {
        const property = propertyOf(inner);
        if (property) add(property.local, inner, place, property.name, property.fallback);
        else others(inner.childForFieldName('value') ?? inner, scope, bind);
      }
    else others(pattern, scope, bind);
  });
}

/** It is what `forEach` or `map` calls for each item. */
function isCallback(node: Node): boolean {
  const call = node.parent?.type === 'arguments' ? node.parent.parent : null;
  const callee = call?.childForFieldName('function');
  return (
    callee?.type === 'member_expression' &&
    /^(?:forEach|map|flatMap)$/.test(callee.childForFieldName('property')?.text ?? '') &&
    named(node.parent!)[0] === node
  );
}

function callbackOver(node: Node): Expression {
  return expression(node.parent!.parent!.childForFieldName('function')!.childForFieldName('object')!);
}

/** Fields of a class, parameters that are fields, and what its methods assign to `this`. */
function members(scope: Scope, bind: Bind): void {
  const body = scope.node.childForFieldName('body');
  if (!body) return;
  for (const node of descendants(body, [
    'public_field_definition',
    'field_definition',
    'assignment_expression',
    'augmented_assignment_expression',
    'update_expression',
  ])) {
    if (node.type === 'update_expression' || node.type === 'augmented_assignment_expression') {
      const target = node.childForFieldName('left') ?? node.childForFieldName('argument');
      if (target?.type !== 'member_expression' || target.childForFieldName('object')!.text !== 'this')
        continue;
      const value = expression(node);
      bind(target.childForFieldName('property')!.text, { kind: 'value', value, node: target, scope });
    } else if (node.type === 'assignment_expression') {
      const left = node.childForFieldName('left')!;
      if (left.type !== 'member_expression' || left.childForFieldName('object')!.text !== 'this') continue;
      const value = expression(node.childForFieldName('right')!);
      bind(left.childForFieldName('property')!.text, { kind: 'value', value, node: left, scope });
    } else {
      const name = node.childForFieldName('name') ?? node.childForFieldName('property');
      const value = node.childForFieldName('value');
      if (name && value) bind(name.text, { kind: 'value', value: expression(value), node: name, scope });
    }
  }
  for (const node of named(body))
    if (node.type === 'method_definition' && node.children.some(({ type }) => type === 'get')) {
      const returns = ownDescendants(node.childForFieldName('body')!, RETURNS, CLOSED);
      const value = returns.length === 1 ? returns[0]!.namedChild(0) : null;
      const name = node.childForFieldName('name')!;
      bind(name.text, { kind: 'value', value: value ? expression(value) : nothing(node), node: name, scope });
    }
  for (const node of descendants(body, ['required_parameter', 'optional_parameter'])) {
    const isField =
      named(node).some(({ type }) => type === 'accessibility_modifier') || /^readonly\b/.test(node.text);
    const name = node.childForFieldName('pattern');
    const value = node.childForFieldName('value');
    if (isField && name)
      bind(name.text, {
        kind: 'parameter',
        name: name.text,
        fallback: value && expression(value),
        place: named(node.parent!).indexOf(node),
        property: null,
        annotation: null,
        isRest: false,
        node: name,
        scope,
      });
  }
}

// ---------------------------------------------------------------- branches

function branches(node: Node): Branch[] {
  const found: Branch[] = [];
  let below: Node = node;
  for (let here = node.parent; here; below = here, here = here.parent) {
    if (FUNCTIONS.has(here.type) || CLASSES.has(here.type)) break;
    const branch = branchOf(here, below);
    if (branch) found.unshift(branch);
  }
  return found;
}

function branchOf(statement: Node, below: Node): Branch | null {
  switch (statement.type) {
    case 'if_statement':
    case 'ternary_expression':
      if (below.equals(statement.childForFieldName('condition')!)) return null;
      return { id: statement.id, arm: below.id, isLoop: false };
    case 'switch_body':
    case 'try_statement':
      return { id: statement.id, arm: below.id, isLoop: false };
    case 'for_statement':
    case 'for_in_statement':
    case 'while_statement':
    case 'do_statement':
      return below.equals(statement.childForFieldName('body')!)
        ? { id: statement.id, arm: below.id, isLoop: true }
        : null;
    default:
      return null;
  }
}
