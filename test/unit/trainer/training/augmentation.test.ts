// Variations of training sequences: what they do to them, seeded, never on validation, and refused where targets suffer.
import assert from 'node:assert/strict';
import { type Augmentation, augmentationSchema } from '../../../../src/experiment/augmentation.ts';
import { checkExperiment } from '../../../../src/experiment/check.ts';
import { experimentSchema } from '../../../../src/experiment/schema.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import type { Batch } from '../../../../src/trainer/layers/batch.ts';
import { openTask } from '../../../../src/trainer/tasks/index.ts';
import { augmented, shownAugmentation } from '../../../../src/trainer/training/augmentation.ts';
import { Trainer } from '../../../../src/trainer/training/trainer.ts';
import { bitsOf, eventsOf, makeRun, tinyExperiment, train, trainNew, useWorkspace } from './runs.ts';

const AT = { seed: 1, step: 3, shifts: true };

/** Numbers that tell where they come from: 100 · sequence + step. */
function batchOf(steps: number, batch: number, lengths: number[] | null = null): Batch {
  const input = Float32Array.from(
    { length: steps * batch },
    (_, i) => 100 * (i % batch) + Math.floor(i / batch),
  );
  const targets = new Int32Array(batch);
  return {
    seqLen: steps,
    batch,
    input,
    targets,
    lengths: lengths && Int32Array.from(lengths),
    continues: false,
  };
}

const tokensOf = (batch: Batch): Batch => ({ ...batch, input: Int32Array.from(batch.input) });

const varied = (batch: Batch, augmentation: Partial<Augmentation>, at = AT) =>
  augmented(batch, augmentationSchema.parse(augmentation), at);

function rowOf({ seqLen, batch, input, lengths }: Batch, row: number): number[] {
  return Array.from({ length: lengths?.[row] ?? seqLen }, (_, t) => input[t * batch + row]!);
}

describe('augmentation', () => {
  it('changes nothing where all is 0', () => {
    const batch = batchOf(9, 3, [9, 4, 1]);
    const same = varied(batch, {});
    assert.deepEqual(same.lengths, batch.lengths);
    for (let row = 0; row < 3; row++) assert.deepEqual(rowOf(same, row), rowOf(batch, row));
  });

  it('is the same for the same seed and step, and another for others', () => {
    const batch = batchOf(30, 4);
    const spec = { jitter: 0.1, crop: 0.3, scaling: 0.1, timeWarp: 0.3 };
    assert.deepEqual(varied(batch, spec), varied(batch, spec));
    assert.notDeepEqual(varied(batch, spec), varied(batch, spec, { ...AT, step: 4 }));
    assert.notDeepEqual(varied(batch, spec), varied(batch, spec, { ...AT, seed: 2 }));
  });

  it('jitter adds noise of its deviation, scaling one factor to each feature of a sequence', () => {
    const batch = batchOf(500, 8);
    const noise = Array.from(varied(batch, { jitter: 0.5 }).input, (value, i) => value - batch.input[i]!);
    const mean = noise.reduce((a, b) => a + b, 0) / noise.length;
    const deviation = Math.sqrt(noise.reduce((sum, one) => sum + (one - mean) ** 2, 0) / noise.length);
    assert.ok(Math.abs(mean) < 0.03 && Math.abs(deviation - 0.5) < 0.03, `${mean} ± ${deviation}`);
    const scaled = varied(batch, { scaling: 0.2 });
    const factors = Array.from({ length: 8 }, (_, row) => {
      const values = rowOf(scaled, row).map((value, t) => value / (100 * row + t));
      for (const factor of values.slice(1)) assert.ok(Math.abs(factor - values[1]!) < 1e-5);
      return values[1]!;
    });
    assert.equal(new Set(factors).size, 8);
  });

  it('time warp keeps both ends and the order, at speeds within its share', () => {
    const batch = batchOf(60, 5, [60, 60, 40, 3, 2]);
    const warped = varied(batch, { timeWarp: 0.5 });
    assert.deepEqual(warped.lengths, batch.lengths);
    for (let row = 0; row < 5; row++) {
      const [before, after] = [rowOf(batch, row), rowOf(warped, row)];
      assert.equal(after[0], before[0]);
      assert.ok(Math.abs(after.at(-1)! - before.at(-1)!) < 1e-3);
      for (let t = 1; t < after.length; t++) {
        const speed = after[t]! - after[t - 1]!;
        assert.ok(speed > 0.5 / 1.5 - 1e-3 && speed < 1.5 / 0.5 + 1e-3, `${speed}`);
      }
    }
    assert.notDeepEqual(rowOf(warped, 0), rowOf(batch, 0));
  });

  it('crop keeps a stretch of each sequence, at most its share gone at each end', () => {
    const batch = batchOf(
      40,
      16,
      Array.from({ length: 16 }, (_, row) => 40 - 2 * row),
    );
    const cropped = varied(batch, { crop: 0.25 });
    let cut = 0;
    for (let row = 0; row < 16; row++) {
      const [before, after] = [rowOf(batch, row), rowOf(cropped, row)];
      const first = before.indexOf(after[0]!);
      assert.deepEqual(after, before.slice(first, first + after.length));
      assert.ok(first <= before.length / 4 && after.length >= before.length / 2);
      cut += before.length - after.length;
    }
    assert.ok(cut > 0);
    assert.equal(cropped.seqLen, Math.max(...cropped.lengths!));
  });

  it('tokens are left out, or stood in for where each step has a target, and swapped with the next', () => {
    const batch = tokensOf(batchOf(200, 3));
    const dropped = varied(batch, { tokenDrop: 0.2 });
    for (let row = 0; row < 3; row++) {
      const [before, after] = [rowOf(batch, row), rowOf(dropped, row)];
      assert.deepEqual(
        after,
        before.filter(token => after.includes(token)),
      );
      assert.ok(after.length > 130 && after.length < 185, `${after.length} of 200`);
    }
    const replaced = varied(batch, { tokenDrop: 0.2 }, { ...AT, shifts: false });
    assert.equal(replaced.lengths, null);
    for (let row = 0; row < 3; row++) {
      const [before, after] = [rowOf(batch, row), rowOf(replaced, row)];
      const changed = after.filter((token, t) => token !== before[t]).length;
      assert.ok(changed > 15 && changed < 70, `${changed} of 200`);
      for (const token of after) assert.ok(before.includes(token));
    }
    const swapped = varied(batch, { tokenSwap: 0.3 }, { ...AT, shifts: false });
    for (let row = 0; row < 3; row++) {
      const [before, after] = [rowOf(batch, row), rowOf(swapped, row)];
      assert.deepEqual(
        [...after].sort((a, b) => a - b),
        before,
      );
      assert.notDeepEqual(after, before);
      for (const [t, token] of after.entries()) assert.ok(Math.abs(token - before[t]!) <= 1);
    }
  });

  it('varies the source alone where there is one', () => {
    const { targets: _, ...rest } = batchOf(4, 2);
    const source = { ...tokensOf(batchOf(30, 2)), continues: undefined };
    const batch: Batch = { ...rest, targets: new Int32Array(8), source };
    const after = varied(batch, { tokenDrop: 0.3 });
    assert.deepEqual(after.input, batch.input);
    assert.ok(after.source!.lengths!.some(length => length < 30));
  });

  it('is shown before and after', () => {
    const batch = tokensOf(batchOf(3, 1));
    const after = varied(batch, { tokenSwap: 0.999 });
    assert.deepEqual(shownAugmentation(batch, after, ['a', 'b', 'c']), [{ before: 'abc', after: 'bac' }]);
    assert.deepEqual(shownAugmentation(batch, batch, null), [{ before: '0 1 2', after: '0 1 2' }]);
  });

  const messagesOf = (data: object, augmentation: object, training: object = {}) => {
    const layers = [{ type: 'lstm', units: 2 }, { type: 'dense' }];
    const input = { data, model: { layers }, training: { augmentation, ...training } };
    return checkExperiment(experimentSchema.parse(input), input, 1e12).map(({ message }) => message);
  };

  it('is refused where targets would be wrong', () => {
    assert.deepEqual(messagesOf({ task: 'adding' }, { jitter: 0.1 }), []);
    assert.deepEqual(messagesOf({ task: 'adding' }, { scaling: 0.1 }), [
      '`scaling` changes what the target is computed from; leave it out for "adding".',
    ]);
    assert.deepEqual(messagesOf({ task: 'adding' }, { tokenDrop: 0.1 }), [
      '`tokenDrop` varies symbols, but this task reads numbers; leave it out for "adding".',
    ]);
    assert.deepEqual(messagesOf({ task: 'copy-memory' }, { crop: 0.1 }), [
      '`crop` moves steps away from their targets; leave it out for "copy-memory".',
    ]);
    assert.deepEqual(messagesOf({ task: 'copy-memory' }, { jitter: 0.1 }), [
      '`jitter` varies numbers, but this task reads symbols; leave it out for "copy-memory".',
    ]);
    assert.deepEqual(messagesOf({ task: 'temporal-order' }, { tokenSwap: 0.1, crop: 0.1 }), []);
    assert.equal(messagesOf({ task: 'temporal-order' }, { crop: 0.1 }, { bptt: { window: 5 } }).length, 1);
  });
});

describe('a run with augmentation', () => {
  useWorkspace();
  before(() => startEngine('reference', null));
  const augmentation = { tokenDrop: 0.2, tokenSwap: 0.2 };

  it('varies what training reads and not what validation reads', async () => {
    const made = async (training: object) => {
      const layers = [{ type: 'lstm', units: 3 }, { type: 'dense' }];
      const data = { task: 'temporal-order', length: 12 };
      const experiment = experimentSchema.parse({ data, model: { layers }, training });
      return new Trainer(experiment, await openTask(experiment, {} as never, null));
    };
    const [plain, changed] = [await made({}), await made({ augmentation })];
    assert.deepEqual([...changed.task.validation()], [...plain.task.validation()]);
    assert.deepEqual(changed.task.trainingBatch(1), plain.task.trainingBatch(1));
    const read: Batch[] = [];
    plain.advance({ begin: batch => read.push(batch) });
    changed.advance({ begin: batch => read.push(batch) });
    assert.notDeepEqual(read[0], read[1]);
    for (const trainer of [plain, changed]) trainer.dispose();
  });

  it('goes on to the byte after a stop, and shows sequences before and after', async () => {
    const spec = tinyExperiment({ augmentation, steps: 60 });
    const straight = await trainNew(spec);
    const folder = makeRun(spec);
    const controller = new AbortController();
    await train(folder, {
      onEvent: (_, event) => event.kind === 'scalars' && event.step === 5 && controller.abort(),
      signal: controller.signal,
    });
    assert.equal((await train(folder)).reason, 'finished');
    assert.equal(bitsOf(folder), bitsOf(straight.folder));
    assert.notEqual(bitsOf(folder), bitsOf((await trainNew(tinyExperiment({ steps: 60 }))).folder));
    const shown = eventsOf(folder).flatMap(event =>
      event.kind === 'sample' && event.sample.type === 'augmented' ? event.sample.rows : [],
    );
    assert.ok(shown.length > 0 && shown.some(({ before, after }) => before !== after));
    // characters, not their numbers
    for (const { before } of shown) assert.match(before, /^[a-z .\n]+$/);
  });
});
