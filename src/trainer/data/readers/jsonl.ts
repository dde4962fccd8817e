// JSON lines: an object a line. Columns are the keys of the first objects, in their order; lists of numbers are arrays.
import { nearest } from '../../../experiment/words.ts';
import { DataError } from '../errors.ts';
import { textChunks } from '../text.ts';
import { arrayOf, type Cell, INEXACT, isArray, isExact, type Reader, type Row } from './reader.ts';

/** Objects whose keys are the columns. */
const SEEN_FIRST = 100;
/** A line of more characters is no example of anything. */
const LONGEST_LINE = 64e6;

export const jsonl: Reader = {
  name: 'JSON lines',
  reads: path => /\.(jsonl|ndjson)$/i.test(path),
  async open(path, name, { bad, bytes }) {
    const lines = objectsOf(path, name, bytes, sentence => bad.report(sentence));
    const first: { value: Record<string, unknown>; line: number }[] = [];
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
    async function* rows(): AsyncGenerator<Row> {
      for (const each of first) yield* rowOf(each);
      for await (const each of lines) yield* rowOf(each);
    }
    function* rowOf({ value, line }: { value: Record<string, unknown>; line: number }): Generator<Row> {
      const place = `${name}, line ${line}`;
      const stranger = Object.keys(value).find(key => !known.has(key));
      if (stranger !== undefined) {
        const meant = nearest(stranger, columns);
        return bad.report(
          `${place}: the key "${stranger}" is none of the ${columns.length} that the first rows have${meant ? `; did you mean "${meant}"?` : '.'}`,
        );
      }
      const cells: Cell[] = [];
      for (const column of columns) {
        const cell = cellOf(value[column]);
        const fault =
          cell === undefined
            ? `"${column}" is neither a text, a number nor a list of numbers of one shape`
            : faultIn(cell, column);
        if (fault) return bad.report(`${place}: ${fault}.`);
        cells.push(cell as Cell);
      }
      yield { cells, line };
    }
    return { columns, rows: rows(), unit: 'line' };
  },
};

function cellOf(value: unknown): Cell | undefined {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  // words of a text that is split already
  if (Array.isArray(value) && value.length > 0 && value.every(each => typeof each === 'string'))
    return value.join(' ');
  return arrayOf(value) ?? undefined;
}

function faultIn(cell: Cell | undefined, column: string): string | null {
  const inexact =
    typeof cell === 'number'
      ? isExact(cell)
        ? undefined
        : cell
      : isArray(cell)
        ? cell.data.find(value => !isExact(value))
        : undefined;
  return inexact === undefined ? null : `"${column}" holds ${inexact}, which ${INEXACT}`;
}

async function* objectsOf(
  path: string,
  name: string,
  bytes: number | undefined,
  report: (sentence: string) => void,
) {
  let [rest, line] = ['', 0];
  const read = function* (text: string) {
    line++;
    const bare = line === 1 ? text.replace(/^\uFEFF/, '') : text;
    if (bare.trim() === '') return;
    let value: unknown;
    try {
      value = JSON.parse(bare);
    } catch (cause) {
      const why = (cause as Error).message.replace(/ in JSON.*| \(line.*|, ".*/s, '');
      report(`${name}, line ${line}: it is not JSON: ${why}.`);
      return;
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      report(`${name}, line ${line}: it holds no object with named values, but ${shortly(value)}.`);
    else yield { value: value as Record<string, unknown>, line };
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
}

function shortly(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
