// The figures of a comparison as people read them; the same in the shell, on the dashboard and in what is copied.
import { formatBytes } from '../experiment/words.ts';
import {
  type ComparedRow,
  type Difference,
  differenceTo,
  type FigureName,
  type Spread,
} from './comparison.ts';
import { metricText, nameInText } from './metric-text.ts';

interface Column {
  name: FigureName;
  title: string;
  words(value: number): string;
}

/** In the order of their rank: where there is little room, the last go first. */
export const COLUMNS: readonly Column[] = [
  { name: 'final', title: 'val loss', words: figure },
  { name: 'best', title: 'best', words: figure },
  { name: 'bestStep', title: 'at step', words: whole },
  { name: 'metric', title: 'metric', words: figure },
  { name: 'test', title: 'test loss', words: figure },
  { name: 'parameters', title: 'parameters', words: whole },
  { name: 'reach', title: 'reach', words: whole },
  { name: 'secondsPerStep', title: 'ms/step', words: value => figure(value * 1000) },
  { name: 'tokensPerSecond', title: 'time steps/s', words: whole },
  { name: 'memoryBytes', title: 'memory', words: formatBytes },
];

/** Those in which any row has a figure; a metric only where all have the same. */
export function columnsOf(rows: readonly ComparedRow[]): readonly Column[] {
  const metrics = rows.flatMap(({ runs }) => runs.flatMap(({ metricOf }) => metricOf ?? []));
  const [metric] = metrics;
  const isOne = metrics.every(({ name }) => name === metric?.name);
  return COLUMNS.filter(({ name }) => rows.some(({ figures }) => figures[name] !== null)).flatMap(column => {
    if (column.name === 'tokensPerSecond') return [{ ...column, title: seenIn(rows) ?? column.title }];
    if (column.name !== 'metric') return [column];
    if (!metric || !isOne) return [];
    return [{ ...column, title: nameInText(metric), words: value => metricText(metric, value) }];
  });
}

/** "tokens/s"; null where the runs read different things. */
function seenIn(rows: readonly ComparedRow[]): string | null {
  const [first, ...more] = new Set(rows.flatMap(({ runs }) => runs.map(({ seen }) => seen)));
  return first && more.length === 0 ? `${first}/s` : null;
}

/** "finished", of several "2 finished, 1 diverged". */
export function statesText(states: readonly string[]): string {
  const found = [...new Set(states)];
  if (found.length < 2) return found[0] ?? '';
  return found.map(state => `${states.filter(each => each === state).length} ${state}`).join(', ');
}

/** "1.23 ± 0.04"; a dash where nothing was measured. */
export function spreadText(spread: Spread | null, words: (value: number) => string): string {
  if (!spread) return '–';
  // equal values differ by the rounding of their mean
  const isSpread = spread.sd !== null && spread.sd > 1e-9 * Math.abs(spread.mean);
  const deviation = isSpread ? ` ± ${words(Number(spread.sd!.toPrecision(2)))}` : '';
  return `${words(spread.mean)}${deviation}`;
}

/** "−0.75, p 0.25"; empty for the baseline itself. */
export function differenceText(difference: Difference | null): string {
  if (!difference) return '';
  const sign = difference.mean < 0 ? '−' : '+';
  const p = difference.p === null ? '' : `, p ${figure(difference.p)}`;
  return `${sign}${figure(Math.abs(difference.mean))}${p}`;
}

/** Head and rows; the last column is the difference of the best to the baseline, where there is something to compare. */
export function comparisonTable(
  rows: readonly ComparedRow[],
  baseline: ComparedRow | null,
): { head: string[]; rows: string[][] } {
  const hasSeeds = rows.some(({ runs }) => runs.length > 1);
  const against = baseline && rows.length > 1 ? baseline : null;
  const columns = columnsOf(rows);
  return {
    head: [
      'run',
      ...(hasSeeds ? ['seeds'] : []),
      'state',
      ...columns.map(({ title }) => title),
      ...(against ? [`best against ${against.label}`] : []),
    ],
    rows: rows.map(row => [
      row.label,
      ...(hasSeeds ? [String(row.runs.length)] : []),
      statesText(row.runs.map(({ state }) => state)),
      ...columns.map(({ name, words }) => spreadText(row.figures[name], words)),
      ...(against ? [row === against ? '' : differenceText(differenceTo(against, row, 'best'))] : []),
    ]),
  };
}

/** Numbers as they are, for other programs: mean and deviation in columns of their own. */
export function comparisonNumbers(rows: readonly ComparedRow[]): {
  head: string[];
  rows: (string | number | null)[][];
} {
  return {
    head: ['run', 'seeds', 'state', ...COLUMNS.flatMap(({ name }) => [name, `${name}Sd`])],
    rows: rows.map(row => [
      row.label,
      row.runs.length,
      statesText(row.runs.map(({ state }) => state)),
      ...COLUMNS.flatMap(({ name }) => [row.figures[name]?.mean ?? null, row.figures[name]?.sd ?? null]),
    ]),
  };
}

export function figure(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(1);
  return size >= 100 ? whole(value) : String(Number(value.toPrecision(3)));
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
