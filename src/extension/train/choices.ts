// What the steps of "Train RNN" offer, and the experiment that comes of them. Pure.
import type { CellName, ExperimentInput } from '../../experiment/schema.ts';
import { cellName } from '../cells.ts';
import { formatBytes } from '../text.ts';

export type DataChoice =
  | { kind: 'text'; path: string; sample?: boolean }
  | { kind: 'table'; path: string; sample?: boolean }
  | { kind: 'generated'; task: 'adding' | 'temporal-order' };

export type CellChoice = CellName | 'compare';

export interface Choices {
  data: DataChoice;
  /** the column to predict; tables only */
  target?: string;
  cell: CellChoice;
  units: number;
}

export interface Offer<T> {
  label: string;
  description?: string;
  detail?: string;
  value: T;
}

export interface FoundFile {
  /** relative to the folder it belongs to, with forward slashes */
  path: string;
  bytes: number;
  sample?: boolean;
}

/** Texts shorter than this hold nothing to learn, tables neither. */
const LEAST_BYTES = 1000;

export function dataOffers(files: readonly FoundFile[]): Offer<DataChoice>[] {
  const usable = files.filter(({ path, bytes }) => bytes >= LEAST_BYTES && !/(^|\/)\./.test(path));
  const offers = usable.map(({ path, bytes, sample }): Offer<DataChoice> => {
    const kind = /\.(csv|tsv)$/i.test(path) ? 'table' : 'text';
    return {
      label: `$(${kind === 'table' ? 'table' : 'file-text'}) ${path.split('/').at(-1)}`,
      description: [
        formatBytes(bytes),
        kind === 'table' ? 'predict a column' : 'predict the next character',
      ].join(' · '),
      detail: path.includes('/') ? path : undefined,
      value: { kind, path, ...(sample ? { sample } : {}) },
    };
  });
  return [...offers, ...GENERATED];
}

export const GENERATED: readonly Offer<DataChoice>[] = [
  {
    label: '$(beaker) The adding problem',
    description: 'generated · add two marked numbers of a hundred',
    value: { kind: 'generated', task: 'adding' },
  },
  {
    label: '$(beaker) Temporal order',
    description: 'generated · tell in which order two symbols came',
    value: { kind: 'generated', task: 'temporal-order' },
  },
];

export const CELL_OFFERS: readonly Offer<CellChoice>[] = [
  { label: 'LSTM', description: 'gates and a cell state: the usual choice', value: 'lstm' },
  { label: 'GRU', description: 'two gates, a quarter fewer parameters', value: 'gru' },
  { label: 'RNN', description: 'no gates: fast, forgets early', value: 'rnn' },
  { label: '$(git-compare) All three', description: 'RNN, GRU and LSTM side by side', value: 'compare' },
];

const SIZES = [32, 64, 128, 256];
const MOST_UNITS = 8192;

/** Sizes with what they cost; a number that was typed comes first. */
export function sizeOffers(
  cell: CellChoice,
  countOf: (cell: CellName, units: number) => number | null,
  typed = '',
): Offer<number>[] {
  const own = /^\s*\d+\s*$/.test(typed) ? Number(typed) : null;
  const valid = own !== null && own >= 1 && own <= MOST_UNITS;
  const sizes = valid ? [own, ...SIZES.filter(size => size !== own)] : SIZES;
  const shown: CellName = cell === 'compare' ? 'lstm' : cell;
  return sizes.map(units => {
    const count = countOf(shown, units);
    return {
      label: `${units} units`,
      description:
        count === null
          ? undefined
          : `${count.toLocaleString('en-US')} parameters in the ${cellName(shown)} (PyTorch count)`,
      value: units,
    };
  });
}

/** The numeric columns of a table, by its first lines; a column of dates or words is left out. */
export function numericColumns(head: string): string[] {
  const lines = head
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/)
    .filter(line => line.trim() !== '');
  const [header, ...rows] = lines.slice(0, 50);
  if (!header) return [];
  const separator = header.includes('\t') ? '\t' : header.includes(';') && !header.includes(',') ? ';' : ',';
  const cells = (line: string) =>
    [...line.matchAll(new RegExp(`("(?:[^"]|"")*"|[^${separator}]*)(?:${separator}|$)`, 'g'))].map(match =>
      match[1]!.replace(/^"|"$/g, '').replaceAll('""', '"').trim(),
    );
  const names = cells(header);
  const table = rows.map(cells);
  return names.filter((name, column) => {
    const values = table.map(row => row[column] ?? '').filter(value => value !== '');
    const numbers = values.filter(value => Number.isFinite(Number(value)));
    return name !== '' && values.length > 0 && numbers.length >= values.length * 0.8;
  });
}

/** What the steps stand for, as a person would write it. */
export function experimentOf({ data, target, cell, units }: Choices): ExperimentInput {
  const type = cell === 'compare' ? 'lstm' : cell;
  const compare: ExperimentInput['compare'] =
    cell === 'compare' ? { cell: ['rnn', 'gru', 'lstm'] } : undefined;
  const recurrent = { type, units } as const;
  const common = { ...(compare ? { compare } : {}) };
  if (data.kind === 'text')
    return {
      name: nameOf(data.path),
      data: { task: 'char-lm', path: data.path },
      model: { layers: [{ type: 'embedding', dim: EMBEDDING }, recurrent, { type: 'dense' }] },
      training: { optimizer: { type: 'adam', learningRate: 0.003 }, batchSize: 32, seqLen: 64, steps: 2000 },
      ...common,
    };
  const model = { layers: [recurrent, { type: 'dense' as const }] };
  if (data.kind === 'table')
    return {
      name: nameOf(data.path),
      data: { task: 'forecast', path: data.path, target: target ?? '', window: 24 },
      model,
      training: { optimizer: { type: 'adam', learningRate: 0.003 }, batchSize: 32, steps: 1000 },
      ...common,
    };
  return {
    name: data.task === 'adding' ? 'adding' : 'temporal order',
    data: data.task === 'adding' ? { task: 'adding', length: 100 } : { task: 'temporal-order', length: 50 },
    model,
    training: { optimizer: { type: 'adam', learningRate: 0.005 }, batchSize: 32, steps: 1500 },
    ...common,
  };
}

const EMBEDDING = 32;

/** The width of what the recurrent layer reads. */
export function inputSizeOf(data: DataChoice): number {
  if (data.kind === 'text') return EMBEDDING;
  if (data.kind === 'table') return 1;
  return data.task === 'adding' ? 2 : 6;
}

function nameOf(path: string): string {
  return (
    path
      .split('/')
      .at(-1)!
      .replace(/\.[^.]+$/, '') || 'experiment'
  );
}
