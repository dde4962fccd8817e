// What a trained forecaster says of a table: its scaling is the one fitted when it was trained.
import { basename } from 'node:path';
import { plural } from '../../../experiment/words.ts';
import { DataError } from '../../data/errors.ts';
import { readTable } from '../../data/table.ts';
import type { Model } from '../../layers/model.ts';
import { type ForecastArtifact, levelsOf, pathOf } from '../../tasks/forecast-artifact.ts';
import { type PreparedSeries, prepareSeries, windowsOf } from '../../tasks/series-data.ts';
import { answersOf } from '../../tasks/values.ts';
import type { Predicted } from './predictor.ts';

const BATCH = 256;

export async function predictForecast(
  model: Model,
  artifact: ForecastArtifact,
  path: string,
): Promise<Predicted> {
  const { series, notes } = await readSeries(path, artifact);
  const { rows, next, rmse, persistenceRmse } = scored(predictAll(model, series, artifact), series, artifact);
  const { target, horizon } = artifact;
  return {
    columns: ['row', 'truth', 'prediction', 'persistence'],
    rows,
    next,
    notes,
    facts: { target, horizon, rmse, persistenceRmse },
    summary:
      rmse === null
        ? null
        : `${target}: root mean square error ${rmse.toPrecision(4)} over ${plural(rows.length, 'row')}, ${horizon} ahead; persistence has ${persistenceRmse!.toPrecision(4)}.`,
  };
}

async function readSeries(
  path: string,
  artifact: ForecastArtifact,
): Promise<{ series: PreparedSeries; notes: string[] }> {
  const name = basename(path);
  const { difference, scaling } = artifact;
  const { table, notes, warnings } = await readTable(path, name, artifact);
  const series = prepareSeries(table, { ...artifact, trainShare: 1, scaling }, name);
  const rows = series.level.length;
  const needed = artifact.window + difference;
  if (rows < needed)
    throw new DataError(
      `${name} has ${plural(rows, 'usable row')}; this model reads ${artifact.window}${difference > 0 ? ` changes over ${difference}` : ''} to predict, so ${needed} are needed.`,
    );
  return { series, notes: [...warnings, ...notes] };
}

/** By the first predicted row: the levels of the next `horizon` rows. */
function predictAll(model: Model, series: PreparedSeries, artifact: ForecastArtifact): Map<number, number[]> {
  const { window, difference } = artifact;
  const levels = new Map<number, number[]>();
  const places: number[] = [];
  for (let at = series.firstRow + window; at <= series.level.length; at++) places.push(at);
  for (let from = 0; from < places.length; from += BATCH) {
    const part = places.slice(from, from + BATCH);
    const answers = answersOf(model, {
      seqLen: window,
      batch: part.length,
      input: windowsOf(series, part, window),
      targets: new Float32Array(0),
      lengths: null,
      continues: false,
    });
    part.forEach((at, row) => {
      const scaled = pathOf(answers, row, artifact);
      levels.set(at, levelsOf(scaled, at, series.level, series.wantedScale, difference));
    });
  }
  return levels;
}

function scored(levels: Map<number, number[]>, series: PreparedSeries, { horizon }: ForecastArtifact) {
  const { level, known, numbers } = series;
  const rows: { row: number; truth: number; prediction: number; persistence: number }[] = [];
  let squared = 0;
  let still = 0;
  for (const [at, predicted] of levels) {
    const row = at + horizon - 1;
    if (row >= level.length || !known[row]) continue;
    const truth = level[row]!;
    const prediction = predicted.at(-1)!;
    const persistence = level[at - 1]!;
    rows.push({ row: numbers[row]!, truth, prediction, persistence });
    squared += (prediction - truth) ** 2;
    still += (persistence - truth) ** 2;
  }
  // a table that was turned goes on above its first row
  const last = numbers.at(-1)!;
  const direction = last < numbers[0]! ? -1 : 1;
  const next = levels
    .get(level.length)!
    .map((prediction, k) => ({ row: last + direction * (k + 1), prediction }));
  const root = (sum: number) => (rows.length > 0 ? Math.sqrt(sum / rows.length) : null);
  return { rows, next, rmse: root(squared), persistenceRmse: root(still) };
}
