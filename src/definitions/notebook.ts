// The code of a Jupyter notebook as one text: cells see what the cells before them bound. Lines are those of the file.
import { findNodeAtLocation, type Node, type ParseError, parseTree } from 'jsonc-parser';
import type { Language } from './code/syntax.ts';

export interface NotebookCode {
  language: Language;
  text: string;
  /** of each line of the text, 1-based, the line of the file that holds it */
  lines: number[];
  /** of each line of the text: the cell, counted from 1 with those of text, and the line in it */
  places: { cell: number; line: number }[];
}

const LANGUAGES: Readonly<Record<string, Language>> = {
  python: 'python',
  javascript: 'javascript',
  typescript: 'typescript',
};
/** Cells of another language, such as `%%bash`; the others time or capture what follows. */
const FOREIGN =
  /^%%(?:bash|sh|script|html|HTML|javascript|js|latex|markdown|svg|writefile|sql|R|cython|perl|ruby)\b/;

/** Why a file is no notebook that can be read; null if it is one, of whatever language. */
export function notebookFault(file: string): string | null {
  const errors: ParseError[] = [];
  const root = parseTree(file, errors);
  const [first] = errors;
  if (first)
    return `it is no notebook, since its JSON is broken in line ${lineAt(lineStarts(file), first.offset)}`;
  const cells =
    root && (findNodeAtLocation(root, ['cells']) ?? findNodeAtLocation(root, ['worksheets', 0, 'cells']));
  return cells?.type === 'array' ? null : 'it is no notebook, since it has no list of cells';
}

/** null: it is no notebook, or of a language that is not read. */
export function notebookCode(file: string): NotebookCode | null {
  const root = parseTree(file);
  const cells =
    root && (findNodeAtLocation(root, ['cells']) ?? findNodeAtLocation(root, ['worksheets', 0, 'cells']));
  if (cells?.type !== 'array') return null;
  const language = LANGUAGES[languageName(root!)];
  if (!language) return null;
  const starts = lineStarts(file);
  const code: string[] = [];
  const lines: number[] = [];
  const places: NotebookCode['places'] = [];
  let count = 0;
  for (const cell of cells.children ?? []) {
    count++;
    if (valueAt(cell, 'cell_type') !== 'code') continue;
    const source = findNodeAtLocation(cell, ['source']) ?? findNodeAtLocation(cell, ['input']);
    const parts = source?.type === 'array' ? (source.children ?? []) : source ? [source] : [];
    const own = sourceLines(parts, starts);
    if (FOREIGN.test(own[0]?.text ?? '')) continue;
    for (const [index, { text, line }] of own.entries()) {
      code.push(language === 'python' ? withoutMagic(text) : text);
      lines.push(line);
      places.push({ cell: count, line: index + 1 });
    }
  }
  return { language, text: code.join('\n'), lines, places };
}

function languageName(root: Node): string {
  const of = (...path: string[]) => findNodeAtLocation(root, ['metadata', ...path])?.value as unknown;
  return String(of('language_info', 'name') ?? of('kernelspec', 'language') ?? 'python').toLowerCase();
}

function valueAt(node: Node, name: string): unknown {
  return findNodeAtLocation(node, [name])?.value;
}

/** A part is a line with its end, or the whole cell in one string. */
function sourceLines(parts: readonly Node[], starts: readonly number[]): { text: string; line: number }[] {
  const found: { text: string; line: number }[] = [];
  let isOpen = false;
  for (const part of parts) {
    const line = lineAt(starts, part.offset);
    const [first = '', ...more] = String(part.value).split(/\r?\n/);
    if (isOpen) found.at(-1)!.text += first;
    else found.push({ text: first, line });
    for (const text of more) found.push({ text, line });
    isOpen = true;
    if (more.at(-1) === '') {
      found.pop();
      isOpen = false;
    }
  }
  return found;
}

/** `%matplotlib inline` and `!pip install` are no Python, and may be all that a block holds. */
function withoutMagic(line: string): string {
  return /^\s*(?:[%!]|\?)/.test(line) ? line.replace(/\S.*/, 'pass') : line;
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

function lineAt(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (starts[middle]! <= offset) low = middle;
    else high = middle;
  }
  return low + 1;
}
