// Tasks whose data are drawn: every training batch is new, validation and test batches are always the same.
import type { Tensor3D } from '@tensorflow/tfjs-core';
import * as z from 'zod';
import type { Experiment } from '../../experiment/schema.ts';
import { plural } from '../../experiment/words.ts';
import type { TaskFacts } from '../../runs/format.ts';
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
  /** a pure function: equal arguments, equal batch; `part`: of the test, where its length is chosen apart */
  make(batch: number, seed: number, purpose: string, index: number, part: Part): Batch;
  /** such as "Sequences of 20 steps"; `seqLen` is of the longest */
  sequences?(part: Part): string;
  loss: Task['loss'];
  answers?: Task['answers'];
  score(outputs: Tensor3D, batch: Batch, score: Score): void;
  metrics(score: Score): Record<string, number>;
  artifact(): Artifact;
  /** one sequence in words */
  describe(batch: Batch, row: number): { input: string; truth: string };
  answer(outputs: Float32Array, row: number, batch: Batch): string;
}

/** What the length of a batch's sequences is drawn from. */
export interface Part {
  length: number;
  /** only longer ones than this, where lengths are drawn; 0: all */
  above: number;
}

interface Lengths {
  length: number;
  testLength?: number | undefined;
}

/** `lengths`: the fields of the task */
export function generatedTask(
  experiment: Experiment,
  { length, testLength = length }: Lengths,
  generated: Generated,
): Task {
  const { batchSize, seed, validation } = experiment.training;
  const count = Math.min(validation.maxBatches, Math.ceil(VALIDATION_SEQUENCES / batchSize));
  const part: Part = { length, above: 0 };
  const tested: Part = { length: testLength, above: testLength > length ? length : 0 };
  const held = function* (purpose: string, from: Part) {
    for (let index = 0; index < count; index++) yield generated.make(batchSize, seed, purpose, index, from);
  };
  const { facts, sizes, loss, score, metrics, artifact, outputs: at = 'last-step' } = generated;
  const stepsOf = (steps: number) => `Sequences of ${plural(steps, 'step')}`;
  const { sequences = ({ length: own }: Part) => stepsOf(facts.seqLen + own - length) } = generated;
  return {
    facts: {
      ...facts,
      batchSize,
      tokensPerStep: batchSize * facts.seqLen,
      notes: [
        `${sequences(part)}, drawn anew for every training step; ${plural(count * batchSize, 'fixed one')} for validation.`,
        ...(testLength === length ? [] : [`Test: ${lowered(sequences(tested))}, with the best weights.`]),
      ],
    },
    sizes,
    outputs: at,
    stream: false,
    trainingBatch: step => generated.make(batchSize, seed, 'data/training', step, part),
    epochOf: () => 0,
    validationBatches: count,
    validation: () => held('data/validation', part),
    test: () => held('data/test', tested),
    loss,
    answers: generated.answers,
    score,
    metrics,
    *sample(model) {
      const batch = generated.make(SHOWN_PAIRS, seed, 'data/validation', 0, part);
      const outputs = answersOf(model, batch, at);
      const rows = Array.from({ length: SHOWN_PAIRS }, (_, row) => ({
        ...generated.describe(batch, row),
        prediction: generated.answer(outputs, row, batch),
      }));
      return { type: 'pairs', rows };
    },
    artifact,
  };
}

function lowered(text: string): string {
  return text[0]!.toLowerCase() + text.slice(1);
}

const length = z.int().min(1).max(10_000_000);

/** `task.json` of a task that has its length alone. */
export function lengthArtifact<T extends string>(task: T) {
  return z.object({ task: z.literal(task), length });
}
