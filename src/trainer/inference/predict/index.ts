// unroll predict: what a trained run says of a file.
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { type TaskName, taskOf } from '../../../experiment/tasks/index.ts';
import { either } from '../../../experiment/words.ts';
import { DataError } from '../../data/errors.ts';
import { changeSince } from '../../data/fingerprint.ts';
import type { ArtifactOf, TaskArtifact } from '../../tasks/index.ts';
import { InputError } from '../../training/prepare.ts';
import { dataFileOf } from '../../training/run-data.ts';
import { type FinishedRun, loadModel, useFinishedRun, type WhichCheckpoint } from '../finished-run.ts';
import { relation } from '../relation.ts';
import { predictClasses } from './classify.ts';
import { predictUnaligned } from './ctc.ts';
import { predictForecast } from './forecast.ts';
import { predictLanguage } from './language.ts';
import type { DecodeOptions, Predicted, Predictor } from './predictor.ts';
import { predictSequences } from './seq2seq.ts';
import { predictTable } from './table.ts';
import { predictTags } from './tag.ts';

/** null: files say nothing to such a run. */
const PREDICTORS: { [T in TaskName]: Predictor<ArtifactOf<T>> | null } = {
  'char-lm': predictLanguage,
  'word-lm': predictLanguage,
  'byte-lm': predictLanguage,
  forecast: predictForecast,
  classify: predictClasses,
  table: predictTable,
  seq2seq: predictSequences,
  ctc: predictUnaligned,
  copy: predictSequences,
  reverse: predictSequences,
  sort: predictSequences,
  addition: predictSequences,
  tag: predictTags,
  adding: null,
  'temporal-order': null,
  'copy-memory': null,
  'selective-copy': null,
  'associative-recall': null,
  induction: null,
  parity: null,
  'modular-arithmetic': null,
  reber: null,
  anbn: null,
  anbncn: null,
  dyck: null,
  morse: null,
};

export interface PredictOptions extends DecodeOptions {
  checkpoint?: WhichCheckpoint;
}

export interface Prediction extends Predicted {
  /** training steps of the checkpoint */
  step: number;
  best: boolean;
}

/** null: files say nothing to such a run. */
export function predictorOf(artifact: TaskArtifact): Predictor<unknown> | null {
  return PREDICTORS[artifact.task] as Predictor<unknown> | null;
}

/** Whether such a run says which rows follow its own data. */
export function foretells(task: string): boolean {
  return PREDICTORS[task as TaskName] === predictForecast;
}

/** @throws DataError for the file, BadRunError and InputError for the run */
export async function predictFile(
  folder: string,
  path: string,
  options: PredictOptions = {},
): Promise<Prediction> {
  return predictWith(await useFinishedRun(folder, options.checkpoint), path, options);
}

/** Of the data that the run learned from, where they stand now. @throws DataError, BadRunError, InputError */
export async function predictOwnData(folder: string, options: PredictOptions = {}): Promise<Prediction> {
  const opened = await useFinishedRun(folder, options.checkpoint);
  return predictWith(opened, dataFileOf(folder, opened.run), options);
}

async function predictWith(opened: FinishedRun, path: string, options: PredictOptions): Promise<Prediction> {
  const { artifact, step, best } = opened;
  const predictor = predictorOf(artifact);
  if (!predictor) {
    const others = Object.entries(PREDICTORS).flatMap(([name, own]) => (own ? [name] : []));
    throw new InputError(
      `This run learned "${artifact.task}"; files are predicted by runs of ${either(others)}. Text is written with \`unroll sample RUN\`.`,
    );
  }
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw new DataError(`There is no file ${path}.`);
  const { reads } = taskOf(opened.run.experiment.data);
  const mayBeFolder = reads === 'table' || reads === 'arrays';
  if (!stat.isFile() && !(mayBeFolder && stat.isDirectory()))
    throw new DataError(`${path} is not a regular file.`);
  const learned = opened.run.data?.[0];
  const notes = learned ? [relation(await changeSince(path, learned), learned, basename(path))] : [];
  const model = await loadModel(opened);
  try {
    const predicted = await predictor(model, artifact, path, options);
    return { ...predicted, notes: [...notes, ...predicted.notes], step, best };
  } finally {
    model.dispose();
  }
}
