// The table of a comparison as the page shows it: words for people, and values to sort by.
import type { Experiment } from '../../experiment/schema.ts';
import type { ComparisonRow, ComparisonView } from '../../protocol/messages.ts';
import {
  bestRow,
  type ComparedRow,
  type ComparedRun,
  differenceTo,
  rowsOf,
  sameUnit,
} from '../../runs/comparison.ts';
import { columnsOf, figure, spreadText } from '../../runs/comparison-text.ts';
import { ablation } from '../../runs/differences.ts';

/** `pinned`: a run of the row that differences are to; null: the best of all. */
export function comparisonView(
  compared: readonly { run: ComparedRun; experiment: Experiment }[],
  pinned: string | null,
): ComparisonView {
  const runs = compared.map(({ run }) => run);
  const rows = rowsOf(runs);
  const each = rowsOf(runs.map(run => ({ ...run, key: run.id })));
  const columns = columnsOf(rows);
  // the best of those whose losses are alike
  const against = (list: readonly ComparedRow[], own: ComparedRow) =>
    list.find(row => row.runs.some(({ id }) => id === pinned)) ??
    bestRow(list.filter(row => sameUnit([...row.runs, ...own.runs])));
  const view = (list: readonly ComparedRow[]) => {
    return list.map((row): ComparisonRow => {
      const baseline = list.length > 1 ? against(list, row) : null;
      const difference = baseline && row !== baseline ? differenceTo(baseline, row, 'best') : null;
      const share = difference && baseline ? difference.mean / Math.abs(baseline.figures.best!.mean) : null;
      return {
        runs: row.runs.map(({ id }) => id),
        label: row.label,
        seeds: row.runs.length,
        isBaseline: row === baseline,
        cells: columns.map(({ name, words }) => ({
          text: spreadText(row.figures[name], words),
          value: row.figures[name]?.mean ?? null,
        })),
        difference: difference && {
          value: difference.mean,
          text: `${difference.mean < 0 ? '−' : '+'}${brief(Math.abs(difference.mean))}`,
          share: shareText(share),
          p: difference.p === null ? null : figure(difference.p),
          pairs: difference.pairs,
        },
      };
    });
  };
  return {
    columns: columns.map(({ name, title }) => ({ name, title })),
    rows: view(rows),
    each: view(each),
    baseline: pinned !== null && runs.some(({ id }) => id === pinned) ? pinned : null,
    effects: (sameUnit(runs) ? ablation : () => [])(
      compared.map(({ run, experiment }) => ({ experiment, best: run.best })),
    ).map(({ factor, levels }) => ({
      factor,
      levels: levels.map(({ value, mean, effect, runs: count }) => ({
        value,
        runs: count,
        mean: figure(mean),
        effect: `${effect < 0 ? '−' : '+'}${figure(Math.abs(effect))}`,
      })),
    })),
  };
}

/** Two digits say how much better. */
function brief(value: number): string {
  return figure(Number(value.toPrecision(2)));
}

/** "+12 %", of more than ten times as much "360 times"; empty without a share. */
export function shareText(share: number | null): string {
  if (share === null || !Number.isFinite(share)) return '';
  if (share >= 9.95) return `${Number((share + 1).toPrecision(2)).toLocaleString('en-US')} times`;
  return `${share < 0 ? '−' : '+'}${Math.abs(100 * share).toFixed(Math.abs(share) < 0.1 ? 1 : 0)} %`;
}
