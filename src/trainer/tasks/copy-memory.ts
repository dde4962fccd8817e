// Copy memory: M. Arjovsky, A. Shah, Y. Bengio, 2016, https://arxiv.org/abs/1511.06464, section 5.1, after Hochreiter &
// Schmidhuber 1997. A sequence of T + 2·n steps: n symbols of eight, T - 1 blanks, a signal, n blanks. Wanted are blanks,
// and in the last n steps the symbols in their order. Loss: cross-entropy in nats at every step; who remembers nothing
// says blanks and then guesses: n·ln 8 / (T + 2·n).

import { knownSizes } from '../../experiment/models.ts';
import type { Experiment } from '../../experiment/schema.ts';
import { ALPHABET } from '../../experiment/tasks/copy-memory.ts';
import type { DataOf } from '../../experiment/tasks/index.ts';
import { plural } from '../../experiment/words.ts';
import { softmaxCrossEntropy } from '../engine/losses.ts';
import { randomStream } from '../random.ts';
import { generatedTask, lengthArtifact } from './generated.ts';
import type { TaskModule } from './module.ts';
import type { Batch, Task } from './task.ts';
import { best } from './values.ts';

const BLANK = ALPHABET;
const SIGNAL = ALPHABET + 1;
const CLASSES = ALPHABET + 1;

export function copyMemoryTask(experiment: Experiment, data: DataOf<'copy-memory'>): Task {
  const { length, items } = data;
  const seqLen = length + 2 * items;
  const answerOf = (logits: ArrayLike<number>, batch: Batch, row: number, item: number) =>
    best(logits, (batch.seqLen - items + item) * batch.batch + row, CLASSES);
  const spelled = (symbols: number[]) =>
    symbols.map(symbol => (symbol < BLANK ? 'abcdefgh'[symbol] : '_')).join('');
  return generatedTask(experiment, data, {
    facts: {
      name: 'copy-memory',
      lossUnit: 'nats',
      baseline: { loss: (items * Math.log(ALPHABET)) / seqLen, name: 'remembering nothing' },
      seqLen,
    },
    sizes: { input: { kind: 'tokens', vocabulary: ALPHABET + 2 }, outputs: CLASSES },
    outputs: 'every-step',
    make: (batch, seed, purpose, index, part) =>
      copyMemoryBatch({ length: part.length, items }, batch, seed, purpose, index),
    loss: (outputs, targets, weights, smoothing) =>
      softmaxCrossEntropy(outputs, targets as Int32Array, weights, smoothing),
    score(outputs, batch, score) {
      const targets = batch.targets as Int32Array;
      score.lossSum += softmaxCrossEntropy(outputs, targets, null).dataSync()[0]! * targets.length;
      score.count += targets.length;
      const logits = outputs.dataSync();
      for (let row = 0; row < batch.batch; row++)
        for (let item = 0; item < items; item++) {
          const isRight = answerOf(logits, batch, row, item) === batch.input[item * batch.batch + row];
          score.sums['right'] = (score.sums['right'] ?? 0) + (isRight ? 1 : 0);
          score.sums['items'] = (score.sums['items'] ?? 0) + 1;
        }
    },
    metrics: ({ sums }) => ({ accuracy: sums['right']! / sums['items']! }),
    artifact: () => ({ task: 'copy-memory', length }),
    describe(batch, row) {
      const symbols = Array.from({ length: items }, (_, item) => batch.input[item * batch.batch + row]!);
      return { input: `${spelled(symbols)}, ${plural(length, 'blank')}`, truth: spelled(symbols) };
    },
    answer: (outputs, row, batch) =>
      spelled(Array.from({ length: items }, (_, item) => answerOf(outputs, batch, row, item))),
  });
}

/** input and targets (T + 2·items, B) */
export function copyMemoryBatch(
  { length, items }: { length: number; items: number },
  batch: number,
  seed: number,
  purpose: string,
  index: number,
): Batch {
  const random = randomStream(seed, purpose, index);
  const seqLen = length + 2 * items;
  const input = new Int32Array(seqLen * batch).fill(BLANK);
  const targets = new Int32Array(seqLen * batch).fill(BLANK);
  for (let row = 0; row < batch; row++) {
    for (let item = 0; item < items; item++) {
      const symbol = random.int(ALPHABET);
      input[item * batch + row] = symbol;
      targets[(seqLen - items + item) * batch + row] = symbol;
    }
    input[(seqLen - items - 1) * batch + row] = SIGNAL;
  }
  return { seqLen, batch, input, targets, lengths: null, continues: false };
}

export const copyMemory: TaskModule<'copy-memory', ReturnType<typeof lengthArtifact<'copy-memory'>>> = {
  artifact: lengthArtifact('copy-memory'),
  open: copyMemoryTask,
  sizes: (_, experiment) => knownSizes(experiment),
};
