// Sentences with a tag for each token: of a file of columns (conll.ts), or of a format with named columns, whose rows hold
// two lists of equal length, tokens and tags.
import { plural } from '../../experiment/words.ts';
import { BadRows } from './bad-rows.ts';
import { type ConllColumns, type ReadOptions, type ReadSentences, readConll, SentenceList } from './conll.ts';
import { DataError } from './errors.ts';
import { openReader, readerOf } from './readers/index.ts';
import { type Cell, isUnusable, itemsOf, type Reader } from './readers/reader.ts';
import { columnPlace } from './records.ts';
import { Storage } from './storage.ts';

/** What the column of words is usually called. */
const WORD_COLUMNS = ['tokens', 'words', 'form', 'forms', 'sentence', 'text'];

/** @throws DataError with file and line of a row that is not of the format, or the columns there are */
export async function readSentences(
  path: string,
  data: ConllColumns,
  options: ReadOptions = {},
): Promise<ReadSentences> {
  const reader = readerOf(path);
  return reader ? sentencesIn(reader, path, data, options) : readConll(path, data, options);
}

async function sentencesIn(
  reader: Reader,
  path: string,
  data: ConllColumns,
  { bad = new BadRows(), part, storage = new Storage() }: ReadOptions,
): Promise<ReadSentences> {
  const { columns, rows, unit } = await openReader(reader, path, data.path, { bad, part });
  const place = (column: string | number) => {
    if (typeof column === 'string') return columnPlace(column, columns, data.path);
    if (column < columns.length) return column;
    throw new DataError(
      `${data.path}: there is no column ${column} (counted from 0); it has ${plural(columns.length, 'column')}.`,
    );
  };
  const tags = data.tags === null ? null : place(data.tags);
  const words = place(data.words ?? wordsAmong(columns, tags, data.path));
  const sentences = new SentenceList(storage);
  for await (const { cells, line } of rows) {
    const fault = (why: string) => bad.report(`${data.path}, ${unit} ${line}: ${why}.`);
    const [own, said] = [words, tags].map(at => (at === null ? [] : listAt(cells[at]!)));
    if (typeof own === 'string') fault(`"${columns[words]}" ${own}`);
    else if (typeof said === 'string') fault(`"${columns[tags!]}" ${said}`);
    else if (tags !== null && own!.length !== said!.length)
      fault(
        `"${columns[words]}" has ${plural(own!.length, 'token')}, and "${columns[tags]}" has ${plural(said!.length, 'tag')}`,
      );
    else if (own!.includes('')) fault(`token ${own!.indexOf('')} of "${columns[words]}" is empty`);
    else if (said!.includes('')) fault(`the tag of "${own![said!.indexOf('')]}" is empty`);
    else if (own!.length > 0) sentences.add({ words: own!, tags: said!, line });
  }
  return { sentences, notes: bad.notes() };
}

/** The items of a list, or of a text between white space; a text: why there are none. */
function listAt(cell: Cell): string[] | string {
  if (typeof cell === 'string') return cell.split(/\s+/).filter(Boolean);
  if (isUnusable(cell)) return cell.fault;
  return itemsOf(cell) ?? 'holds no list';
}

/** @throws DataError where no column has a name that tells */
function wordsAmong(columns: readonly string[], tags: number | null, name: string): string {
  const others = columns.filter((_, at) => at !== tags);
  const found = WORD_COLUMNS.find(each => others.includes(each));
  if (found !== undefined) return found;
  if (others.length === 1) return others[0]!;
  throw new DataError(
    `${name}: name the column of tokens with \`words\`; it has ${columns.map(each => `"${each}"`).join(', ')}.`,
  );
}
