// What the benchmark trains on: normal numbers in, a random class to say at every step; a few batches, made before.
import { softmaxCrossEntropy } from '../engine/losses.ts';
import { randomStream } from '../random.ts';
import type { Batch, Task } from '../tasks/task.ts';
import { type BenchShape, benchSizes } from './models.ts';

/** Batches that take turns: few enough to be made at once. */
const BATCHES = 2;

export function benchTask(shape: BenchShape, seed: number): Task {
  const { seqLen, batch, outputs } = shape;
  const batches = Array.from({ length: BATCHES }, (_, index) => benchBatch(shape, seed, index));
  return {
    facts: {
      name: 'bench',
      lossUnit: 'nats',
      baseline: { loss: Math.log(outputs), name: 'all classes alike' },
      seqLen,
      batchSize: batch,
      tokensPerStep: seqLen * batch,
      notes: ['Random numbers and random classes, for the benchmark.'],
    },
    sizes: benchSizes(shape),
    outputs: 'every-step',
    stream: false,
    trainingBatch: step => batches[step % BATCHES]!,
    epochOf: () => 0,
    validationBatches: 0,
    validation: () => [],
    test: () => [],
    loss: (outputs, targets, weights) => softmaxCrossEntropy(outputs, targets as Int32Array, weights),
    score() {},
    metrics: () => ({}),
    *sample() {
      yield;
      return null;
    },
    artifact: () => ({ task: 'bench' }),
  };
}

function benchBatch({ inputSize, seqLen, batch, outputs }: BenchShape, seed: number, index: number): Batch {
  const random = randomStream(seed, 'bench', index);
  const rows = seqLen * batch;
  return {
    seqLen,
    batch,
    input: Float32Array.from({ length: rows * inputSize }, () => random.normal()),
    targets: Int32Array.from({ length: rows }, () => random.int(outputs)),
    lengths: null,
    continues: false,
  };
}
