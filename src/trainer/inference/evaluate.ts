// unroll evaluate: all figures of a run's task, on its own test part or on other data, with the run's scaling and vocabulary.
import { realpathSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import type { Experiment } from '../../experiment/schema.ts';
import { metricsOf } from '../../experiment/tasks/index.ts';
import type { Metric } from '../../runs/format.ts';
import { DataError } from '../data/errors.ts';
import { changeSince } from '../data/fingerprint.ts';
import { openTask } from '../tasks/index.ts';
import type { Task } from '../tasks/task.ts';
import { InputError } from '../training/prepare.ts';
import { openRunData } from '../training/run-data.ts';
import { figuresOf, scorePart, whole } from '../training/validation.ts';
import { type FinishedRun, loadModel, useFinishedRun, type WhichCheckpoint } from './finished-run.ts';
import { relation } from './relation.ts';

export interface Evaluated {
  /** null: the run's own test part */
  data: string | null;
  /** answers that were scored */
  count: number;
  loss: number;
  lossUnit: string;
  figures: Readonly<Record<string, number>>;
  /** of forecasts over several rows: root mean squared errors by the last row that was known; null: not such */
  origins: readonly { row: number; rmse: number; persistenceRmse: number }[] | null;
  /** what the figures are called */
  metrics: readonly Metric[];
  /** the loss of knowing nothing, on these data; null: there is none */
  baseline: { loss: number; name: string } | null;
  /** training steps of the checkpoint */
  step: number;
  best: boolean;
  notes: string[];
}

/** @throws DataError for the file, BadRunError and InputError for the run */
export async function evaluateRun(
  folder: string,
  options: { data?: string | undefined; checkpoint?: WhichCheckpoint | undefined },
): Promise<Evaluated> {
  const opened = await useFinishedRun(folder, options.checkpoint);
  const { run, step, best } = opened;
  const { task, notes } =
    options.data === undefined ? await ownTest(opened) : await otherData(opened, options.data);
  const batches = options.data === undefined ? task.test() : task.all!();
  const model = await loadModel(opened);
  try {
    const score = whole(scorePart(model, task, batches));
    if (!score)
      throw new InputError(
        options.data === undefined
          ? 'This run has no test part; name other data with --data FILE.'
          : `${basename(options.data)} holds nothing that can be scored.`,
      );
    const { valLoss, ...figures } = figuresOf(task, score);
    const { lossUnit, baseline } = task.facts;
    return {
      data: options.data ?? null,
      count: score.count,
      loss: valLoss!,
      lossUnit,
      figures,
      origins:
        score.origins?.map(({ row, answers, squaredError, persistenceSquaredError }) => ({
          row,
          rmse: Math.sqrt(squaredError / answers),
          persistenceRmse: Math.sqrt(persistenceSquaredError / answers),
        })) ?? null,
      metrics: metricsOf(run.experiment.data),
      baseline: baseline ?? null,
      step,
      best,
      notes,
    };
  } finally {
    model.dispose();
  }
}

async function ownTest({ folder, run }: FinishedRun): Promise<{ task: Task; notes: string[] }> {
  const { task, notes } = await openRunData(folder, run, run, {});
  return { task, notes: ['Scored on the test part of the data that the run learned from.', ...notes] };
}

async function otherData(
  { run, artifact }: FinishedRun,
  path: string,
): Promise<{ task: Task; notes: string[] }> {
  const { data } = run.experiment;
  if (!('path' in data))
    throw new InputError(`The data of "${data.task}" are drawn; leave --data out to score fixed test data.`);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw new DataError(`There is no file ${path}.`);
  const file = realpathSync(path);
  const experiment: Experiment = {
    ...run.experiment,
    data: { ...data, path: basename(path), split: [1, 0, 0] } as Experiment['data'],
  };
  const place = { base: dirname(file), workspace: dirname(file), allowedPaths: [], file: resolve(file) };
  const open = (batchSize: number) =>
    openTask({ ...experiment, training: { ...experiment.training, batchSize } }, place, artifact);
  const { batchSize } = experiment.training;
  const task = await open(batchSize).catch((cause: unknown) => {
    // a text that is too short for so many sequences side by side
    if (cause instanceof DataError && batchSize > 1) return open(1);
    throw cause;
  });
  if (!task.all) throw new InputError(`Runs of "${data.task}" are not scored on other data.`);
  const learned = run.data?.[0];
  const isSame = learned ? await changeSince(file, learned) : null;
  return {
    task,
    notes: [
      ...(isSame && learned ? [relation(isSame, learned, basename(path))] : []),
      ...(isSame?.kind === 'same' ? ['These figures are of data that were trained on, not of a test.'] : []),
      ...(task.warnings ?? []),
    ],
  };
}
