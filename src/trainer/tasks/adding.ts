// The adding problem: two of T random numbers are marked, the answer is their sum. Hochreiter & Schmidhuber 1997,
// https://doi.org/10.1162/neco.1997.9.8.1735; numbers from [0, 1], one marked in each half. Always saying 1 has a
// mean squared error of 1/6.
import { knownSizes } from '../../experiment/models.ts';
import type { Experiment } from '../../experiment/schema.ts';
import type { DataOf } from '../../experiment/tasks/index.ts';
import { randomStream } from '../random.ts';
import { generatedTask, lengthArtifact } from './generated.ts';
import type { TaskModule } from './module.ts';
import type { Batch, Task } from './task.ts';
import { scoreValues, valueLoss } from './values.ts';

export function addingTask(experiment: Experiment, data: DataOf<'adding'>): Task {
  const { length } = data;
  return generatedTask(experiment, data, {
    facts: {
      name: 'adding',
      lossUnit: 'mse',
      baseline: { loss: 1 / 6, name: 'always answering 1' },
      seqLen: length,
    },
    sizes: { input: { kind: 'vectors', features: 2 }, outputs: 1 },
    make: (batch, seed, purpose, index, part) => addingBatch(part.length, batch, seed, purpose, index),
    loss: valueLoss,
    score(outputs, batch, score) {
      scoreValues(outputs, batch, score);
      const answers = outputs.dataSync();
      for (let i = 0; i < answers.length; i++)
        if (Math.abs(answers[i]! - batch.targets[i]!) < 0.04)
          score.sums['right'] = (score.sums['right'] ?? 0) + 1;
    },
    metrics: score => ({ accuracy: (score.sums['right'] ?? 0) / score.count }),
    artifact: () => ({ task: 'adding', length }),
    describe(batch, row) {
      const marked: string[] = [];
      for (let t = 0; t < batch.seqLen; t++) {
        const at = (t * batch.batch + row) * 2;
        if (batch.input[at + 1] === 1) marked.push(`${batch.input[at]!.toFixed(3)} at t = ${t + 1}`);
      }
      return { input: marked.join(', '), truth: batch.targets[row]!.toFixed(3) };
    },
    answer: (outputs, row) => outputs[row]!.toFixed(3),
  });
}

/** input (T, B, 2): number and mark */
export function addingBatch(
  length: number,
  batch: number,
  seed: number,
  purpose: string,
  index: number,
): Batch {
  const random = randomStream(seed, purpose, index);
  const input = new Float32Array(length * batch * 2);
  const targets = new Float32Array(batch);
  const half = length >> 1;
  for (let row = 0; row < batch; row++) {
    for (let t = 0; t < length; t++) input[(t * batch + row) * 2] = random.uniform();
    for (const t of [random.int(half), half + random.int(length - half)]) {
      input[(t * batch + row) * 2 + 1] = 1;
      targets[row]! += input[(t * batch + row) * 2]!;
    }
  }
  return { seqLen: length, batch, input, targets, lengths: null, continues: false };
}

export const adding: TaskModule<'adding', ReturnType<typeof lengthArtifact<'adding'>>> = {
  artifact: lengthArtifact('adding'),
  open: addingTask,
  sizes: (_, experiment) => knownSizes(experiment),
};
