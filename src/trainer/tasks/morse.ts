// Morse code, drawn: letters of one length of dot a sequence, with noise. A dash is three dots long, as is the pause
// between letters; within a letter the key is up for one dot (ITU-R M.1677-1). Loss: CTC, in nats a letter.
import { knownSizes } from '../../experiment/models.ts';
import type { Experiment } from '../../experiment/schema.ts';
import type { DataOf } from '../../experiment/tasks/index.ts';
import { CODE, DOT, morse as kind } from '../../experiment/tasks/morse.ts';
import { plural } from '../../experiment/words.ts';
import { randomStream } from '../random.ts';
import { collapsed, greedyPath, logSharesOf } from './alignments.ts';
import { generatedTask, lengthArtifact } from './generated.ts';
import type { TaskModule } from './module.ts';
import type { Batch, Task } from './task.ts';
import {
  baselineOf,
  labelCount,
  labelsIn,
  scoreUnaligned,
  targetsOf,
  unalignedFigures,
  unalignedLoss,
} from './unaligned.ts';

const LETTERS = Object.keys(CODE);
const CLASSES = LETTERS.length + 1;
const BASELINE_BATCH = 32;

export function morseTask(experiment: Experiment, data: DataOf<'morse'>): Task {
  const spelled = (labels: readonly number[]) => labels.map(label => LETTERS[label - 1]).join('');
  return generatedTask(experiment, data, {
    facts: {
      name: 'morse',
      lossUnit: 'nats/label',
      baseline: { loss: baseline(data), name: 'label frequencies alone' },
      seqLen: kind.steps(data, experiment.training),
    },
    sizes: kind.sizes(data)!,
    outputs: 'every-step',
    make: (batch, seed, purpose, index, { length }) =>
      morseBatch({ ...data, length }, batch, seed, purpose, index),
    sequences: ({ length }) => `Sequences of ${plural(length, 'letter')}`,
    loss: unalignedLoss,
    answers: labelCount,
    score: (outputs, batch, score) => scoreUnaligned(outputs, batch, score, null),
    metrics: unalignedFigures,
    artifact: () => ({ task: 'morse', length: data.length }),
    describe(batch, row) {
      const labels = labelsIn(batch.targets, batch.batch, row);
      return {
        input: labels.map(label => CODE[LETTERS[label - 1]!]).join(' '),
        truth: spelled(labels),
      };
    },
    answer(outputs, row, { batch, lengths }) {
      const shares = logSharesOf(outputs, { steps: lengths![row]!, batch, row, classes: CLASSES });
      return spelled(collapsed(greedyPath(shares)));
    },
  });
}

/** Of sequences that every experiment with these data has. */
function baseline(data: DataOf<'morse'>): number {
  const batch = morseBatch(data, BASELINE_BATCH, 0, 'data/baseline', 0);
  const each = Array.from({ length: BASELINE_BATCH }, (_, row) => ({
    labels: labelsIn(batch.targets, BASELINE_BATCH, row),
    steps: batch.lengths![row]!,
  }));
  return baselineOf(each, each, CLASSES);
}

/** input (T, B, 1): 1 where the key is down, and noise; targets as the unaligned tasks have them */
export function morseBatch(
  { length, noise }: Pick<DataOf<'morse'>, 'length' | 'noise'>,
  batch: number,
  seed: number,
  purpose: string,
  index: number,
): Batch {
  const random = randomStream(seed, purpose, index);
  const sequences = Array.from({ length: batch }, () => {
    const dot = DOT.least + random.int(DOT.most - DOT.least + 1);
    const labels = Array.from({ length }, () => 1 + random.int(LETTERS.length));
    const key = labels.flatMap(label => pressed(CODE[LETTERS[label - 1]!]!));
    return { labels, key: key.flatMap(down => Array<number>(dot).fill(down)) };
  });
  const seqLen = sequences.reduce((most, { key }) => Math.max(most, key.length), 0);
  const input = new Float32Array(seqLen * batch);
  sequences.forEach(({ key }, row) => {
    key.forEach((down, t) => {
      input[t * batch + row] = down + noise * random.normal();
    });
  });
  const targets = targetsOf(
    sequences.map(({ labels }) => labels),
    seqLen,
  );
  const lengths = Int32Array.from(sequences, ({ key }) => key.length);
  return { seqLen, batch, input, targets, lengths, continues: false };
}

/** A letter, in dots: 1 where the key is down; the pause behind it too. */
function pressed(code: string): number[] {
  const signs = [...code].flatMap(sign => (sign === '.' ? [1, 0] : [1, 1, 1, 0]));
  return [...signs, 0, 0];
}

export const morse: TaskModule<'morse', ReturnType<typeof lengthArtifact<'morse'>>> = {
  artifact: lengthArtifact('morse'),
  open: morseTask,
  sizes: (_, experiment) => knownSizes(experiment),
};
