// The temporal order problem: in which order did two marked symbols come? Hochreiter & Schmidhuber 1997, experiment
// 6a, https://doi.org/10.1162/neco.1997.9.8.1735, with the places scaled to the length as in Pascanu et al. 2013,
// https://arxiv.org/abs/1211.5063: X or Y at T/10…2T/10 and again at 5T/10…6T/10, one of four distractors elsewhere.
import { knownSizes } from '../../experiment/models.ts';
import type { Experiment } from '../../experiment/schema.ts';
import { softmaxCrossEntropy } from '../engine/losses.ts';
import { randomStream } from '../random.ts';
import { generatedTask, lengthArtifact } from './generated.ts';
import type { TaskModule } from './module.ts';
import type { Batch, Task } from './task.ts';
import { best } from './values.ts';

const SYMBOLS = 6;
const DISTRACTORS = 4;
const CLASSES = ['X X', 'X Y', 'Y X', 'Y Y'];

export function temporalOrderTask(experiment: Experiment, length: number): Task {
  return generatedTask(experiment, {
    facts: {
      name: 'temporal-order',
      lossUnit: 'nats',
      baseline: { loss: Math.log(4), name: 'guessing one of four' },
      seqLen: length,
    },
    sizes: { input: { kind: 'tokens', vocabulary: SYMBOLS }, outputs: CLASSES.length },
    make: (batch, seed, purpose, index) => temporalOrderBatch(length, batch, seed, purpose, index),
    loss: (outputs, targets, weights) => softmaxCrossEntropy(outputs, targets as Int32Array, weights),
    score(outputs, batch, score) {
      const loss = softmaxCrossEntropy(outputs, batch.targets as Int32Array, null);
      score.lossSum += loss.dataSync()[0]! * batch.batch;
      score.count += batch.batch;
      const logits = outputs.dataSync() as Float32Array;
      for (let row = 0; row < batch.batch; row++)
        if (best(logits, row, CLASSES.length) === batch.targets[row])
          score.sums['right'] = (score.sums['right'] ?? 0) + 1;
    },
    metrics: score => ({ accuracy: (score.sums['right'] ?? 0) / score.count }),
    artifact: () => ({ task: 'temporal-order', length }),
    describe(batch, row) {
      const marks: string[] = [];
      for (let t = 0; t < length; t++) {
        const symbol = batch.input[t * batch.batch + row]!;
        if (symbol < 2) marks.push(`${'XY'[symbol]} at t = ${t + 1}`);
      }
      return { input: marks.join(', '), truth: CLASSES[batch.targets[row]!]! };
    },
    answer: (outputs, row) => CLASSES[best(outputs, row, CLASSES.length)]!,
  });
}

/** input (T, B): 0 X, 1 Y, then the distractors a, b, c, d */
export function temporalOrderBatch(
  length: number,
  batch: number,
  seed: number,
  purpose: string,
  index: number,
): Batch {
  const random = randomStream(seed, purpose, index);
  const input = new Int32Array(length * batch);
  const targets = new Int32Array(batch);
  const tenth = length / 10;
  for (let row = 0; row < batch; row++) {
    const symbols = Array.from({ length }, () => 2 + random.int(DISTRACTORS));
    for (const from of [1, 5]) {
      const first = Math.floor(from * tenth);
      const t = first + random.int(Math.max(1, Math.floor((from + 1) * tenth) - first));
      symbols[t] = random.int(2);
      targets[row] = targets[row]! * 2 + symbols[t]!;
    }
    symbols.forEach((symbol, t) => {
      input[t * batch + row] = symbol;
    });
  }
  return { seqLen: length, batch, input, targets, lengths: null, continues: false };
}

export const temporalOrder: TaskModule<
  'temporal-order',
  ReturnType<typeof lengthArtifact<'temporal-order'>>
> = {
  artifact: lengthArtifact('temporal-order'),
  open: (experiment, { length }) => temporalOrderTask(experiment, length),
  sizes: (_, experiment) => knownSizes(experiment),
};
