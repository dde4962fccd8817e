// Runs on several data: the page shows those of one at a time, so that losses of different tasks never share an axis. Pure.
import type { RunView } from '../protocol/messages.ts';

export interface Column {
  key: string;
  title: string;
  /** what its figures are; null before the task is known */
  measure: string | null;
}

/** In the order of their first run; empty where all runs learn from the same data. */
export function columnsOf(runs: readonly RunView[]): Column[] {
  const columns = new Map<string, Column>();
  for (const { matrix, task } of runs) {
    if (!matrix) continue;
    const known = columns.get(matrix.column);
    const measure = task ? (task.metrics?.[0]?.label ?? 'validation loss') : null;
    columns.set(matrix.column, {
      key: matrix.column,
      title: matrix.columnTitle,
      measure: known?.measure ?? measure,
    });
  }
  return [...columns.values()];
}

/** The column that is shown; null: there is none to choose. */
export function shownColumn(runs: readonly RunView[], chosen: string | null): Column | null {
  const columns = columnsOf(runs);
  return columns.find(({ key }) => key === chosen) ?? columns[0] ?? null;
}

/** Its runs, named by their model alone. */
export function runsOfColumn(runs: readonly RunView[], column: Column | null): readonly RunView[] {
  if (!column) return runs;
  return runs.flatMap(run => {
    if (run.matrix?.column !== column.key) return [];
    const seed = /(?: · |^)seed \d+$/.exec(run.label)?.[0] ?? '';
    return [{ ...run, label: `${run.matrix.rowTitle}${seed}` }];
  });
}

/** What stands beneath the table: the measure, of each column where they differ, and the signs where there are any. */
export function abilityLegend(columns: readonly Column[], rows: readonly AbilityRow[]): string {
  const measures = new Set(columns.flatMap(({ measure }) => measure ?? []));
  const [only] = measures;
  const what = measures.size === 1 ? only! : 'Figures';
  const each =
    measures.size > 1
      ? columns.flatMap(({ title, measure }) => (measure ? `${title}: ${measure}` : [])).join(', ')
      : '';
  const hasTheory = rows.some(({ cells }) => cells.some(cell => cell && cell.can !== null));
  return [
    `${what[0]!.toUpperCase()}${what.slice(1)} of the test part, of validation until then.`,
    each && `${each}.`,
    hasTheory && 'Theory: ✓ the layer can, ✗ it cannot.',
  ]
    .filter(Boolean)
    .join(' ');
}

export interface AbilityCell {
  value: number;
  runs: number;
  /** what theory says of the layer at the task; null: nothing */
  can: boolean | null;
  unit: string;
}

export interface AbilityRow {
  title: string;
  /** one for each column; null: no figure yet */
  cells: (AbilityCell | null)[];
}

/** The task's first metric, of the test part where it was scored, as means over seeds. */
export function abilityRows(
  runs: readonly RunView[],
  numberOf: (value: RunView['last'][string] | undefined) => number,
): AbilityRow[] {
  const columns = columnsOf(runs);
  const rows = new Map<string, string>();
  for (const { matrix } of runs) if (matrix) rows.set(matrix.row, matrix.rowTitle);
  return [...rows].map(([row, title]) => ({
    title,
    cells: columns.map(({ key }) => {
      const own = runs.filter(({ matrix }) => matrix?.row === row && matrix.column === key);
      const values = own.flatMap(run => {
        const value = figureOf(run, numberOf);
        return Number.isFinite(value) ? [value] : [];
      });
      if (values.length === 0) return null;
      return {
        value: values.reduce((sum, value) => sum + value / values.length, 0),
        runs: values.length,
        can: own[0]!.matrix!.can,
        unit: own[0]!.task?.metrics?.[0]?.unit ?? '',
      };
    }),
  }));
}

function figureOf(
  { last, task }: RunView,
  numberOf: (value: RunView['last'][string] | undefined) => number,
): number {
  const name = task?.metrics?.[0]?.name;
  if (!name) return numberOf(last['valLoss']);
  const tested = numberOf(last[`test${name[0]!.toUpperCase()}${name.slice(1)}`]);
  return Number.isFinite(tested) ? tested : numberOf(last[name]);
}
