// The ability matrix: runs on several data as a table, a model a row and data a column, beside what theory says. Losses of
// different tasks never share an axis: each column has a measure of its own.
import { firstCell } from '../experiment/models.ts';
import type { Experiment } from '../experiment/schema.ts';
import { taskOf } from '../experiment/tasks/index.ts';
import { theorySays } from '../experiment/tasks/theory.ts';
import { distinctions } from './differences.ts';
import type { Metric } from './format.ts';
import { metricText } from './metric-text.ts';

export interface MatrixPlace {
  /** equal for runs of one row, and of one column */
  row: string;
  column: string;
  rowTitle: string;
  columnTitle: string;
  /** what theory says of this layer at this task; null: nothing */
  can: boolean | null;
}

export interface MatrixColumn {
  key: string;
  title: string;
  /** what its figures are */
  measure: string;
}

export interface MatrixCell {
  /** mean over seeds; null: not measured yet */
  value: number | null;
  text: string;
  can: boolean | null;
}

export interface Matrix {
  columns: MatrixColumn[];
  rows: { title: string; cells: (MatrixCell | null)[] }[];
}

const LOSS: Omit<Metric, 'label'> = { name: 'valLoss', unit: '', better: 'lower' };

/**
 * null: all runs learn from the same data, which makes no matrix. `names`: of runs that were trained apart, which then name
 * the rows; left out for members of one comparison, whose rows are named by what differs between their models.
 */
export function matrixPlaces(
  experiments: readonly Experiment[],
  names?: readonly string[],
): MatrixPlace[] | null {
  const columns = experiments.map(({ data }) => JSON.stringify(data));
  if (new Set(columns).size < 2) return null;
  const rows = experiments.map(rowKey);
  const columnTitles = titles(columns, experiments, unique => {
    const names = unique.map(({ data }) => taskOf(data).title);
    const words = distinctions(unique.map(each => ({ ...unique[0]!, data: each.data })));
    // the title of the task, and what tells apart those of one task
    return names.map((name, i) => (names.filter(other => other === name).length > 1 ? words[i]! : name));
  });
  const rowTitles = titles(rows, experiments, unique =>
    distinctions(unique.map(each => ({ ...each, data: unique[0]!.data }))),
  );
  const own = names && rowNames(rows, names);
  return experiments.map((experiment, index) => ({
    row: rows[index]!,
    column: columns[index]!,
    rowTitle: own?.[index] || rowTitles[index] || (firstCell(experiment)?.kind.title ?? 'model'),
    columnTitle: columnTitles[index]!,
    can: theorySays(firstCell(experiment)?.layer.type ?? '', taskOf(experiment.data)),
  }));
}

/** null: runs of one row have several names, or those of several rows the same. */
function rowNames(rows: readonly string[], names: readonly string[]): readonly string[] | null {
  const pairs = new Set(rows.map((row, index) => JSON.stringify([row, names[index]])));
  return pairs.size === new Set(rows).size && pairs.size === new Set(names).size ? names : null;
}

/** Of a run without its data and its seed: models that differ in their seed alone are one row. */
function rowKey({ data: _, name: __, training, ...rest }: Experiment): string {
  const { seed: ___, ...own } = training;
  return JSON.stringify([rest, own]);
}

/** A title for each experiment by its key, from one experiment of each key. */
function titles(
  keys: readonly string[],
  experiments: readonly Experiment[],
  name: (unique: readonly Experiment[]) => string[],
): string[] {
  const unique = [...new Set(keys)];
  const named = name(unique.map(key => experiments[keys.indexOf(key)]!));
  return keys.map(key => named[unique.indexOf(key)]!);
}

export interface MatrixRun {
  place: MatrixPlace;
  metrics: readonly Metric[];
  /** newest value of a scalar; null: there is none */
  last(name: string): number | null;
}

/** The task's first metric, of the test part where it was scored; else the validation loss. */
export function matrixOf(runs: readonly MatrixRun[]): Matrix {
  const columnKeys = [...new Set(runs.map(({ place }) => place.column))];
  const rowKeys = [...new Set(runs.map(({ place }) => place.row))];
  const metrics = columnKeys.map(key => {
    const [first] = runs.find(({ place }) => place.column === key)!.metrics;
    return first ?? { ...LOSS, label: 'Validation loss' };
  });
  return {
    columns: columnKeys.map((key, index) => ({
      key,
      title: runs.find(({ place }) => place.column === key)!.place.columnTitle,
      measure: metrics[index]!.label,
    })),
    rows: rowKeys.map(row => ({
      title: runs.find(({ place }) => place.row === row)!.place.rowTitle,
      cells: columnKeys.map((column, index) => {
        const own = runs.filter(({ place }) => place.row === row && place.column === column);
        return own.length > 0 ? cellOf(own, metrics[index]!) : null;
      }),
    })),
  };
}

function cellOf(runs: readonly MatrixRun[], metric: Metric): MatrixCell {
  const { name } = metric;
  const tested = `test${name[0]!.toUpperCase()}${name.slice(1)}`;
  const values = runs.flatMap(run => run.last(tested) ?? run.last(name) ?? []);
  const value = values.length > 0 ? values.reduce((sum, own) => sum + own / values.length, 0) : null;
  return { value, text: value === null ? '–' : metricText(metric, value), can: runs[0]!.place.can };
}

/** "100 % ✓": the figure, and whether theory says that the layer can. */
export function cellText(cell: MatrixCell | null): string {
  if (!cell) return '';
  return cell.can === null ? cell.text : `${cell.text} ${cell.can ? '✓' : '✗'}`;
}

export function matrixTable({ columns, rows }: Matrix): { head: string[]; rows: string[][] } {
  return {
    head: ['layer', ...columns.map(({ title }) => title)],
    rows: rows.map(({ title, cells }) => [title, ...cells.map(cellText)]),
  };
}

export const MATRIX_LEGEND =
  'Figures of the test part with the best weights; of validation until a run has ended. Theory: ✓ the layer can, ✗ it cannot, no mark: nothing is said.';
