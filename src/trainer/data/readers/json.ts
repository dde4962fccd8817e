// A JSON file that is one list of objects, as data frames and web services write them: an object a row.
import { readFileSync, statSync } from 'node:fs';
import { formatBytes } from '../../../experiment/words.ts';
import { DataError } from '../errors.ts';
import { type Found, flat, rowsOf, shortly } from './jsonl.ts';
import type { Reader } from './reader.ts';

/** It is read whole; JSON lines are not. */
const LARGEST = 256e6;

export const json: Reader = {
  name: 'JSON',
  isWhole: true,
  reads: path => /\.json$/i.test(path),
  async open(path, name, { bad }) {
    const { size } = statSync(path);
    if (size > LARGEST)
      throw new DataError(
        `${name} has ${formatBytes(size)}; a JSON list of up to ${formatBytes(LARGEST)} is read, and JSON lines (.jsonl) of any size.`,
      );
    const report = (sentence: string) => bad.report(sentence);
    return rowsOf(objectsOf(listIn(path, name), name, report), name, 'row', report);
  },
};

function listIn(path: string, name: string): unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8').replace(/^\uFEFF/, ''));
  } catch (cause) {
    const why = (cause as Error).message.replace(/ in JSON.*| \(line.*|, ".*/s, '');
    throw new DataError(`${name} is not JSON: ${why}. A file of one object a line is named .jsonl.`);
  }
  // { "data": [ … ] } and the like
  const inside =
    typeof value === 'object' && value !== null ? Object.values(value).filter(Array.isArray) : [];
  const list = Array.isArray(value) ? value : inside.length === 1 ? inside[0] : null;
  if (!list)
    throw new DataError(`${name} holds no list of objects, one for each row, which is what is read of JSON.`);
  return list;
}

async function* objectsOf(
  list: readonly unknown[],
  name: string,
  report: (sentence: string) => void,
): AsyncGenerator<Found, void> {
  for (const [index, value] of list.entries())
    if (typeof value === 'object' && value !== null) yield { value: flat(value), line: index + 1 };
    else report(`${name}, row ${index + 1}: it is no object with named values, but ${shortly(value)}.`);
}
