// JavaScript and TypeScript, JSX included: expressions, scopes and branches from their syntax trees.
import type { Argument, Binding, Branch, Dialect, Expression, Scope } from './expression.ts';
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
]);
const CLOSED = new Set([...FUNCTIONS, ...CLASSES]);

export function javascriptDialect(): Dialect {
  const scopes = new LazyScopes({
    kindOf: ({ type }) =>
      CLASSES.has(type) ? 'class' : FUNCTIONS.has(type) ? 'function' : type === 'program' ? 'module' : null,
    collect,
    members,
  });
  return {
    expression,
    scopeOf: node => scopes.around(node),
    self: 'this',
    calls: ['call_expression', 'new_expression'],
    branches,
    readOver: () => [],
  };
}

// ---------------------------------------------------------------- expressions

function expression(node: Node): Expression {
  switch (node.type) {
    case 'number': {
      const value = Number(node.text.replaceAll('_', ''));
      return Number.isNaN(value) ? { kind: 'other', node } : { kind: 'constant', value, node };
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
        ? { kind: 'other', node }
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
        return { kind: 'choice', options: [expression(left), expression(right)], node };
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
        node,
      };
    case 'parenthesized_expression':
    case 'await_expression':
    case 'as_expression':
    case 'satisfies_expression':
    case 'non_null_expression':
      return node.namedChild(0) ? expression(node.namedChild(0)!) : { kind: 'other', node };
    case 'array':
      return { kind: 'list', items: named(node).map(expression), node };
    case 'object':
      return recordOf(node);
    default:
      return { kind: 'other', node };
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
  const entries = new Map<string, Expression>();
  const spreads: Expression[] = [];
  let isWhole = true;
  for (const child of named(node)) {
    if (child.type === 'pair') {
      const key = child.childForFieldName('key')!;
      if (key.type === 'computed_property_name') isWhole = false;
      else entries.set(plainKey(key), expression(child.childForFieldName('value')!));
    } else if (child.type === 'shorthand_property_identifier') entries.set(child.text, expression(child));
    else if (child.type === 'spread_element') spreads.push(expression(child.namedChild(0)!));
  }
  return { kind: 'record', entries, spreads, isWhole, node };
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
  for (const found of ownDescendants(body, BINDERS, CLOSED)) bindOne(found, scope, bind);
}

function bindOne(node: Node, scope: Scope, bind: Bind): void {
  switch (node.type) {
    case 'variable_declarator': {
      const name = node.childForFieldName('name')!;
      const value = node.childForFieldName('value');
      if (value) assign(name, expression(value), scope, bind);
      return;
    }
    case 'assignment_expression':
      assign(node.childForFieldName('left')!, expression(node.childForFieldName('right')!), scope, bind);
      return;
    case 'augmented_assignment_expression':
    case 'for_in_statement':
      other(node.childForFieldName('left'), scope, bind);
      return;
    case 'update_expression':
      other(node.childForFieldName('argument'), scope, bind);
      return;
    case 'function_declaration':
      bind(node.childForFieldName('name')!.text, { kind: 'other', node, scope });
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

function other(target: Node | null, scope: Scope, bind: Bind): void {
  if (target?.type === 'identifier') bind(target.text, { kind: 'other', node: target, scope });
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
        bind(first.text, { kind: 'import', qualified: module, node: each, scope });
    }
  }
}

function assign(target: Node, value: Expression, scope: Scope, bind: Bind): void {
  if (target.type === 'identifier') bind(target.text, { kind: 'value', value, node: target, scope });
  else if (target.type === 'object_pattern') destructure(target, value, scope, bind);
}

/** `{a, b: c = 1}`: each name is a property of the value. */
function destructure(pattern: Node, of: Expression, scope: Scope, bind: Bind): void {
  for (const each of named(pattern)) {
    const property = propertyOf(each);
    if (property)
      bind(property.local, {
        kind: 'property',
        of,
        name: property.name,
        fallback: property.fallback && expression(property.fallback),
        node: each,
        scope,
      });
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
  if (list.type === 'identifier') {
    bind(list.text, { kind: 'parameter', fallback: null, node: list, scope });
    return;
  }
  for (const each of named(list)) {
    const typed = each.childForFieldName('pattern');
    const pattern = typed ?? (each.type === 'assignment_pattern' ? each.childForFieldName('left')! : each);
    const fallback = typed ? each.childForFieldName('value') : each.childForFieldName('right');
    if (pattern.type === 'identifier')
      bind(pattern.text, {
        kind: 'parameter',
        fallback: fallback && expression(fallback),
        node: each,
        scope,
      });
    else if (pattern.type === 'object_pattern')
      for (const inner of named(pattern)) {
        const property = propertyOf(inner);
        if (property)
          bind(property.local, {
            kind: 'parameter',
            fallback: property.fallback && expression(property.fallback),
            node: inner,
            scope,
          });
      }
  }
}

/** Fields of a class, parameters that are fields, and what its methods assign to `this`. */
function members(scope: Scope, bind: Bind): void {
  const body = scope.node.childForFieldName('body');
  if (!body) return;
  for (const node of descendants(body, [
    'public_field_definition',
    'field_definition',
    'assignment_expression',
  ])) {
    if (node.type === 'assignment_expression') {
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
  for (const node of descendants(body, ['required_parameter', 'optional_parameter'])) {
    const isField =
      named(node).some(({ type }) => type === 'accessibility_modifier') || /^readonly\b/.test(node.text);
    const name = node.childForFieldName('pattern');
    const value = node.childForFieldName('value');
    if (isField && name)
      bind(name.text, { kind: 'parameter', fallback: value && expression(value), node: name, scope });
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
