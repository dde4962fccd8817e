// Labelled sequences of unequal lengths from a table: texts or sounds, one a row, or series in long form, one step a row.

import { basename } from 'node:path';
import type { Features } from '../../experiment/tasks/features.ts';
import { hasHeader } from '../../experiment/tasks/file-task.ts';
import { count, plural } from '../../experiment/words.ts';
import { BadRows, type OnError } from '../data/bad-rows.ts';
import { csvRows, readCsv } from '../data/csv.ts';
import { DataError } from '../data/errors.ts';
import type { NamedFile } from '../data/named-files.ts';
import { isSound } from '../data/readers/folder.ts';
import type { FilePart } from '../data/readers/reader.ts';
import { columnPlace, columnsIn, readRecords, recordRows } from '../data/records.ts';
import { Column, type List, mostOf, Records, Storage, Texts, type Whole } from '../data/storage.ts';
import { Places } from './places.ts';
import { SecondHeader } from './second-header.ts';
import { numbersKey } from './sequence-batches.ts';
import { readSounds, type SoundPlace } from './sounds.ts';
import { readExamples } from './table-data.ts';
import { type Units, unitsOf } from './units.ts';

/** `Name`: of a column, as the task's data have it, or as the file does. */
interface Columns<Name> {
  text?: Name | undefined;
  values?: readonly Name[] | undefined;
  id?: Name | undefined;
  audio?: SoundColumn<Name> | undefined;
  /** null: the classes are not known */
  label: Name | null;
}

interface LabelledOptions {
  /** the file's name, for messages */
  path: string;
  units: Units;
  image?: ImageColumns | undefined;
  /** left out: a row names the columns where one is named here */
  header?: boolean | undefined;
  onError?: OnError | undefined;
  /** read only this part of the file */
  part?: FilePart | undefined;
  storage?: Storage | undefined;
  /** of `values` without `id`: the columns hold the steps of one feature; left out: where each cell is one number */
  isWide?: boolean | undefined;
  /** what a label is, for messages; default "class" */
  labelName?: string;
}

/** What is read of a table: columns by name, or by number from 0. */
export type LabelledColumns = Columns<string | number> & LabelledOptions;
type NamedColumns = Columns<string> & LabelledOptions & { header: boolean };

export interface ImageColumns {
  width: number;
  by: 'rows' | 'pixels';
  header: boolean;
}

export interface SoundColumn<Name = string | number> {
  column: Name;
  features: Features;
  /** of a run that is used; null: that of the first file */
  rate: number | null;
  place: SoundPlace;
}

/** One sequence: units of a text, or (steps, columns) numbers; and where it begins in the file. */
export interface LabelledSequence {
  values: string[] | Float64Array | Float32Array;
  steps: number;
  label: string;
  line: number;
  /** of sounds: the file's name */
  file?: string;
}

/** Equal where two texts, sound files or series are one with the same label. */
export function keyOf({ values, label, file }: LabelledSequence): string {
  if (file !== undefined) return `${label}\t${file}`;
  return `${label}\t${Array.isArray(values) ? values.join('\t') : numbersKey(values)}`;
}

/** Sequences that stand in a storage: texts as they are, numbers, labels; made when they are read. */
export class SequenceList implements List<LabelledSequence> {
  readonly steps: Column<Int32ArrayConstructor>;
  readonly labels: Texts;
  readonly storage: Storage;
  private readonly units: Units;
  private readonly texts: Texts;
  private readonly numbers: Records<Float64ArrayConstructor>;
  private readonly lines: Column<Int32ArrayConstructor>;
  private readonly files: string[] = [];

  constructor(storage: Storage, units: Units) {
    this.storage = storage;
    this.units = units;
    this.steps = new Column(Int32Array, storage);
    this.labels = new Texts(storage);
    this.texts = new Texts(storage);
    this.numbers = new Records(Float64Array, storage);
    this.lines = new Column(Int32Array, storage);
  }

  get length(): number {
    return this.lines.length;
  }

  /** `values`: a text, cut into units when it is read, or numbers */
  add(
    values: string | Float64Array | Float32Array,
    { steps, label, line, file }: Omit<LabelledSequence, 'values'>,
  ): void {
    if (typeof values === 'string') this.texts.add(values);
    else this.numbers.add(values);
    this.steps.push(steps);
    this.labels.add(label);
    this.lines.push(line);
    if (file !== undefined) this.files.push(file);
  }

  lineOf(place: number): number {
    return this.lines.get(place);
  }

  at(place: number): LabelledSequence {
    const values = this.texts.length > 0 ? this.texts.at(place) : this.numbers.at(place);
    return this.sequence(place, values, this.labels.at(place));
  }

  *[Symbol.iterator](): Generator<LabelledSequence> {
    const labels = this.labels[Symbol.iterator]();
    let place = 0;
    for (const values of this.texts.length > 0 ? this.texts : this.numbers)
      yield this.sequence(place++, values, labels.next().value!);
  }

  private sequence(place: number, values: string | Float64Array, label: string): LabelledSequence {
    const file = this.files[place];
    return {
      values: typeof values === 'string' ? unitsOf(values, this.units) : values,
      steps: this.steps.get(place),
      label,
      line: this.lines.get(place),
      ...(file === undefined ? {} : { file }),
    };
  }
}

export interface LabelledTable {
  /** whether a row names the columns */
  header: boolean;
  sequences: SequenceList;
  notes: string[];
  /** names of the numbers of a step, of series and of images */
  columns?: string[];
  /** rows that were left out */
  skipped?: number;
  /** of sounds */
  sound?: { column: string; rate: number; mels: number };
  /** that the table names */
  files?: NamedFile[];
}

/** The columns by the names that the file gives them, which are their numbers where no row names them. */
async function byName(path: string, asked: LabelledColumns): Promise<NamedColumns> {
  const { text, values, id, audio, label, image } = asked;
  const given = [text, values, id, audio?.column, label ?? undefined];
  const header = hasHeader(image ? image.header && asked.header : asked.header, given);
  const numbered = given.flat().some(column => typeof column === 'number');
  const columns = numbered ? await columnsIn(path, asked.path, header) : [];
  const named = (column: string | number): string => {
    if (typeof column === 'string') return column;
    if (column < columns.length) return columns[column]!;
    throw new DataError(
      `${asked.path} has ${plural(columns.length, 'column')}; there is none of the number ${column}.`,
    );
  };
  return {
    ...asked,
    header,
    text: text === undefined ? undefined : named(text),
    values: values?.map(named),
    id: id === undefined ? undefined : named(id),
    audio: audio && { ...audio, column: named(audio.column) },
    label: label === null ? null : named(label),
  };
}

/** @throws DataError */
export async function readLabelled(path: string, asked: LabelledColumns): Promise<LabelledTable> {
  const data = await byName(path, asked);
  const read = await readAs(path, data);
  return { header: data.header, ...read, notes: [...aloneNote(read.sequences, data), ...read.notes] };
}

/** Sequences of a file in which a class that stands in its first row alone is a slip, not a rare class. */
const LEAST_FOR_ALONE = 5;

/** A first row whose class has no other sequence may be a second header: units, numbers of the columns. */
function aloneNote(sequences: SequenceList, { label, labelName, text }: NamedColumns): string[] {
  if (label === null || labelName !== undefined || text === undefined) return [];
  if (sequences.length < LEAST_FOR_ALONE) return [];
  let [first, isAlone] = ['', true];
  let place = 0;
  for (const own of sequences.labels) {
    if (place++ === 0) first = own;
    else if (own === first) {
      isAlone = false;
      break;
    }
  }
  return isAlone
    ? [
        `Line ${sequences.lineOf(0)} is the only one of class "${first.slice(0, 40)}": take it out if it names units or numbers the columns.`,
      ]
    : [];
}

type Read = Omit<LabelledTable, 'header'>;

async function readAs(path: string, data: NamedColumns): Promise<Read> {
  if (data.audio) return readAudio(path, data, data.audio);
  if (data.text !== undefined) return readTexts(path, data, data.text);
  if (data.image) return readImages(path, data, data.image);
  return data.id === undefined ? readArrays(path, data, data.values!) : readSeries(path, data);
}

/**
 * A row is a series: its columns hold arrays, (steps) or (steps, features), side by side. Columns of single numbers are its
 * steps.
 */
async function readArrays(path: string, data: NamedColumns, columns: readonly string[]): Promise<Read> {
  const { examples, inputWidths, bad } = await readExamples(
    path,
    {
      path: data.path,
      inputs: columns,
      targets: data.label === null ? [] : [data.label],
      predict: 'classes',
      at: 'sequence',
      onError: data.onError ?? 'stop',
    },
    { needsTargets: data.label !== null, part: data.part, storage: data.storage },
  );
  const sequences = listFor(data);
  const isWide =
    data.isWide ??
    (columns.length > 1 && inputWidths.every(width => width === 1) && mostOf(examples.steps, 1) === 1);
  for (const { inputs, steps, targets, line } of examples) {
    if (isWide && steps > 1)
      throw new DataError(
        `${data.path}, row ${line}: "${columns[0]}" holds ${plural(steps, 'number')}, but this run learned from one number a column.`,
      );
    sequences.add(inputs, {
      steps: isWide ? columns.length : steps,
      label: Array.isArray(targets) ? (targets[0] ?? '') : '',
      line,
    });
  }
  const wide = `Each row is one series: the numbers of its ${columns.length.toLocaleString('en-US')} columns are its steps.`;
  return {
    sequences,
    notes: [...(isWide ? [wide] : []), ...bad.notes()],
    skipped: bad.count,
    columns: isWide
      ? ['value']
      : columns.flatMap((column, at) =>
          inputWidths[at] === 1
            ? [column]
            : Array.from({ length: inputWidths[at]! }, (_, feature) => `${column}[${feature}]`),
        ),
  };
}

/** A row is an image: every column but the label's is a pixel. */
async function readImages(path: string, data: NamedColumns, image: ImageColumns): Promise<Read> {
  const bad = new BadRows(data.onError);
  const { rows } = await csvRows(path, data.path, { bad, part: data.part, header: data.header });
  const sequences = listFor(data);
  const features = image.by === 'rows' ? image.width : 1;
  let place: number | null = null;
  let cells = 0;
  for await (const { record, line } of rows) {
    if (place === null) {
      cells = record.length;
      place = data.label === null ? -1 : columnPlace(data.label, record, data.path);
      const pixels = cells - (place >= 0 ? 1 : 0);
      if (pixels % image.width !== 0 || pixels === 0)
        throw new DataError(
          `${data.path} has ${plural(pixels, 'column')} beside the label, which are no whole rows of ${image.width} pixels.`,
        );
      continue;
    }
    const fault = (why: string) => bad.report(`${data.path}, line ${line}: ${why}.`);
    if (record.length !== cells) {
      fault(`it has ${plural(record.length, 'cell')}, the first line has ${cells}`);
      continue;
    }
    const label = place < 0 ? '' : record[place]!;
    const values = Float64Array.from(
      record.filter((_, at) => at !== place),
      text => (text === '' ? Number.NaN : Number(text)),
    );
    const wrong = values.findIndex(value => !Number.isFinite(value));
    if (wrong >= 0)
      fault(
        `pixel ${wrong} is ${JSON.stringify(record.filter((_, at) => at !== place)[wrong])}, and a number is needed`,
      );
    else if (place >= 0 && label === '') fault('it has no class');
    else sequences.add(values, { steps: values.length / features, label, line });
  }
  return {
    sequences,
    notes: bad.notes(),
    skipped: bad.count,
    columns: Array.from({ length: features }, (_, at) => (features === 1 ? 'pixel' : `pixel ${at}`)),
  };
}

async function readTexts(path: string, data: NamedColumns, column: string): Promise<Read> {
  const bad = new BadRows(data.onError);
  const wanted = [...new Set(named(column, data.label))];
  const { rows, notes, isTyped } = await recordRows(path, data.path, wanted, { ...data, bad });
  const sequences = listFor(data);
  // of classes see aloneNote
  const second = data.labelName === undefined || isTyped ? null : new SecondHeader('row');
  const empty = { count: 0, first: [] as number[] };
  for await (const { texts, line } of rows) {
    const label = labelAt(labelIn(texts, wanted, data), line, data, bad);
    if (label === null) continue;
    const text = texts[0]!;
    const steps = unitsOf(text, data.units).length;
    if (steps > 0) {
      sequences.add(text, { steps, label, line });
      second?.add([text, label], line);
    } else if (empty.count++ < SHOWN_LINES) empty.first.push(line);
  }
  return {
    sequences,
    notes: [
      ...notes(),
      ...(second?.notes(data.header) ?? []),
      ...leftOut(empty, 'text has', 'texts have', `no ${UNIT_NAMES[data.units]}`),
      ...bad.notes(),
    ],
    skipped: bad.count,
  };
}

/** Without labels a single sound is read too. */
async function readAudio(path: string, data: NamedColumns, audio: SoundColumn<string>): Promise<Read> {
  const bad = new BadRows(data.onError);
  const wanted = [...new Set(named(audio.column, data.label))];
  const { texts, lines, notes } =
    data.label === null && isSound(path)
      ? { texts: new Map([[audio.column, [basename(path)]]]), lines: [1], notes: [] }
      : await readRecords(path, data.path, wanted, { ...data, bad });
  const files = texts.get(audio.column)!;
  const labels = data.label === null ? null : texts.get(data.label)!;
  const { features: asked, rate, place } = audio;
  const sounds = readSounds(path, data.path, { files, lines }, { asked, rate, place, bad });
  const sequences = listFor(data);
  sounds.features.forEach((values, row) => {
    const line = lines[row]!;
    const label = values && labelAt(labels && labels[row]!, line, data, bad);
    if (values && label !== null)
      sequences.add(values, { steps: values.length / sounds.mels, label, line, file: files[row]! });
  });
  return {
    sequences,
    notes: [...notes, ...sounds.notes, ...bad.notes()],
    skipped: bad.count,
    sound: { column: audio.column, rate: sounds.rate, mels: sounds.mels },
    files: sounds.files,
  };
}

export const UNIT_NAMES: Readonly<Record<Units, string>> = {
  characters: 'character',
  words: 'word',
  spaced: 'word',
  bytes: 'byte',
};

/** Lines that a note names. */
export const SHOWN_LINES = 5;

export function leftOut(
  { count: lines, first }: { count: number; first: readonly number[] },
  one: string,
  many: string,
  what: string,
): string[] {
  if (lines === 0) return [];
  const where = first.join(', ') + (lines > first.length ? ', …' : '');
  return [`${plural(lines, one, many)} ${what} and ${lines === 1 ? 'is' : 'are'} left out (line ${where}).`];
}

function listFor({ storage = new Storage(), units }: LabelledOptions): SequenceList {
  return new SequenceList(storage, units);
}

function named(...columns: (string | null)[]): string[] {
  return columns.filter(column => column !== null);
}

/** The label's cell of a row; null: there is no column of labels. */
function labelIn(texts: readonly string[], wanted: readonly string[], data: NamedColumns): string | null {
  return data.label === null ? null : texts[wanted.indexOf(data.label)]!;
}

/** null: the row has none, and is left out. */
function labelAt(label: string | null, line: number, data: NamedColumns, bad: BadRows): string | null {
  if (label === null) return '';
  if (label !== '') return label;
  bad.report(
    `${data.path}, line ${line}: the ${data.labelName ?? 'class'} in column "${data.label}" is empty.`,
  );
  return null;
}

async function readSeries(path: string, data: NamedColumns): Promise<Read> {
  const [id, columns] = [data.id!, data.values!];
  const { part, header } = data;
  const bad = new BadRows(data.onError);
  const wanted = [...new Set(named(id, data.label))];
  const records = await recordRows(path, data.path, wanted, { bad, part, header });
  // the same rows are left out here, and are counted once
  const again = new BadRows(data.onError);
  const table = await readCsv(path, data.path, columns, { bad: again, part, header, storage: data.storage });
  const rows = new Map<string, { label: string; places: Places; line: number }>();
  let row = 0;
  let before: string | null = null;
  // one series that was cut up, or several of one name
  const apart = new Map<string, number>();
  for await (const { texts, line } of records.rows) {
    while (row < table.rows && table.lines.get(row) < line) row++;
    // a line of totals or units, which the table tells
    if (row >= table.rows || table.lines.get(row) !== line) continue;
    const label = labelAt(labelIn(texts, wanted, data), line, data, bad);
    if (label === null) continue;
    const own = texts[0]!;
    const known = rows.get(own);
    const series = known ?? { label, places: new Places(), line };
    rows.set(own, series);
    if (known && own !== before && !apart.has(own)) apart.set(own, line);
    before = own;
    if (series.label === label) series.places.push(row);
    else
      bad.report(
        `${data.path}, line ${line}: series "${own}" is of ${data.labelName ?? 'class'} "${label}" here and of "${series.label}" in line ${series.line}.`,
      );
  }
  const sequences = new SequenceList(table.storage, data.units);
  const valuesAt = (places: Places): Float64Array | null => {
    const values = new Float64Array(places.length * columns.length);
    for (const [index, column] of columns.entries()) {
      const numbers = table.values.get(column)!;
      let at = index;
      for (const place of places) {
        const value = numbers.get(place);
        if (!Number.isFinite(value)) {
          bad.report(
            `${data.path}, line ${table.lines.get(place)}: "${column}" is empty; a series needs all of its values.`,
          );
          return null;
        }
        values[at] = value;
        at += columns.length;
      }
    }
    return values;
  };
  for (const { label, places, line } of rows.values()) {
    const values = valuesAt(places);
    if (values) sequences.add(values, { steps: places.length, label, line });
  }
  const rest = table.notes.filter(note => !again.notes().includes(note));
  const [first] = apart;
  const note = first
    ? [
        `The rows of ${count(apart.size)} of ${count(rows.size)} series stand apart (the first: "${first[0].slice(0, 40)}", of line ${rows.get(first[0])!.line}, goes on in line ${first[1]}): each is read as one.`,
      ]
    : [];
  return { sequences, notes: [...rest, ...note, ...bad.notes()], skipped: bad.count, columns: [...columns] };
}

/** "90 sequences of 7 to 29 steps (median 15)" */
export function lengthsNote(lengths: Whole | number[], what: string): string {
  const sorted = (Array.isArray(lengths) ? Int32Array.from(lengths) : lengths.slice()).sort();
  const median = sorted[sorted.length >> 1]!;
  return `${plural(sorted.length, 'sequence')} of ${count(sorted[0]!)} to ${plural(sorted.at(-1)!, what)} (median ${count(median)})`;
}
