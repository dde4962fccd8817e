// What a trained forecaster says of a table: its scaling is the one fitted when it was trained.
import { basename } from 'node:path';
import { aheadOf, targetsOf } from '../../../experiment/tasks/forecast.ts';
import { plural } from '../../../experiment/words.ts';
import { DataError } from '../../data/errors.ts';
import { rowsToCome } from '../../data/rows-to-come.ts';
import { readTable } from '../../data/table.ts';
import type { Model } from '../../layers/model.ts';
import type { ForecastArtifact } from '../../tasks/forecast-artifact.ts';
import { allPathsOf, levelPaths } from '../../tasks/forecast-paths.ts';
import { type PreparedSeries, prepareSeries } from '../../tasks/series-data.ts';
import type { Predicted, Row } from './predictor.ts';

const BATCH = 256;

export interface ReadSeries {
  series: PreparedSeries;
  notes: string[];
  /** rows that have come: those behind them tell only what is known in advance */
  history: number;
  /** whether what follows the history can be forecast */
  isTold: boolean;
}

export async function predictForecast(
  model: Model,
  artifact: ForecastArtifact,
  path: string,
): Promise<Predicted> {
  const read = await readSeries(path, artifact);
  const levels = predictAll(model, read, artifact);
  const targets = targetsOf(artifact.target);
  const { horizon } = artifact;
  const all = targets.map((_, target) => scored(levels, target, read, artifact));
  const isOne = typeof artifact.target === 'string';
  const named = (rows: readonly Row[], target: number) =>
    isOne ? rows : rows.map(({ row, ...rest }): Row => ({ row: row!, target: targets[target]!, ...rest }));
  const summaries = all.flatMap(({ rows, rmse, persistenceRmse }, target) =>
    rmse === null
      ? []
      : `${targets[target]}: root mean square error ${rmse.toPrecision(4)} over ${plural(rows.length, 'row')}, ${horizon} ahead; persistence has ${persistenceRmse!.toPrecision(4)}.`,
  );
  return {
    columns: [
      'row',
      ...(isOne ? [] : ['target']),
      ...['truth', 'prediction', 'persistence'],
      ...artifact.quantiles.map(columnOf),
    ],
    rows: all.flatMap(({ rows }, target) => named(rows, target)),
    next: all.flatMap(({ next }, target) => named(next, target)),
    notes: read.notes,
    facts: {
      target: targets.join(', '),
      horizon,
      ...Object.fromEntries(
        all.flatMap(({ rmse, persistenceRmse }, target) => {
          const end = isOne ? '' : `.${targets[target]}`;
          return [
            [`rmse${end}`, rmse],
            [`persistenceRmse${end}`, persistenceRmse],
          ];
        }),
      ),
    },
    summary: summaries.length > 0 ? summaries.join(' ') : null,
  };
}

export async function readSeries(path: string, artifact: ForecastArtifact): Promise<ReadSeries> {
  const name = basename(path);
  const { difference, scaling, known, horizon, strategy, calendar } = artifact;
  const targets = targetsOf(artifact.target);
  const found = await readTable(path, name, { ...artifact, targets });
  const readsAhead = known.length > 0 || (strategy === 'recursive' && horizon > 1 && calendar.length > 0);
  const { table, toCome } = readsAhead
    ? rowsToCome(found.table, targets, known, horizon)
    : { table: found.table, toCome: 0 };
  const series = prepareSeries(
    table,
    { ...artifact, targets, ahead: aheadOf(artifact), trainShare: 1, scaling, toCome },
    name,
  );
  const history = series.rows - toCome;
  const needed = artifact.window + difference;
  if (history < needed)
    throw new DataError(
      `${name} has ${plural(history, 'usable row')}; this model reads ${artifact.window}${difference > 0 ? ` changes over ${difference}` : ''} to predict, so ${needed} are needed.`,
    );
  const isTold = !readsAhead || toCome >= horizon;
  return {
    series,
    history,
    isTold,
    notes: [...found.warnings, ...found.notes, ...(isTold ? [] : [untold()])],
  };

  function untold(): string {
    const what = known.length > 0 ? known.map(column => `"${column}"`).join(', ') : 'the dates';
    return `What follows the last row is not forecast: for that, give ${what} of the next ${plural(horizon, 'row')} behind it, found of ${toCome}; the targets stay empty there.`;
  }
}

/** Levels of one window, by target and row ahead. */
interface Levels {
  path: number[][];
  /** by quantile */
  quantiles: number[][][];
}

/** By the first predicted row: the levels of the next `horizon` rows. */
function predictAll(
  model: Model,
  { series, history, isTold }: ReadSeries,
  artifact: ForecastArtifact,
): Map<number, Levels> {
  const levels = new Map<number, Levels>();
  const places: number[] = [];
  // what is read ahead of a window ends with the rows that are told
  const last = isTold ? history : history - artifact.horizon;
  for (let at = series.firstRow + artifact.window; at <= last; at++) places.push(at);
  for (let from = 0; from < places.length; from += BATCH) {
    const part = places.slice(from, from + BATCH);
    const said = allPathsOf(model, series, part, artifact);
    const paths = levelPaths(said.paths, part, series, artifact);
    const quantiles = said.quantiles.map(own => levelPaths(own, part, series, artifact));
    part.forEach((at, row) => {
      levels.set(at, { path: paths[row]!, quantiles: quantiles.map(own => own[row]!) });
    });
  }
  return levels;
}

function columnOf(quantile: number): string {
  return `q${quantile}`;
}

function scored(
  levels: ReadonlyMap<number, Levels>,
  target: number,
  { series: { targets, numbers }, history }: ReadSeries,
  { horizon, quantiles: asked }: ForecastArtifact,
) {
  const { level, wanted } = targets[target]!;
  const rows: Row[] = [];
  let squared = 0;
  let still = 0;
  const quantilesAt = ({ quantiles }: Levels, k: number) =>
    Object.fromEntries(asked.map((q, place) => [columnOf(q), quantiles[place]![target]![k]!]));
  for (const [at, predicted] of levels) {
    const row = at + horizon - 1;
    if (row >= history || Number.isNaN(wanted.get(row))) continue;
    const truth = level.get(row);
    const prediction = predicted.path[target]!.at(-1)!;
    const persistence = level.get(at - 1);
    rows.push({
      ...{ row: numbers.get(row), truth, prediction, persistence },
      ...quantilesAt(predicted, horizon - 1),
    });
    squared += (prediction - truth) ** 2;
    still += (persistence - truth) ** 2;
  }
  // a table that was turned goes on above its first row
  const last = numbers.get(history - 1);
  const direction = last < numbers.get(0) ? -1 : 1;
  const told = levels.get(history);
  const next = (told?.path[target] ?? []).map(
    (prediction, k): Row => ({ row: last + direction * (k + 1), prediction, ...quantilesAt(told!, k) }),
  );
  const root = (sum: number) => (rows.length > 0 ? Math.sqrt(sum / rows.length) : null);
  return { rows, next, rmse: root(squared), persistenceRmse: root(still) };
}
