// Pairs of a source and a target from two columns of a table, cut into units.

import { hasHeader } from '../../experiment/tasks/file-task.ts';
import { plural } from '../../experiment/words.ts';
import { BadRows, type OnError } from '../data/bad-rows.ts';
import { csvRows } from '../data/csv.ts';
import { faultOfText, itemsOf } from '../data/readers/reader.ts';
import { columnPlace } from '../data/records.ts';
import { type Units, unitsOf } from './units.ts';

export interface PairColumns {
  /** the file's name, for messages */
  path: string;
  source: string | number;
  /** null: only sources are read */
  target: string | number | null;
  header?: boolean | undefined;
  units: Units;
  targetUnits?: Units | undefined;
  maxLength?: number | undefined;
  onError?: OnError | undefined;
}

export interface Pair {
  source: string[];
  target: string[];
  /** as the file has them */
  texts: { source: string; target: string };
  line: number;
}

export interface ReadPairs {
  pairs: Pair[];
  /** of lists what stands in them is a unit, whatever `units` says */
  units: { source: Units; target: Units };
  notes: string[];
  bad: BadRows;
}

/** @throws DataError with the line of a row that is too short, or the columns there are */
export async function readPairs(path: string, data: PairColumns): Promise<ReadPairs> {
  const bad = new BadRows(data.onError);
  const { source, target, units, targetUnits = units, maxLength = Number.POSITIVE_INFINITY } = data;
  const named = hasHeader(data.header, [source, target ?? source]);
  const { rows, isTyped } = await csvRows(path, data.path, { bad });
  const pairs: Pair[] = [];
  const [empty, long]: [number[], number[]] = [[], []];
  let places: number[] | null = null;
  let [isListed, isTargetListed] = [false, false];
  for await (const { record, line, cells } of rows) {
    if (!places) {
      places = [source, ...(target === null ? [] : [target])].map(column =>
        typeof column === 'number' ? column : columnPlace(column, record, data.path),
      );
      if (named || isTyped) continue;
    }
    const missing = places.find(place => place >= record.length);
    if (missing !== undefined) {
      bad.report(
        `${data.path}, line ${line}: there is no column ${missing} (counted from 0); the row has ${plural(record.length, 'cell')}.`,
      );
      continue;
    }
    const [sources, targets] = places.map(place => itemsOf(cells?.[place]));
    const fault = places
      .map((place, at) =>
        [sources, targets][at]
          ? null
          : faultOfText(record[place]!, String([source, target][at]), `${data.path}, line ${line}`),
      )
      .find(sentence => sentence !== null);
    if (fault) {
      bad.report(fault);
      continue;
    }
    isListed ||= Boolean(sources);
    isTargetListed ||= Boolean(targets);
    const texts = {
      source: sources?.join(' ') ?? record[places[0]!]!,
      target: targets?.join(' ') ?? (target === null ? '' : record[places[1]!]!),
    };
    const pair = {
      source: sources ?? unitsOf(texts.source, units),
      target: targets ?? unitsOf(texts.target, targetUnits),
      texts,
      line,
    };
    if (pair.source.length === 0 || (target !== null && pair.target.length === 0)) empty.push(line);
    else if (Math.max(pair.source.length, pair.target.length) > maxLength) long.push(line);
    else pairs.push(pair);
  }
  return {
    pairs,
    units: { source: isListed ? 'spaced' : units, target: isTargetListed ? 'spaced' : targetUnits },
    bad,
    notes: [
      ...leftOut(empty, target === null ? 'without a source' : 'without a source or a target'),
      ...leftOut(long, `longer than ${maxLength} steps`),
      ...bad.notes(),
    ],
  };
}

function leftOut(lines: readonly number[], why: string): string[] {
  if (lines.length === 0) return [];
  const where = lines.slice(0, 5).join(', ') + (lines.length > 5 ? ', …' : '');
  return [
    `${plural(lines.length, 'pair')} ${why} ${lines.length === 1 ? 'is' : 'are'} left out (line ${where}).`,
  ];
}
