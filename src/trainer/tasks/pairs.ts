// Pairs of a source and a target from two columns of a table, cut into units.

import { hasHeader } from '../../experiment/tasks/file-task.ts';
import { plural } from '../../experiment/words.ts';
import { BadRows, type OnError } from '../data/bad-rows.ts';
import { csvRows, headerIn, twinNotes } from '../data/csv.ts';
import { type FilePart, faultOfText, itemsOf } from '../data/readers/reader.ts';
import { columnPlace, HeaderAgain, joined } from '../data/records.ts';
import { Column, type List, Storage, Texts } from '../data/storage.ts';
import { SecondHeader } from './second-header.ts';
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
  /** read only this part of the file */
  part?: FilePart | undefined;
  storage?: Storage | undefined;
}

export interface Pair {
  source: string[];
  target: string[];
  /** as the file has them */
  texts: { source: string; target: string };
  line: number;
}

export interface ReadPairs {
  pairs: PairList;
  /** of lists what stands in them is a unit, whatever `units` says */
  units: { source: Units; target: Units };
  notes: string[];
  bad: BadRows;
}

const LISTED = { source: 1, target: 2 } as const;

/** Pairs that stand in a storage: texts, which are cut into units when they are read, and lists of units. */
export class PairList implements List<Pair> {
  /** units of each source and each target */
  readonly sourceSteps: Column<Int32ArrayConstructor>;
  readonly targetSteps: Column<Int32ArrayConstructor>;
  readonly storage: Storage;
  private readonly units: { source: Units; target: Units };
  private readonly sources: Texts;
  private readonly targets: Texts;
  private readonly lines: Column<Int32ArrayConstructor>;
  /** which of both are lists, as JSON */
  private readonly listed: Column<Uint8ArrayConstructor>;

  constructor(storage: Storage, units: { source: Units; target: Units }) {
    this.storage = storage;
    this.units = units;
    this.sourceSteps = new Column(Int32Array, storage);
    this.targetSteps = new Column(Int32Array, storage);
    this.sources = new Texts(storage);
    this.targets = new Texts(storage);
    this.lines = new Column(Int32Array, storage);
    this.listed = new Column(Uint8Array, storage);
  }

  get length(): number {
    return this.lines.length;
  }

  add({ source, target, texts, line }: Pair, isListed: { source: boolean; target: boolean }): void {
    this.sources.add(isListed.source ? JSON.stringify(source) : texts.source);
    this.targets.add(isListed.target ? JSON.stringify(target) : texts.target);
    this.sourceSteps.push(source.length);
    this.targetSteps.push(target.length);
    this.lines.push(line);
    this.listed.push((isListed.source ? LISTED.source : 0) | (isListed.target ? LISTED.target : 0));
  }

  at(place: number): Pair {
    return this.pair(place, this.sources.at(place), this.targets.at(place));
  }

  *[Symbol.iterator](): Generator<Pair> {
    const targets = this.targets[Symbol.iterator]();
    let place = 0;
    for (const source of this.sources) yield this.pair(place++, source, targets.next().value!);
  }

  private pair(place: number, source: string, target: string): Pair {
    const listed = this.listed.get(place);
    const sources = listed & LISTED.source ? (JSON.parse(source) as string[]) : null;
    const targets = listed & LISTED.target ? (JSON.parse(target) as string[]) : null;
    return {
      source: sources ?? unitsOf(source, this.units.source),
      target: targets ?? unitsOf(target, this.units.target),
      texts: { source: sources?.join(' ') ?? source, target: targets?.join(' ') ?? target },
      line: this.lines.get(place),
    };
  }
}

/** @throws DataError with the line of a row that is too short, or the columns there are */
export async function readPairs(path: string, data: PairColumns): Promise<ReadPairs> {
  const bad = new BadRows(data.onError);
  const { source, target, units, targetUnits = units, maxLength = Number.POSITIVE_INFINITY } = data;
  const named = hasHeader(data.header, [source, target ?? source]);
  const { rows, isTyped } = await csvRows(path, data.path, { bad, part: data.part });
  const { storage = new Storage() } = data;
  const pairs = new PairList(storage, { source: units, target: targetUnits });
  const [empty, long]: [number[], number[]] = [[], []];
  const columns = [source, ...(target === null ? [] : [target])];
  const names = columns.filter(column => typeof column === 'string');
  const { header, behind, notes } = await headerIn(rows, names, isTyped || !named);
  const places = columns.map(column =>
    typeof column === 'number' ? column : columnPlace(column, header.record, data.path),
  );
  let [isListed, isTargetListed] = [false, false];
  const second = new SecondHeader('pair');
  const again = new HeaderAgain(named && !isTyped ? header.record : null);
  const longer: number[] = [];
  const begin = named || isTyped ? behind : [header, ...behind];
  for await (const { record, line, cells } of joined(begin, rows)) {
    again.add(record, line);
    if (record.length > header.record.length) longer.push(line);
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
    else {
      pairs.add(pair, { source: Boolean(sources), target: Boolean(targets) });
      if (target !== null) second.add([texts.source, texts.target], line);
    }
  }
  return {
    pairs,
    units: { source: isListed ? 'spaced' : units, target: isTargetListed ? 'spaced' : targetUnits },
    bad,
    notes: [
      ...notes,
      ...(isTyped ? [] : second.notes(named)),
      ...twinNotes(header.record, names),
      ...again.notes(),
      ...longerNote(longer, named ? 'the header' : 'the first row'),
      ...leftOut(empty, target === null ? 'without a source' : 'without a source or a target'),
      ...leftOut(long, `longer than ${maxLength} steps`),
      ...bad.notes(),
    ],
  };
}

/** A text that has the delimiter and no quotes around it is cut there. */
function longerNote(lines: readonly number[], than: string): string[] {
  if (lines.length === 0) return [];
  const [has, their] = lines.length === 1 ? ['has', 'its'] : ['have', 'their'];
  return [
    `${plural(lines.length, 'row')} ${has} more cells than ${than} (line ${placesOf(lines)}): ${their} texts may be cut at a delimiter that they hold.`,
  ];
}

function placesOf(lines: readonly number[]): string {
  return lines.slice(0, 5).join(', ') + (lines.length > 5 ? ', …' : '');
}

function leftOut(lines: readonly number[], why: string): string[] {
  if (lines.length === 0) return [];
  return [
    `${plural(lines.length, 'pair')} ${why} ${lines.length === 1 ? 'is' : 'are'} left out (line ${placesOf(lines)}).`,
  ];
}
