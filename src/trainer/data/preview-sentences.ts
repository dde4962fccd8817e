// Sentences of a file of columns as rows, for `unroll data`: a cell is the list of what its column holds for each token.
import { plural } from '../../experiment/words.ts';
import type { BadRows } from './bad-rows.ts';
import { isComment, namesOf, rowKind } from './conll.ts';
import { textChunks } from './text.ts';

export interface SentenceRows {
  format: string;
  /** numbers from 0 where the format has no names */
  columns: string[];
  isHeadless: boolean;
  rows: AsyncGenerator<{ cells: string[][] }>;
}

/** null: no line holds a token. @throws DataError, also while rows are taken */
export async function sentenceRows(
  path: string,
  name: string,
  { bad, bytes }: { bad: BadRows; bytes?: number | undefined },
): Promise<SentenceRows | null> {
  const lines = linesOf(path, name, bytes);
  let first: Line | null = null;
  // a loop over `lines` would end it at its break
  while (!first) {
    const { done, value } = await lines.next();
    if (done) return null;
    if (!isComment(value.text) && value.text.trim() !== '') first = value;
  }
  const { names, isConllU } = namesOf(cellsOf(first.text));
  const width = cellsOf(first.text).length;
  async function* rows(): AsyncGenerator<{ cells: string[][] }> {
    let own: string[][] | null = null;
    const add = ({ text, line }: Line) => {
      const cells = cellsOf(text);
      if (cells.length !== width) {
        bad.report(
          `${name}, line ${line}: ${plural(cells.length, 'column')}, but the first row has ${width}.`,
        );
        return;
      }
      if (isConllU && rowKind(cells[0]!) !== 'token') return;
      own ??= cells.map(() => []);
      cells.forEach((cell, at) => {
        own![at]!.push(cell);
      });
    };
    add(first!);
    for await (const line of lines) {
      if (line.text.trim() === '') {
        if (own) yield { cells: own };
        own = null;
      } else if (!isComment(line.text) || (!isConllU && cellsOf(line.text).length === width)) add(line);
    }
    if (own) yield { cells: own };
  }
  return {
    format: isConllU ? 'CoNLL-U' : 'sentences in columns',
    columns: names.length > 0 ? [...names] : Array.from({ length: width }, (_, at) => String(at)),
    isHeadless: names.length === 0,
    rows: rows(),
  };
}

interface Line {
  text: string;
  line: number;
}

function cellsOf(text: string): string[] {
  return text.includes('\t') ? text.split('\t') : text.trim().split(/\s+/);
}

async function* linesOf(path: string, name: string, bytes: number | undefined): AsyncGenerator<Line, void> {
  let [rest, line] = ['', 0];
  for await (const chunk of textChunks(path, name, { bytes })) {
    const texts = (rest + chunk).split(/\r\n|\r|\n/);
    rest = texts.pop()!;
    for (const text of texts) yield { text, line: ++line };
  }
  // the last line of a beginning is cut
  if (rest !== '' && bytes === undefined) yield { text: rest, line: line + 1 };
}
