// Texts that code reads from files of the workspace, for how many characters and words differ in them. The file may be
// another one tomorrow: what it says holds by default. Nothing of a text is kept but what was counted last.
import { dataPath } from './data-paths.ts';
import { dotted, type Evaluator, usualOf } from './evaluation.ts';
import type { CallOf, Expression } from './expression.ts';
import type { Node } from './node.ts';

const DEPTH = 12;
/** characters of a text whose words are counted: more take longer than a frame of the screen */
const LONGEST_OF_WORDS = 524_288;
const OPENS = /^(?:(?:io\.|codecs\.)?open)$/;
const MOST_KEPT = 16;
/** What Python's `split()` takes for blank. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: Python takes these four separators for blanks
const BLANK = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;

interface FileText {
  text: string;
  /** the file's first line */
  at: Node;
  /** what was done to it, by which its counts are kept */
  key: string;
  /** not a text yet: its bytes are to be decoded */
  isBytes: boolean;
}

export interface Differing {
  items: readonly string[];
  at: Node;
}

const KEPT = new Map<string, { text: string; items: readonly string[] }>();

export class FileTexts {
  private readonly evaluator: Evaluator;

  constructor(evaluator: Evaluator) {
    this.evaluator = evaluator;
  }

  /** The characters or words that `set(…)` of this keeps; null where it reads no file that is told. */
  differing(expression: Expression, depth = 0): Differing | null {
    if (depth > DEPTH) return null;
    const own = this.of(expression, depth);
    if (own) return own.isBytes ? null : counted(own, 'characters', () => characters(own.text));
    const [made, ...more] = this.evaluator.definitions(expression);
    if (made?.kind !== 'call' || more.length > 0) return null;
    const { callee, positional } = made;
    if (/^(?:list|tuple|sorted|iter)$/.test(dotted(callee)) && positional[0])
      return this.differing(positional[0], depth + 1);
    if (callee.kind !== 'member' || callee.name !== 'split' || made.named.size > 0) return null;
    const text = this.of(callee.object, depth + 1);
    if (!text || text.isBytes || text.text.length > LONGEST_OF_WORDS) return null;
    const [by] = positional;
    const sign = by ? this.word(by) : null;
    if (by && !sign) return null;
    if (!by && this.evaluator.dialect.self !== 'self') return null;
    return counted(text, `words by ${sign}`, () => [
      ...new Set(sign ? text.text.split(sign) : text.text.split(BLANK).filter(Boolean)),
    ]);
  }

  /** `open("x.txt").read().lower()`, `Path("x.txt").read_text()`, `fs.readFileSync("x.txt", "utf8")` */
  private of(expression: Expression, depth: number): FileText | null {
    if (depth > DEPTH) return null;
    if (expression.kind === 'name' || expression.kind === 'member') {
      const [made, ...more] = this.evaluator.definitions(expression);
      if (!made || more.length > 0 || made.node === expression.node) return null;
      return made.kind === 'call' ? this.of(made, depth + 1) : null;
    }
    if (expression.kind !== 'call' || expression.callee.kind !== 'member') return null;
    const { name, object } = expression.callee;
    if (name === 'read' && expression.positional.length === 0) return this.opened(object, depth + 1);
    if (name === 'read_text') return this.inFile(object, expression, true);
    if (name === 'readFileSync' && expression.positional[0]) {
      const coded = expression.positional.length > 1;
      const text = this.inFile(expression.positional[0], null, false);
      return text && { ...text, isBytes: !coded };
    }
    const text = this.of(object, depth + 1);
    return text && this.done(text, name, expression);
  }

  private opened(object: Expression, depth: number): FileText | null {
    const [made, ...more] = this.evaluator.definitions(object);
    if (made?.kind !== 'call' || more.length > 0 || depth > DEPTH) return null;
    const { callee, positional, named } = made;
    const name = dotted(callee);
    const isPath = callee.kind === 'member' && callee.name === 'open' && !OPENS.test(name);
    if (!isPath && !OPENS.test(name)) return null;
    const file = isPath ? callee.object : (positional[0] ?? named.get('file')?.value);
    const given = named.get('mode')?.value ?? positional[isPath ? 0 : 1];
    const mode = given ? this.word(given) : 'r';
    if (!file || mode === null || !/^r?[bt]?[rbtU]?$/.test(mode)) return null;
    const isBytes = mode.includes('b');
    const text = this.inFile(file, made, !isBytes && name !== 'codecs.open');
    return text && { ...text, isBytes };
  }

  private inFile(given: Expression, call: CallOf | null, translates: boolean): FileText | null {
    const coding = call?.named.get('encoding')?.value;
    const code = coding ? this.word(coding) : 'utf8';
    if (!/^(?:utf|ascii|us-ascii)/i.test(code ?? '') || call?.named.has('newline')) return null;
    const file = dataPath(this.evaluator, given);
    const data = file ? this.evaluator.project.data(file, given.node.source, 'whole') : null;
    if (!data) return null;
    const read = /sig$/i.test(code!) ? data.text.replace(/^\ufeff/, '') : data.text;
    const text = translates ? read.replace(/\r\n?/g, '\n') : read;
    // bytes that are no UTF-8
    if (text.includes('\ufffd')) return null;
    return { text, at: data.node, key: `${data.node.source.file} ${translates} ${code}`, isBytes: false };
  }

  private done(before: FileText, name: string, call: CallOf): FileText | null {
    const { positional, named } = call;
    const made = (text: string, key: string): FileText => ({ ...before, text, key: `${before.key} ${key}` });
    if (name === 'decode' || name === 'toString') {
      const code = positional[0] ?? named.get('encoding')?.value;
      return !code || /^utf-?8$/i.test(this.word(code) ?? '') ? { ...before, isBytes: false } : null;
    }
    if (before.isBytes) return null;
    if (/^(?:lower|toLowerCase)$/.test(name) && positional.length === 0)
      return made(before.text.toLowerCase(), 'lower');
    if (/^(?:upper|toUpperCase)$/.test(name) && positional.length === 0)
      return made(before.text.toUpperCase(), 'upper');
    if (/^(?:strip|trim)$/.test(name) && positional.length === 0) return made(before.text.trim(), 'strip');
    if (name !== 'replace' || this.evaluator.dialect.self !== 'self' || positional.length !== 2) return null;
    const [from, to] = positional.map(each => this.word(each));
    return from && typeof to === 'string'
      ? made(
          before.text.replaceAll(from, () => to),
          `replace ${from} ${to}`,
        )
      : null;
  }

  /** Known, or by default. */
  private word(expression: Expression): string | null {
    const told = usualOf(this.evaluator.value(expression));
    if (typeof told !== 'string') return null;
    // an escape stands in a text as it is written
    return told.replace(/\\(n|r|t|\\)/g, (_, sign: string) => ESCAPES[sign]!);
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '\\': '\\' };

function counted({ key, text, at }: FileText, what: string, count: () => readonly string[]): Differing {
  const own = `${key} ${what}`;
  const kept = KEPT.get(own);
  if (kept?.text === text) return { items: kept.items, at };
  const items = count();
  KEPT.delete(own);
  KEPT.set(own, { text, items });
  const [oldest] = KEPT.keys();
  if (KEPT.size > MOST_KEPT) KEPT.delete(oldest!);
  return { items, at };
}

/** By code points, as Python has them. A text of a million characters takes about 2 ms. */
function characters(text: string): string[] {
  const seen = new Uint8Array(65_536);
  let isBeyond = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= 0xd800 && code < 0xe000) isBeyond = true;
    seen[code] = 1;
  }
  if (isBeyond) return [...new Set(text)];
  const found: string[] = [];
  for (let code = 0; code < seen.length; code++) if (seen[code] === 1) found.push(String.fromCharCode(code));
  return found;
}
