// Edits of a call's arguments that keep the writer's style: lines, trailing commas, spaces, quotes.
import type { Node } from '../code/syntax.ts';
import type { CallExpression } from '../found-layers.ts';
import type { TextEdit } from './finding.ts';
import type { LintSource } from './source.ts';

/** The list that named arguments stand in: Python's argument list, JavaScript's options object. */
export function argumentList(source: LintSource, { node }: CallExpression): Node | null {
  const list = node.childForFieldName('arguments');
  if (!list || source.isPython) return list?.type === 'argument_list' ? list : null;
  const last = parts(list).at(-1);
  return last ? (last.type === 'object' ? last : null) : list;
}

/** An argument goes with its comma, and with its line if it has one of its own. */
export function removeArgument(source: LintSource, argument: Node): TextEdit {
  const siblings = argument.parent!.namedChildren.filter(each => each !== null);
  const at = siblings.findIndex(each => each.equals(argument));
  const before = siblings[at - 1];
  const after = siblings.slice(at + 1).find(each => !isRemark(each, argument));
  const remove = (start: number, end: number) => ({ range: source.range(start, end), text: '' });
  const isAlone = before?.endPosition.row !== argument.startPosition.row;
  if (before && !isAlone) return remove(before.endIndex, argument.endIndex);
  if (after) return remove(argument.startIndex, after.startIndex);
  if (before && before.type !== 'comment') return remove(before.endIndex, argument.endIndex);
  const comma = /^\s*,/.exec(source.text.slice(argument.endIndex))?.[0].length ?? 0;
  if (before) return remove(argument.startIndex, argument.endIndex + comma);
  const list = argument.parent!;
  return remove(list.startIndex + 1, list.endIndex - 1);
}

/** A comment that stands behind an argument on its line is about that argument. */
function isRemark(node: Node, argument: Node): boolean {
  return node.type === 'comment' && node.startPosition.row === argument.endPosition.row;
}

/** Named arguments after all others; null where there is no place for them to stand. */
export function addArguments(
  source: LintSource,
  call: CallExpression,
  given: readonly (readonly [name: string, value: string])[],
): TextEdit | null {
  const list = argumentList(source, call);
  if (!list) return null;
  const isObject = source.isPython || list.type === 'object';
  const last = isObject ? parts(list).at(-1) : undefined;
  const { between, open, close } = spaces(source, list, last);
  const written = given.map(([name, value]) => assignment(source, list, name, value)).join(`,${between}`);
  if (!isObject) return insert(source, list.startIndex + 1, `{ ${written} }`);
  if (!last) return insert(source, list.startIndex + 1, `${open}${written}${close}`);
  return insert(source, last.endIndex, `,${between}${written}`);
}

/** The value of an argument in place of what stands there. */
export function setArgument(
  source: LintSource,
  call: CallExpression,
  name: string,
  value: string,
): TextEdit | null {
  const given = call.named.get(name);
  if (!given) return addArguments(source, call, [[name, value]]);
  const { node } = given.value;
  // `{returnSequences}` says name and value in one
  if (node.type === 'shorthand_property_identifier')
    return replace(source, node, assignment(source, node.parent!, name, value));
  return replace(source, node, value);
}

/** The same for several, of which those that are not there come in one edit. */
export function setArguments(
  source: LintSource,
  call: CallExpression,
  values: readonly (readonly [name: string, value: string])[],
): (TextEdit | null)[] {
  const there = values.filter(([name]) => call.named.has(name));
  const missing = values.filter(([name]) => !call.named.has(name));
  return [
    ...there.map(([name, value]) => setArgument(source, call, name, value)),
    ...(missing.length > 0 ? [addArguments(source, call, missing)] : []),
  ];
}

export function replace(source: LintSource, { startIndex, endIndex }: Node, text: string): TextEdit {
  return { range: source.range(startIndex, endIndex), text };
}

export function insert(source: LintSource, offset: number, text: string): TextEdit {
  return { range: source.range(offset, offset), text };
}

/** A statement on a line of its own after another, in its indentation; null where that shares its line. */
export function addStatement(source: LintSource, statement: Node, lines: readonly string[]): TextEdit | null {
  const { text } = source;
  const start = text.lastIndexOf('\n', statement.startIndex - 1) + 1;
  const indent = text.slice(start, statement.startIndex);
  const rest = /^[^\r\n]*/.exec(text.slice(statement.endIndex))![0];
  if (/\S/.test(indent) || /^\s*[^\s#]/.test(rest)) return null;
  const end = statement.endIndex + rest.length;
  return insert(source, end, lines.map(line => `${eol(source)}${indent}${line}`).join(''));
}

/** The same before it. */
export function addStatementBefore(
  source: LintSource,
  statement: Node,
  lines: readonly string[],
): TextEdit | null {
  const start = source.text.lastIndexOf('\n', statement.startIndex - 1) + 1;
  const indent = source.text.slice(start, statement.startIndex);
  if (/\S/.test(indent)) return null;
  return insert(source, start, lines.map(line => `${indent}${line}${eol(source)}`).join(''));
}

/** A string in the quotes that the call has, else the file. */
export function quoted(source: LintSource, { node }: CallExpression, value: string): string {
  const [own] = /["']/.exec(node.text) ?? [];
  const count = (quote: string) => source.text.split(quote).length;
  const quote = own ?? (count("'") >= count('"') ? "'" : '"');
  return `${quote}${value}${quote}`;
}

/** The indentation of one level, as the file has it. */
export function indentOf({ text }: LintSource): string {
  return /^([ \t]+)\S/m.exec(text)?.[1] ?? '    ';
}

function assignment({ isPython }: LintSource, list: Node, name: string, value: string): string {
  const others = parts(list).map(({ text }) => text);
  if (isPython) return others.some(text => /^\w+\s+=/.test(text)) ? `${name} = ${value}` : `${name}=${value}`;
  const pairs = others.filter(text => /^[\w'"]+\s*:/.test(text));
  return pairs.length > 0 && pairs.every(text => /^[\w'"]+:\S/.test(text))
    ? `${name}:${value}`
    : `${name}: ${value}`;
}

/** What stands between arguments: a line break where the last one begins its line. */
function spaces({ text, isPython }: LintSource, list: Node, last: Node | undefined) {
  const inside = isPython ? '' : ' ';
  const lead = last ? text.slice(text.lastIndexOf('\n', last.startIndex - 1) + 1, last.startIndex) : 'x';
  const isOwnLine = !/\S/.test(lead) && last!.startPosition.row > list.startPosition.row;
  const ending = text.includes('\r\n') ? '\r\n' : '\n';
  return { between: isOwnLine ? `${ending}${lead}` : ' ', open: inside, close: inside };
}

function eol({ text }: LintSource): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}

function parts(list: Node): Node[] {
  return list.namedChildren.filter(child => child !== null && child.type !== 'comment') as Node[];
}
