// Tasks whose data are drawn: every training batch is new, validation and test batches are always the same.
import type { Scalar, Tensor3D } from '@tensorflow/tfjs-core';
import * as z from 'zod';
import type { Experiment } from '../../experiment/schema.ts';
import { plural } from '../../experiment/words.ts';
import type { TaskFacts } from '../../runs/format.ts';
import type { Outputs } from '../engine/losses.ts';
import type { ModelSizes } from '../layers/model.ts';
import type { Artifact, Batch, Score, Task } from './task.ts';
import { answersOf } from './values.ts';

const VALIDATION_SEQUENCES = 256;
const SHOWN_PAIRS = 6;

export interface Generated {
  facts: Omit<TaskFacts, 'batchSize' | 'tokensPerStep' | 'notes'>;
  sizes: ModelSizes;
  /** where the loss stands; default: at the last step */
  outputs?: 'every-step' | 'last-step';
  /** a pure function: equal arguments, equal batch */
  make(batch: number, seed: number, purpose: string, index: number): Batch;
  loss(outputs: Outputs, targets: Int32Array | Float32Array, weights: Float32Array | null): Scalar;
  score(outputs: Tensor3D, batch: Batch, score: Score): void;
  metrics(score: Score): Record<string, number>;
  artifact(): Artifact;
  /** one sequence in words */
  describe(batch: Batch, row: number): { input: string; truth: string };
  answer(outputs: Float32Array, row: number, batch: number): string;
}

export function generatedTask(experiment: Experiment, generated: Generated): Task {
  const { batchSize, seed, validation } = experiment.training;
  const count = Math.min(validation.maxBatches, Math.ceil(VALIDATION_SEQUENCES / batchSize));
  const held = function* (purpose: string) {
    for (let index = 0; index < count; index++) yield generated.make(batchSize, seed, purpose, index);
  };
  const { facts, sizes, loss, score, metrics, artifact, outputs: at = 'last-step' } = generated;
  return {
    facts: {
      ...facts,
      batchSize,
      tokensPerStep: batchSize * facts.seqLen,
      notes: [
        `Sequences of ${plural(facts.seqLen, 'step')}, drawn anew for every training step; ${plural(count * batchSize, 'fixed one')} for validation.`,
      ],
    },
    sizes,
    outputs: at,
    stream: false,
    trainingBatch: step => generated.make(batchSize, seed, 'data/training', step),
    epochOf: () => 0,
    validationBatches: count,
    validation: () => held('data/validation'),
    test: () => held('data/test'),
    loss,
    score,
    metrics,
    *sample(model) {
      const batch = generated.make(SHOWN_PAIRS, seed, 'data/validation', 0);
      const outputs = answersOf(model, batch, at);
      const rows = Array.from({ length: SHOWN_PAIRS }, (_, row) => ({
        ...generated.describe(batch, row),
        prediction: generated.answer(outputs, row, SHOWN_PAIRS),
      }));
      return { type: 'pairs', rows };
    },
    artifact,
  };
}

const length = z.int().min(1).max(10_000_000);

/** `task.json` of a task that has its length alone. */
export function lengthArtifact<T extends string>(task: T) {
  return z.object({ task: z.literal(task), length });
}
