// Configuration files in YAML as records of settings: mappings, lists and scalars by their indentation, with the place of
// each. What is more than that (anchors, blocks of text, tags) is left open.
import type { Constant, Expression } from '../code/expression.ts';
import { type Node, Source } from '../code/node.ts';

interface Line {
  indent: number;
  text: string;
  offset: number;
}

export interface YamlFile {
  settings: Expression;
  /** entries of the list `defaults`: which file of a group is taken */
  defaults: readonly { group: string; choice: string }[];
}

export function yamlFile(text: string, file: string): YamlFile {
  const source = new Source(null, text, file);
  const lines = linesOf(text);
  const settings = new Reader(source, lines).mapping(0).expression;
  return { settings, defaults: defaultsOf(lines) };
}

function linesOf(text: string): Line[] {
  const lines: Line[] = [];
  let offset = 0;
  for (const line of text.split('\n')) {
    const bare = line
      .replace(/\r$/, '')
      .replace(/(^|\s)#.*$/, '$1')
      .trimEnd();
    const indent = bare.length - bare.trimStart().length;
    if (bare.trim() !== '' && !/^(?:---|\.\.\.|%)/.test(bare))
      lines.push({ indent, text: bare.trim(), offset: offset + indent });
    offset += line.length + 1;
  }
  return lines;
}

const PAIR = /^(?:"([^"]+)"|'([^']+)'|([^\s:#"'[{][^:#]*?))\s*:(?:\s+(.*))?$/;

class Reader {
  private readonly source: Source;
  private readonly lines: readonly Line[];

  constructor(source: Source, lines: readonly Line[]) {
    this.source = source;
    this.lines = lines;
  }

  /** All pairs from a line on that stand as far to the right as it does. */
  mapping(start: number): { expression: Expression; next: number } {
    const entries = new Map<string, Expression>();
    const first = this.lines[start];
    const indent = first?.indent ?? 0;
    let at = start;
    while (at < this.lines.length && this.lines[at]!.indent >= indent) {
      const line = this.lines[at]!;
      const pair = line.indent === indent ? PAIR.exec(line.text) : null;
      at++;
      if (!pair) continue;
      const key = (pair[1] ?? pair[2] ?? pair[3])!;
      const value = pair[4];
      const below = this.lines[at];
      if (value !== undefined && value !== '') entries.set(key, this.scalar(value, line));
      else if (below && below.indent > indent && PAIR.test(below.text)) {
        const inner = this.mapping(at);
        entries.set(key, inner.expression);
        at = inner.next;
      } else if (below && below.indent >= indent && below.text.startsWith('-')) {
        const items: Expression[] = [];
        for (; this.lines[at]?.text.startsWith('-') && this.lines[at]!.indent === below.indent; at++)
          items.push(this.scalar(this.lines[at]!.text.slice(1).trim(), this.lines[at]!));
        entries.set(key, { kind: 'list', items, node: this.node(line) });
      }
    }
    const node = first ? this.node(first) : this.source.root;
    return { expression: { kind: 'record', entries, spreads: [], isWhole: true, node }, next: at };
  }

  private scalar(text: string, line: Line): Expression {
    const node = this.node(line);
    const list = /^\[(.*)\]$/.exec(text)?.[1];
    if (list !== undefined)
      return { kind: 'list', items: list.split(',').map(each => this.scalar(each.trim(), line)), node };
    const value = constantOf(text);
    return value === undefined ? { kind: 'other', node } : { kind: 'setting', value, node };
  }

  private node({ offset, text }: Line): Node {
    return this.source.stretch(offset, offset + text.length);
  }
}

function constantOf(text: string): Constant | undefined {
  if (/^[-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(text)) return Number(text.replaceAll('_', ''));
  if (/^(?:true|yes|on)$/i.test(text)) return true;
  if (/^(?:false|no|off)$/i.test(text)) return false;
  if (/^(?:null|~)$/i.test(text)) return null;
  const quoted = /^(?:"([^"\\]*)"|'([^']*)')$/.exec(text);
  if (quoted) return quoted[1] ?? quoted[2]!;
  // an interpolation, an anchor, a block of text
  return /^[\w./-]+$/.test(text) ? text : undefined;
}

/** `- model: lstm`, `- override hydra/launcher: basic`, `- optional db: mysql` */
function defaultsOf(lines: readonly Line[]): { group: string; choice: string }[] {
  const start = lines.findIndex(({ text, indent }) => text === 'defaults:' && indent === 0);
  const found: { group: string; choice: string }[] = [];
  for (let at = start + 1; start >= 0 && lines[at]?.text.startsWith('-'); at++) {
    const pair = /^-\s*(?:optional\s+|override\s+)?\/?([\w/-]+)(?:@([\w.]+))?\s*:\s*["']?([\w./-]+)/.exec(
      lines[at]!.text,
    );
    if (pair) found.push({ group: pair[2] ? `${pair[1]}@${pair[2]}` : pair[1]!, choice: pair[3]! });
  }
  return found;
}
