// JSON lines: an object or a list a line. Columns are the keys of the first objects, in their order, those of objects
// inside by their path ("translation.en"), or the places of the lists; lists of numbers are arrays.
import { nearest } from '../../../experiment/words.ts';
import { DataError } from '../errors.ts';
import { textChunks } from '../text.ts';
import { arrayOf, type Cell, INEXACT, isExact, type Reader, type Row, type Rows } from './reader.ts';

/** Objects whose keys are the columns. */
const SEEN_FIRST = 100;
/** A line of more characters is no example of anything. */
const LONGEST_LINE = 64e6;
/** of a path to a value inside */
const LONGEST_PATH = 200;

export const jsonl: Reader = {
  name: 'JSON lines',
  reads: path => /\.(jsonl|ndjson)$/i.test(path),
  async open(path, name, { bad, part }) {
    return rowsOf(
      objectsOf(path, name, part?.bytes, sentence => bad.report(sentence)),
      name,
      'line',
      sentence => bad.report(sentence),
    );
  },
};

export interface Found {
  value: Record<string, unknown>;
  line: number;
}

/** Objects as rows. @throws DataError where there is none */
export async function rowsOf(
  lines: AsyncGenerator<Found, void>,
  name: string,
  unit: Rows['unit'],
  report: (sentence: string) => void,
): Promise<Rows> {
  const first: Found[] = [];
  const columns: string[] = [];
  const known = new Set<string>();
  while (first.length < SEEN_FIRST) {
    const { done, value } = await lines.next();
    if (done) break;
    first.push(value);
    for (const key of Object.keys(value.value))
      if (!known.has(key)) {
        known.add(key);
        columns.push(key);
      }
  }
  if (first.length === 0) throw new DataError(`${name} holds no rows.`);
  if (columns.length === 0) throw new DataError(`${name} holds no values: its first rows are empty.`);
  async function* rows(): AsyncGenerator<Row> {
    for (const each of first) yield* rowOf(each);
    for await (const each of lines) yield* rowOf(each);
  }
  function* rowOf({ value, line }: Found): Generator<Row> {
    // a key that comes late is no column; a slip of the pen for one is a fault
    for (const key of Object.keys(value)) {
      if (known.has(key)) continue;
      const meant = nearest(key, columns);
      if (meant !== null && meant !== undefined && !(meant in value))
        return report(
          `${name}, ${unit} ${line}: the key "${key}" is none of the ${columns.length} that the first rows have; did you mean "${meant}"?`,
        );
    }
    yield { cells: columns.map(column => cellOf(value[column])), line };
  }
  return { columns, rows: rows(), unit };
}

function cellOf(value: unknown): Cell {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number')
    return isExact(value) ? value : { fault: `holds ${value}, which ${INEXACT}` };
  if (Array.isArray(value) && value.length > 0 && value.every(each => typeof each === 'string')) return value;
  const array = arrayOf(value);
  if (!array) return { fault: 'is neither a text, a number nor a list of numbers of one shape' };
  const inexact = array.data.find(each => !isExact(each));
  return inexact === undefined ? array : { fault: `holds ${inexact}, which ${INEXACT}` };
}

/** Objects inside by their path; a list by its places. */
export function flat(
  value: object,
  prefix = '',
  into: Record<string, unknown> = {},
): Record<string, unknown> {
  for (const [key, own] of Object.entries(value)) {
    if (typeof own === 'object' && own !== null && !Array.isArray(own) && prefix.length < LONGEST_PATH)
      flat(own, `${prefix}${key}.`, into);
    else into[`${prefix}${key}`] = own;
  }
  return into;
}

async function* objectsOf(
  path: string,
  name: string,
  bytes: number | undefined,
  report: (sentence: string) => void,
) {
  let [rest, line] = ['', 0];
  // a list of objects on the first line, until another line shows that each line is a row
  let list: Found | null = null;
  const read = function* (text: string) {
    line++;
    const bare = line === 1 ? text.replace(/^\uFEFF/, '') : text;
    if (bare.trim() === '') return;
    if (list) yield list;
    list = null;
    let value: unknown;
    try {
      value = JSON.parse(bare);
    } catch (cause) {
      if (line === 1) refuseWhole(bare, name);
      const word = /[:[,]\s*(NaN|[-+]?Infinity|nan|-?inf)\s*[,\]}]/.exec(bare)?.[1];
      const why = (cause as Error).message.replace(/ in JSON.*| \(line.*|,? \.*".*/s, '');
      report(
        word
          ? `${name}, line ${line}: ${word} is no JSON; write null where a value is missing.`
          : `${name}, line ${line}: it is not JSON: ${why}.`,
      );
      return;
    }
    if (typeof value !== 'object' || value === null)
      report(`${name}, line ${line}: it holds no object with named values, but ${shortly(value)}.`);
    else if (line === 1 && isListOfObjects(value)) list = { value: flat(value), line };
    else yield { value: flat(value), line };
  };
  for await (const chunk of textChunks(path, name, { bytes })) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    if (rest.length > LONGEST_LINE)
      throw new DataError(
        `${name}, line ${line + lines.length + 1}: it is longer than ${LONGEST_LINE / 1e6} million characters.`,
      );
    for (const text of lines) yield* read(text);
  }
  if (rest !== '') yield* read(rest);
  if (list) throw oneList(name);
}

function isListOfObjects(value: object): boolean {
  const isObject = (each: unknown) => typeof each === 'object' && each !== null && !Array.isArray(each);
  return Array.isArray(value) && value.length > 1 && value.every(isObject);
}

const oneList = (name: string) =>
  new DataError(`${name} is one JSON list, and no object a line: name the file .json, as which it is read.`);

/** `first`: a line that is no JSON by itself. @throws DataError where it begins a list or an object over several lines */
function refuseWhole(first: string, name: string): void {
  if (/^\s*\[\s*(\{.*)?$/.test(first)) throw oneList(name);
  if (/^\s*\{\s*$/.test(first))
    throw new DataError(
      `${name}, line 1: an object stands over several lines; write each on one line, or all as one list in a file named .json.`,
    );
}

export function shortly(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
