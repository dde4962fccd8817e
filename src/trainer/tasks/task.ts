// What is learned and how it is scored: the training loop sees every task through this.
import type { Scalar, Tensor3D } from '@tensorflow/tfjs-core';
import type { Sample, TaskFacts } from '../../runs/format.ts';
import type { NamedFile } from '../data/named-files.ts';
import type { Outputs } from '../engine/losses.ts';
import type { Batch } from '../layers/batch.ts';
import type { Model, ModelSizes } from '../layers/model.ts';
import type { Sampled } from './forcing.ts';

export type { Batch };

/** Sums over validation, so that parts can be added up. */
export interface Score {
  /** sum of the loss over `count` targets */
  lossSum: number;
  count: number;
  /** further sums by name, turned into scalars by `metrics` */
  sums: Record<string, number>;
  /** of forecasts over more than one row: by the last row that was known */
  origins?: OriginScore[];
}

/** Sums over all that is forecast from one row, whose number in the file it is. */
export interface OriginScore {
  row: number;
  answers: number;
  squaredError: number;
  persistenceSquaredError: number;
}

export interface Task {
  readonly facts: TaskFacts;
  /** what the data has that its owner should know before the run; also in `facts.notes` */
  readonly warnings?: readonly string[];
  /** what was read of the data: rows, columns, characters, symbols */
  readonly read?: Readonly<Record<string, number>>;
  /** files that the data name, such as sounds */
  readonly files?: readonly NamedFile[] | undefined;
  readonly sizes: ModelSizes;
  /** where the loss stands */
  readonly outputs: 'every-step' | 'last-step';
  /** batches follow one another in one stream, so that state can be carried */
  readonly stream: boolean;
  /** batch of training step `step`, counted from 1: a pure function of it */
  trainingBatch(step: number): Batch;
  /** the batch as this model is to read it, where the task mixes in its own answers, and the share of true ones */
  sampledBatch?(model: Model, batch: Batch, step: number): Sampled;
  /** passes of the training data completed before this step; 0 for generated data */
  epochOf(step: number): number;
  readonly validationBatches: number;
  validation(): Iterable<Batch>;
  test(): Iterable<Batch>;
  /** everything in the data once, to score a trained model on other data; none: of tasks that draw theirs */
  all?(): Iterable<Batch>;
  /** mean loss over the targets of this stretch; classes are smoothed where they are the targets */
  loss(
    outputs: Outputs,
    targets: Int32Array | Float32Array,
    weights: Float32Array | null,
    labelSmoothing?: number,
  ): Scalar;
  /** steps of a pass, padding included, that its batches seldom have; left out: they are all alike */
  readonly maxTokens?: number | undefined;
  /** what a batch counts among the parts of an update; left out: the answers that it asks for */
  answers?: ((batch: Batch) => number) | undefined;
  /** adds to `score` what this batch's outputs say */
  score(outputs: Tensor3D, batch: Batch, score: Score, model?: Model): void;
  /** adds what the model says of this batch by itself, where it reads its own answers */
  run?(model: Model, batch: Batch, score: Score): void;
  /** scalars besides the loss, e.g. accuracy, rmse */
  metrics(score: Score): Record<string, number>;
  /** something to look at, made in pieces; `step` seeds what is random in it */
  sample(model: Model, step: number): Generator<undefined, Sample | null>;
  /** what using the trained model takes: vocabulary, scaling. Written to the run folder as `task.json`. */
  artifact(): Artifact;
}

/** The exact fields stand with each task. */
export interface Artifact {
  task: string;
  [field: string]: unknown;
}

export function emptyScore(): Score {
  return { lossSum: 0, count: 0, sums: {} };
}
