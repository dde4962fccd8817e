// unroll predict: a trained forecaster on a table. Its scaling is the one fitted when it was trained.
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { plural } from '../../experiment/words.ts';
import type { DataFile } from '../../runs/data-file.ts';
import { DataError } from '../data/errors.ts';
import { changeSince, type Since } from '../data/fingerprint.ts';
import { readTable } from '../data/table.ts';
import type { Model } from '../layers/model.ts';
import { type ForecastArtifact, levelsOf } from '../tasks/forecast.ts';
import { type PreparedSeries, prepareSeries, windowsOf } from '../tasks/series-data.ts';
import { answersOf } from '../tasks/values.ts';
import { InputError } from '../training/prepare.ts';
import { loadModel, openFinishedRun, type WhichCheckpoint } from './finished-run.ts';

export interface PredictOptions {
  checkpoint?: WhichCheckpoint;
}

export interface Prediction {
  target: string;
  horizon: number;
  /** training steps of the checkpoint */
  step: number;
  best: boolean;
  /** rows of the table that are known, by their number in it (from 1, header not counted), each predicted `horizon` rows ahead */
  rows: { row: number; truth: number; prediction: number; persistence: number }[];
  /** what comes after the last row, one value a row */
  next: { row: number; prediction: number }[];
  /** how the table was read, and whether it is what the run learned from */
  notes: string[];
  /** over `rows`, in the target's own unit; null where there are none */
  rmse: number | null;
  persistenceRmse: number | null;
}

const BATCH = 256;

/** @throws DataError for the table, BadRunError and InputError for the run */
export async function predictFile(
  folder: string,
  path: string,
  options: PredictOptions = {},
): Promise<Prediction> {
  const opened = openFinishedRun(folder, options.checkpoint);
  const { artifact, step, best } = opened;
  if (artifact.task !== 'forecast')
    throw new InputError(
      `This run learned "${artifact.task}"; tables are predicted by runs of "forecast".${artifact.task === 'char-lm' ? ' Use `unroll sample RUN`.' : ''}`,
    );
  const { series, notes } = await readSeries(path, artifact);
  const learned = opened.run.data?.[0];
  if (learned) notes.unshift(relation(await changeSince(path, learned), learned, basename(path)));
  const model = await loadModel(opened);
  try {
    const levels = predictAll(model, series, artifact);
    return {
      target: artifact.target,
      horizon: artifact.horizon,
      step,
      best,
      notes,
      ...scored(levels, series, artifact),
    };
  } finally {
    model.dispose();
  }
}

async function readSeries(
  path: string,
  artifact: ForecastArtifact,
): Promise<{ series: PreparedSeries; notes: string[] }> {
  const name = basename(path);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw new DataError(`There is no file ${path}.`);
  if (!stat.isFile()) throw new DataError(`${path} is not a regular file.`);
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

function relation(since: Since, { read }: DataFile, name: string): string {
  if (since.kind === 'same') return `${name} is the file that this run learned from.`;
  if (since.kind === 'appended')
    return `${name} is the file that this run learned from, with ${plural(since.lines, 'further row')} after the first ${read['rows']}.`;
  return `${name} is not the file that this run learned from; it is read in the scaling of the run.`;
}

/** By the first predicted row: the levels of the next `horizon` rows. */
function predictAll(model: Model, series: PreparedSeries, artifact: ForecastArtifact): Map<number, number[]> {
  const { window, horizon, difference } = artifact;
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
      const scaled = answers.subarray(row * horizon, (row + 1) * horizon);
      levels.set(at, levelsOf(scaled, at, series.level, series.wantedScale, difference));
    });
  }
  return levels;
}

function scored(levels: Map<number, number[]>, series: PreparedSeries, { horizon }: ForecastArtifact) {
  const { level, known, numbers } = series;
  const rows: Prediction['rows'] = [];
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
