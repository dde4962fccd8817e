// A comparison as a table: runs that differ in their seed alone are one row, with mean and spread; differences to a
// baseline with a paired test over the seeds; the effect of each factor of a grid.

import { csvCell } from './csv-cell.ts';
import type { Metric } from './format.ts';
import type { SeenUnit } from './seen-unit.ts';

/** One run's figures; null where it has none. */
export interface ComparedRun {
  id: string;
  label: string;
  /** equal for runs that differ in their seed alone */
  key: string;
  seed: number;
  /** equal where losses may be compared; null before the task is known */
  unit: string | null;
  seen: SeenUnit;
  state: string;
  final: number | null;
  best: number | null;
  bestStep: number | null;
  /** of the test part, once at the end */
  test: number | null;
  /** the newest value of the task's own first metric */
  metric: number | null;
  metricOf: Metric | null;
  parameters: number | null;
  secondsPerStep: number | null;
  tokensPerSecond: number | null;
  memoryBytes: number | null;
  /** steps back that the gradient reaches */
  reach: number | null;
}

/** Sample standard deviation; null for one value. */
export interface Spread {
  mean: number;
  sd: number | null;
  n: number;
}

export const FIGURES = [
  'final',
  'best',
  'bestStep',
  'metric',
  'test',
  'parameters',
  'secondsPerStep',
  'tokensPerSecond',
  'memoryBytes',
  'reach',
] as const;
export type FigureName = (typeof FIGURES)[number];

export interface ComparedRow {
  key: string;
  label: string;
  runs: ComparedRun[];
  figures: Record<FigureName, Spread | null>;
}

/** In the order of the first run of each row. */
export function rowsOf(runs: readonly ComparedRun[]): ComparedRow[] {
  const byKey = new Map<string, ComparedRun[]>();
  for (const run of runs) {
    const own = `${bare(run.label)}\n${run.key}`;
    // the same seed again is another run of the same, and no further seed
    let key = own;
    for (let time = 2; byKey.get(key)?.some(({ seed }) => seed === run.seed); time++) key = `${own}\n${time}`;
    byKey.set(key, [...(byKey.get(key) ?? []), run]);
  }
  return [...byKey.values()].map(members => ({
    key: members[0]!.key,
    label: withoutSeed(members),
    runs: members,
    figures: Object.fromEntries(
      FIGURES.map(name => [name, spreadOf(members.map(member => member[name]))]),
    ) as ComparedRow['figures'],
  }));
}

function withoutSeed(members: readonly ComparedRun[]): string {
  const { label } = members[0]!;
  return members.length === 1 ? label : bare(label) || `${members.length} seeds`;
}

function bare(label: string): string {
  return label.replace(/(?:^| · | )seed \d+$/, '');
}

export function spreadOf(values: readonly (number | null)[]): Spread | null {
  const finite = values.filter(value => value !== null && Number.isFinite(value)) as number[];
  const n = finite.length;
  if (n === 0) return null;
  const mean = finite.reduce((sum, value) => sum + value, 0) / n;
  if (n === 1) return { mean, sd: null, n };
  const squares = finite.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, sd: Math.sqrt(squares / (n - 1)), n };
}

export interface Difference {
  /** mean of the differences to the baseline's run of the same seed, else of the means */
  mean: number;
  pairs: number;
  /** two-sided, exact over all signs of the differences (Fisher 1935); null with fewer than two pairs */
  p: number | null;
}

export function sameUnit(runs: readonly Pick<ComparedRun, 'unit'>[]): boolean {
  return new Set(runs.flatMap(({ unit }) => unit ?? [])).size < 2;
}

/** The row of the least best; null where there is none, or runs of several units. */
export function bestRow(rows: readonly ComparedRow[]): ComparedRow | null {
  if (!sameUnit(rows.flatMap(({ runs }) => runs))) return null;
  const known = rows.filter(({ figures }) => figures.best !== null);
  return known.sort((a, b) => a.figures.best!.mean - b.figures.best!.mean)[0] ?? null;
}

/** More pairs than this have too many signs to count: 2^20. */
const MOST_PAIRS = 20;

/** Of one figure; null where either has none, or losses are of different units. */
export function differenceTo(baseline: ComparedRow, row: ComparedRow, figure: FigureName): Difference | null {
  const own = row.figures[figure];
  const other = baseline.figures[figure];
  if (!own || !other || !sameUnit([...baseline.runs, ...row.runs])) return null;
  const differences = row.runs.flatMap(run => {
    const twin = baseline.runs.find(({ seed }) => seed === run.seed);
    const [a, b] = [run[figure], twin?.[figure] ?? null];
    return a !== null && b !== null && Number.isFinite(a) && Number.isFinite(b) ? [a - b] : [];
  });
  if (differences.length < 2) return { mean: own.mean - other.mean, pairs: differences.length, p: null };
  return {
    mean: spreadOf(differences)!.mean,
    pairs: differences.length,
    p: differences.length > MOST_PAIRS ? null : signFlip(differences),
  };
}

/** Share of all sign patterns whose sum is at least as far from zero. */
export function signFlip(differences: readonly number[]): number {
  const n = differences.length;
  const seen = Math.abs(differences.reduce((sum, value) => sum + value, 0));
  const patterns = 2 ** n;
  let asFar = 0;
  for (let pattern = 0; pattern < patterns; pattern++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += pattern & (1 << i) ? differences[i]! : -differences[i]!;
    // sums of the same numbers in another order differ by rounding
    if (Math.abs(sum) >= seen - 1e-12 * seen) asFar++;
  }
  return asFar / patterns;
}

export interface Effect {
  factor: string;
  levels: { value: string; mean: number; runs: number; effect: number }[];
}

/**
 * Main effects: the mean of a figure over all runs of a level, and how far that is from the mean of all. `levels` of a
 * run: its value of each factor. Only factors of a grid: at least two with two levels each.
 */
export function effectsOf(
  factors: readonly string[],
  runs: readonly { levels: readonly string[]; value: number | null }[],
): Effect[] {
  const usable = runs.filter(({ value }) => value !== null && Number.isFinite(value));
  const all = spreadOf(usable.map(({ value }) => value));
  if (!all || factors.length < 2 || !isGrid(factors, runs)) return [];
  return factors.flatMap((factor, index) => {
    const values = [...new Set(usable.map(({ levels }) => levels[index]!))];
    if (values.length < 2) return [];
    const levels = values.map(value => {
      const own = usable.filter(run => run.levels[index] === value);
      const { mean } = spreadOf(own.map(run => run.value))!;
      return { value, mean, runs: own.length, effect: mean - all.mean };
    });
    return { factor, levels };
  });
}

/** Every value of each factor stands with every value of the others. */
function isGrid(factors: readonly string[], runs: readonly { levels: readonly string[] }[]): boolean {
  const sizes = factors.map((_, index) => new Set(runs.map(({ levels }) => levels[index])).size);
  const found = new Set(runs.map(({ levels }) => JSON.stringify(levels))).size;
  return found === sizes.reduce((product, size) => product * size, 1);
}

/** A table as Markdown: cells are escaped, numbers stand to the right. */
export function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const rule = head.map((_, column) => (column === 0 ? '---' : '--:'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

/** RFC 4180. */
export function csv(head: readonly string[], rows: readonly (readonly (string | number | null)[])[]): string {
  return [head, ...rows].map(row => `${row.map(csvCell).join(',')}\r\n`).join('');
}
