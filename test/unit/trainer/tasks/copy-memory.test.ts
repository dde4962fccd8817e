// Copy memory: what is asked, what is wanted, and the loss of remembering nothing.
import assert from 'node:assert/strict';
import { tensor3d } from '@tensorflow/tfjs-core';
import { experimentSchema } from '../../../../src/experiment/schema.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { copyMemoryBatch, copyMemoryTask } from '../../../../src/trainer/tasks/copy-memory.ts';
import { emptyScore } from '../../../../src/trainer/tasks/task.ts';

const [length, items] = [12, 3];
const experiment = experimentSchema.parse({
  data: { task: 'copy-memory', length, items },
  model: { layers: [{ type: 'gru', units: 4 }, { type: 'dense' }] },
  training: { batchSize: 5 },
});

describe('copy-memory', () => {
  before(() => startEngine('reference', null));

  it('asks for the first symbols in the last steps, after a signal', () => {
    const { seqLen, input, targets, batch } = copyMemoryBatch({ length, items }, 5, 1, 'test', 0);
    assert.equal(seqLen, length + 2 * items);
    for (let row = 0; row < batch; row++) {
      const read = Array.from({ length: seqLen }, (_, t) => input[t * batch + row]!);
      const wanted = Array.from({ length: seqLen }, (_, t) => targets[t * batch + row]!);
      const symbols = read.slice(0, items);
      assert.ok(symbols.every(symbol => symbol < 8));
      const blanks = (count: number) => Array.from({ length: count }, () => 8);
      assert.deepEqual(read.slice(items), [...blanks(length - 1), 9, ...blanks(items)]);
      assert.deepEqual(wanted, [...blanks(length + items), ...symbols]);
    }
    assert.notDeepEqual(copyMemoryBatch({ length, items }, 5, 1, 'test', 1).input, input);
  });

  it('scores who says blanks and then guesses as its baseline says', () => {
    const data = { task: 'copy-memory', length, items } as const;
    const task = copyMemoryTask(experiment, data);
    const batch = task.trainingBatch(1);
    const { seqLen } = batch;
    // certain of a blank before, all symbols alike in the last steps
    const logits = Float32Array.from({ length: seqLen * 5 * 9 }, (_, index) => {
      const [t, symbol] = [Math.floor(index / 45), index % 9];
      return t < seqLen - items === (symbol === 8) ? 60 : -60;
    });
    const score = emptyScore();
    task.score(tensor3d(logits, [seqLen, 5, 9]), batch, score);
    assert.ok(Math.abs(score.lossSum / score.count - task.facts.baseline!.loss) < 1e-6);
    assert.ok(Math.abs(task.facts.baseline!.loss - (items * Math.log(8)) / seqLen) < 1e-12);
    const perfect = emptyScore();
    const known = Float32Array.from({ length: seqLen * 5 * 9 }, (_, index) =>
      batch.targets[Math.floor(index / 9)] === index % 9 ? 60 : -60,
    );
    task.score(tensor3d(known, [seqLen, 5, 9]), batch, perfect);
    assert.equal(task.metrics(perfect)['accuracy'], 1);
    assert.ok(task.metrics(score)['accuracy']! < 0.6);
  });
});
