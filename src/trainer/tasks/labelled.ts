// Labelled sequences of unequal lengths from a table: texts or sounds, one a row, or series in long form, one step a row.

import type { Features } from '../../experiment/tasks/features.ts';
import { count, plural } from '../../experiment/words.ts';
import { BadRows, type OnError } from '../data/bad-rows.ts';
import { csvRows, readCsv } from '../data/csv.ts';
import { DataError } from '../data/errors.ts';
import { columnPlace, readRecords } from '../data/records.ts';
import { readSounds, type SoundPlace } from './sounds.ts';
import { readExamples } from './table-data.ts';
import { type Units, unitsOf } from './units.ts';

/** What is read of a table, as the task's data name it. */
export interface LabelledColumns {
  /** the file's name, for messages */
  path: string;
  units: Units;
  text?: string | undefined;
  values?: readonly string[] | undefined;
  id?: string | undefined;
  image?: ImageColumns | undefined;
  /** null: the number of the label's column, where there is no header */
  labelColumn?: number | undefined;
  onError?: OnError | undefined;
  audio?: SoundColumn | undefined;
  /** null: the classes are not known */
  label: string | null;
  /** what a label is, for messages; default "class" */
  labelName?: string;
}

export interface ImageColumns {
  width: number;
  by: 'rows' | 'pixels';
  header: boolean;
}

export interface SoundColumn {
  column: string;
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

/** Equal where two texts or sound files are one with the same label; null of numbers, which are not compared. */
export function keyOf({ values, label, file }: LabelledSequence): string | null {
  if (file !== undefined) return `${label}\t${file}`;
  return Array.isArray(values) ? `${label}\t${values.join('\t')}` : null;
}

export interface LabelledTable {
  sequences: LabelledSequence[];
  notes: string[];
  /** names of the numbers of a step, of series that are arrays and of images */
  columns?: string[];
  /** rows that were left out */
  skipped?: number;
  /** of sounds */
  sound?: { rate: number; mels: number };
}

/** @throws DataError */
export async function readLabelled(path: string, data: LabelledColumns): Promise<LabelledTable> {
  if (data.audio) return readAudio(path, data, data.audio);
  if (data.text !== undefined) return readTexts(path, data, data.text);
  if (data.image) return readImages(path, data, data.image);
  return data.id === undefined ? readArrays(path, data, data.values!) : readSeries(path, data);
}

/** A row is a series: its columns hold arrays, (steps) or (steps, features), side by side. */
async function readArrays(
  path: string,
  data: LabelledColumns,
  columns: readonly string[],
): Promise<LabelledTable> {
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
    { needsTargets: data.label !== null },
  );
  return {
    sequences: examples.map(({ inputs, steps, targets, line }) => ({
      values: inputs,
      steps,
      label: Array.isArray(targets) ? (targets[0] ?? '') : '',
      line,
    })),
    notes: bad.notes(),
    skipped: bad.count,
    columns: columns.flatMap((column, at) =>
      inputWidths[at] === 1
        ? [column]
        : Array.from({ length: inputWidths[at]! }, (_, feature) => `${column}[${feature}]`),
    ),
  };
}

/** A row is an image: every column but the label's is a pixel. */
async function readImages(path: string, data: LabelledColumns, image: ImageColumns): Promise<LabelledTable> {
  const bad = new BadRows(data.onError);
  const { rows, isTyped } = await csvRows(path, data.path, { bad });
  const sequences: LabelledSequence[] = [];
  const features = image.by === 'rows' ? image.width : 1;
  let place: number | null = null;
  let cells = 0;
  for await (const { record, line } of rows) {
    if (place === null) {
      cells = record.length;
      place = data.labelColumn ?? (data.label === null ? -1 : columnPlace(data.label, record, data.path));
      const pixels = cells - (place >= 0 ? 1 : 0);
      if (place >= cells)
        throw new DataError(
          `${data.path} has ${plural(cells, 'column')}; there is none of the number ${place}.`,
        );
      if (pixels % image.width !== 0 || pixels === 0)
        throw new DataError(
          `${data.path} has ${plural(pixels, 'column')} beside the label, which are no whole rows of ${image.width} pixels.`,
        );
      if (image.header || isTyped) continue;
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
    else sequences.push({ values, steps: values.length / features, label, line });
  }
  return {
    sequences,
    notes: bad.notes(),
    skipped: bad.count,
    columns: Array.from({ length: features }, (_, at) => (features === 1 ? 'pixel' : `pixel ${at}`)),
  };
}

async function readTexts(path: string, data: LabelledColumns, column: string): Promise<LabelledTable> {
  const bad = new BadRows(data.onError);
  const { texts, lines } = await readRecords(path, data.path, [...new Set(named(column, data.label))], bad);
  const own = texts.get(column)!;
  const labels = data.label === null ? null : texts.get(data.label)!;
  const sequences: LabelledSequence[] = [];
  const empty: number[] = [];
  own.forEach((text, row) => {
    const label = labelAt(labels, row, lines, data, bad);
    if (label === null) return;
    const values = unitsOf(text, data.units);
    if (values.length === 0) empty.push(lines[row]!);
    else sequences.push({ values, steps: values.length, label, line: lines[row]! });
  });
  return {
    sequences,
    notes: [...leftOut(empty, 'text has', 'texts have', `no ${UNIT_NAMES[data.units]}`), ...bad.notes()],
    skipped: bad.count,
  };
}

async function readAudio(path: string, data: LabelledColumns, audio: SoundColumn): Promise<LabelledTable> {
  const bad = new BadRows(data.onError);
  const { texts, lines } = await readRecords(
    path,
    data.path,
    [...new Set(named(audio.column, data.label))],
    bad,
  );
  const files = texts.get(audio.column)!;
  const labels = data.label === null ? null : texts.get(data.label)!;
  const { features: asked, rate, place } = audio;
  const sounds = readSounds(path, data.path, { files, lines }, { asked, rate, place, bad });
  const sequences = sounds.features.flatMap((values, row): LabelledSequence[] => {
    const label = values && labelAt(labels, row, lines, data, bad);
    if (label === null) return [];
    return [
      { values: values!, steps: values!.length / sounds.mels, label, line: lines[row]!, file: files[row]! },
    ];
  });
  return {
    sequences,
    notes: [...sounds.notes, ...bad.notes()],
    skipped: bad.count,
    sound: { rate: sounds.rate, mels: sounds.mels },
  };
}

export const UNIT_NAMES: Readonly<Record<Units, string>> = {
  characters: 'character',
  words: 'word',
  spaced: 'word',
  bytes: 'byte',
};

function leftOut(lines: readonly number[], one: string, many: string, what: string): string[] {
  if (lines.length === 0) return [];
  const where = lines.slice(0, 5).join(', ') + (lines.length > 5 ? ', …' : '');
  return [
    `${plural(lines.length, one, many)} ${what} and ${lines.length === 1 ? 'is' : 'are'} left out (line ${where}).`,
  ];
}

function named(...columns: (string | null)[]): string[] {
  return columns.filter(column => column !== null);
}

/** null: the row has none, and is left out. */
function labelAt(
  labels: readonly string[] | null,
  row: number,
  lines: readonly number[],
  data: LabelledColumns,
  bad: BadRows,
): string | null {
  if (!labels) return '';
  const label = labels[row]!;
  if (label !== '') return label;
  bad.report(
    `${data.path}, line ${lines[row]}: the ${data.labelName ?? 'class'} in column "${data.label}" is empty.`,
  );
  return null;
}

async function readSeries(path: string, data: LabelledColumns): Promise<LabelledTable> {
  const [id, columns] = [data.id!, data.values!];
  const bad = new BadRows(data.onError);
  const { texts, lines } = await readRecords(path, data.path, [...new Set(named(id, data.label))], bad);
  // the same rows are left out here, and are counted once
  const again = new BadRows(data.onError);
  const table = await readCsv(path, data.path, columns, { bad: again });
  const rowOfLine = new Map(Array.from(table.lines, (line, row) => [line, row]));
  const ids = texts.get(id)!;
  const labels = data.label === null ? null : texts.get(data.label)!;
  const rows = new Map<string, { label: string; places: number[]; line: number }>();
  ids.forEach((own, at) => {
    const row = rowOfLine.get(lines[at]!);
    if (row === undefined) return; // a line of totals or units, which the table tells
    const label = labelAt(labels, at, lines, data, bad);
    if (label === null) return;
    const series = rows.get(own);
    if (!series) rows.set(own, { label, places: [row], line: lines[at]! });
    else if (series.label === label) series.places.push(row);
    else
      bad.report(
        `${data.path}, line ${lines[at]}: series "${own}" is of ${data.labelName ?? 'class'} "${label}" here and of "${series.label}" in line ${series.line}.`,
      );
  });
  const sequences = [...rows.values()].flatMap(({ label, places, line }): LabelledSequence[] => {
    const values = new Float64Array(places.length * columns.length);
    for (const [index, column] of columns.entries()) {
      const numbers = table.values.get(column)!;
      for (const [step, row] of places.entries()) {
        const value = numbers.get(row);
        if (!Number.isFinite(value)) {
          bad.report(
            `${data.path}, line ${table.lines.get(row)}: "${column}" is empty; a series needs all of its values.`,
          );
          return [];
        }
        values[step * columns.length + index] = value;
      }
    }
    return [{ values, steps: places.length, label, line }];
  });
  const rest = table.notes.filter(note => !again.notes().includes(note));
  return { sequences, notes: [...rest, ...bad.notes()], skipped: bad.count };
}

/** "90 sequences of 7 to 29 steps (median 15)" */
export function lengthsNote(lengths: readonly number[], what: string): string {
  const sorted = [...lengths].sort((a, b) => a - b);
  const median = sorted[sorted.length >> 1]!;
  return `${plural(lengths.length, 'sequence')} of ${count(sorted[0]!)} to ${plural(sorted.at(-1)!, what)} (median ${count(median)})`;
}
