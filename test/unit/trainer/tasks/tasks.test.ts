// What the tasks teach: batches, baselines, scores and scaling, against what their definitions say.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tensor3d } from '@tensorflow/tfjs-core';
import {
  type Experiment,
  type ExperimentInput,
  experimentSchema,
} from '../../../../src/experiment/schema.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { buildModel } from '../../../../src/trainer/layers/build.ts';
import { addingBatch } from '../../../../src/trainer/tasks/adding.ts';
import { levelsOf } from '../../../../src/trainer/tasks/forecast-artifact.ts';
import { openTask, type TaskArtifact } from '../../../../src/trainer/tasks/index.ts';
import { type Batch, emptyScore, type Task } from '../../../../src/trainer/tasks/task.ts';
import { textStream } from '../../../../src/trainer/tasks/text-stream.ts';
import { figuresOf, whole } from '../../../../src/trainer/training/validation.ts';

let folder = '';

const experimentOf = (
  data: ExperimentInput['data'],
  training: ExperimentInput['training'] = {},
): Experiment =>
  experimentSchema.parse({
    data,
    model: { layers: [{ type: 'gru', units: 3 }, { type: 'dense' }] },
    training: { batchSize: 4, ...training },
  });

async function open(
  data: ExperimentInput['data'],
  training: ExperimentInput['training'] = {},
): Promise<Task> {
  return openTask(experimentOf(data, training), { base: folder, workspace: folder, allowedPaths: [] });
}

/** The figures of answers that a perfect or a lazy model would give. */
function score(
  task: Task,
  answers: (batch: Batch) => number[],
  batches: Iterable<Batch> = task.validation(),
) {
  const sum = emptyScore();
  for (const batch of batches) {
    const outputs = tensor3d(answers(batch), [1, batch.batch, task.sizes.outputs]);
    task.score(outputs, batch, sum);
    outputs.dispose();
  }
  return figuresOf(task, sum);
}

describe('tasks', () => {
  before(() => startEngine('reference', null));
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'unroll-tasks-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  describe('adding', () => {
    it('marks one number in each half and asks for their sum', () => {
      for (const length of [2, 5, 20]) {
        const { input, targets, batch } = addingBatch(length, 50, 3, 'test', 7);
        for (let row = 0; row < batch; row++) {
          const at = (t: number) => (t * batch + row) * 2;
          const marked = Array.from({ length }, (_, t) => t).filter(t => input[at(t) + 1] === 1);
          assert.equal(marked.length, 2);
          assert.ok(marked[0]! < length >> 1 && marked[1]! >= length >> 1, String(marked));
          const sum = marked.reduce((total, t) => total + input[at(t)]!, 0);
          assert.ok(Math.abs(sum - targets[row]!) < 1e-6);
          for (let t = 0; t < length; t++) assert.ok(input[at(t)]! >= 0 && input[at(t)]! < 1);
        }
      }
    });

    it('has 1/6 for always saying 1, and 0 and full accuracy for the truth', async () => {
      const task = await open({ task: 'adding', length: 30 }, { batchSize: 64 });
      assert.equal(task.facts.baseline!.loss, 1 / 6);
      const lazy = score(task, batch => Array(batch.batch).fill(1));
      assert.ok(Math.abs(lazy['valLoss']! - 1 / 6) < 0.03, `${lazy['valLoss']}`);
      const perfect = score(task, batch => [...batch.targets]);
      assert.deepEqual(perfect, { valLoss: 0, accuracy: 1 });
    });

    it('draws a new batch for each step, always the same one for the same step, and none of validation', async () => {
      const [task, again] = [
        await open({ task: 'adding', length: 10 }),
        await open({ task: 'adding', length: 10 }),
      ];
      const other = await open({ task: 'adding', length: 10 }, { seed: 2 });
      assert.deepEqual(task.trainingBatch(5), again.trainingBatch(5));
      const seen = [
        task.trainingBatch(1),
        task.trainingBatch(2),
        other.trainingBatch(1),
        ...task.validation(),
        ...task.test(),
      ];
      const inputs = seen.map(batch => [...batch.input].slice(0, 8).join());
      assert.equal(new Set(inputs).size, inputs.length);
      assert.deepEqual([...task.validation()], [...again.validation()]);
    });
  });

  describe('char-lm', () => {
    const text = 'abcdefghijklmnopqrstuvwxyz'.repeat(8);

    it('cuts a text into rows side by side that go on from window to window', () => {
      const ids = Uint16Array.from({ length: 26 }, (_, i) => i);
      const stream = textStream(ids, 2, 4)!;
      assert.equal(stream.windows, 3);
      const [first, second] = [stream.window(0), stream.window(1)];
      assert.deepEqual([...first.input], [0, 12, 1, 13, 2, 14, 3, 15]);
      assert.deepEqual([...first.targets], [1, 13, 2, 14, 3, 15, 4, 16]);
      assert.deepEqual([...second.input], [4, 16, 5, 17, 6, 18, 7, 19]);
      assert.deepEqual([first.continues, second.continues], [false, true]);
      assert.equal(textStream(ids.subarray(0, 4), 2, 4), null);
      assert.equal(textStream(ids.subarray(0, 5), 2, 4)!.rows, 1);
    });

    it('starts a new pass, without carried state, when the text is read', async () => {
      writeFileSync(join(folder, 'a.txt'), text);
      const task = await open({ task: 'char-lm', path: 'a.txt' }, { seqLen: 8 });
      const windows = Math.floor(Math.floor((187 - 1) / 4) / 8);
      assert.deepEqual(task.trainingBatch(windows + 1), task.trainingBatch(1));
      assert.equal(task.trainingBatch(windows + 1).continues, false);
      assert.deepEqual(
        [1, windows, windows + 1].map(step => task.epochOf(step)),
        [0, 0, 1],
      );
    });

    it('has the entropy of the training part as its baseline', async () => {
      writeFileSync(join(folder, 'a.txt'), text);
      const task = await open({ task: 'char-lm', path: 'a.txt', split: [1, 0, 0] }, { seqLen: 8 });
      assert.ok(Math.abs(task.facts.baseline!.loss - Math.log(26)) < 1e-9);
      assert.deepEqual([...task.validation()], []);
      assert.equal(task.validationBatches, 0);
    });

    it('tells vocabulary and rare characters, with names for what cannot be seen', async () => {
      writeFileSync(join(folder, 'a.txt'), `${text}\n\t \u200D語`);
      const { facts } = await open({ task: 'char-lm', path: 'a.txt' }, { seqLen: 8 });
      assert.match(facts.notes[0]!, /^213 characters, 31 different: ⇥ ⏎ ␣ a b .* z U\+200D 語$/);
      assert.match(
        facts.notes[1]!,
        /^5 rare characters, seen fewer than 5 times: ⇥ 1×, ⏎ 1×, ␣ 1×, U\+200D 1×, 語 1×\./,
      );
    });

    it('gives bits and perplexity of its loss', async () => {
      writeFileSync(join(folder, 'a.txt'), text);
      const task = await open({ task: 'char-lm', path: 'a.txt' }, { seqLen: 8 });
      const figures = figuresOf(task, { lossSum: 20 * Math.log(8), count: 20, sums: {} });
      assert.ok(Math.abs(figures['bitsPerChar']! - 3) < 1e-9 && Math.abs(figures['perplexity']! - 8) < 1e-9);
    });

    it('writes text of the asked length, the same for the same step, another for another', async () => {
      writeFileSync(join(folder, 'a.txt'), text);
      const experiment = experimentOf(
        { task: 'char-lm', path: 'a.txt' },
        { seqLen: 8, sample: { length: 40, prompt: 'abcÖ' } },
      );
      const task = await openTask(experiment, { base: folder, workspace: folder, allowedPaths: [] });
      const model = buildModel(experiment, task.sizes, 1);
      const [first, again, other] = [3, 3, 4].map(step => whole(task.sample(model, step)));
      assert.ok(first?.type === 'text');
      assert.equal(first.prompt, 'abc');
      assert.equal(first.text.length, 40);
      assert.deepEqual(again, first);
      assert.notDeepEqual(other, first);
      model.dispose();
    });
  });

  describe('forecast', () => {
    const table = (values: number[], more: (row: number) => string = () => '') =>
      writeFileSync(
        join(folder, 'a.csv'),
        `t,y\n${values.map((y, row) => `${row},${y}${more(row)}`).join('\n')}\n`,
      );
    const data = (change: object = {}): ExperimentInput['data'] => ({
      task: 'forecast',
      path: 'a.csv',
      target: 'y',
      window: 3,
      split: [0.5, 0.25, 0.25],
      ...change,
    });
    const ramp = Array.from({ length: 40 }, (_, row) => row * row);

    it('scales by the training part alone', async () => {
      // what comes after the training part must not be felt
      const [small, large] = [ramp, ramp.map((y, row) => (row < 20 ? y : y * 1000))];
      table(small);
      const before = (await open(data())).artifact() as TaskArtifact;
      table(large);
      const after = (await open(data())).artifact();
      assert.deepEqual(after, before);
      const train = small.slice(0, 20);
      const mean = train.reduce((sum, y) => sum + y / 20, 0);
      const std = Math.sqrt(train.reduce((sum, y) => sum + (y - mean) ** 2 / 20, 0));
      assert.ok(before.task === 'forecast');
      assert.ok(Math.abs(before.scaling['y']!.mean - mean) < 1e-9);
      assert.ok(Math.abs(before.scaling['y']!.std - std) < 1e-9);
    });

    it('reads windows of the rows before, in every part, and trains on none of the later parts', async () => {
      table(ramp);
      const task = await open(data({ horizon: 2 }));
      const artifact = task.artifact() as TaskArtifact;
      assert.ok(artifact.task === 'forecast');
      const { mean, std } = artifact.scaling['y']!;
      const level = (scaled: number) => Math.round(scaled * std + mean) + 0;
      const windows = (batches: Iterable<Batch>) =>
        [...batches].flatMap(({ input, targets, batch }) =>
          Array.from({ length: batch }, (_, row) => [
            ...[0, 1, 2].map(t => level(input[t * batch + row]!)),
            ...[0, 1].map(k => level(targets[row * 2 + k]!)),
          ]),
        );
      const rows = (from: number, to: number) =>
        Array.from({ length: to - from }, (_, i) => [0, 1, 2, 3, 4].map(k => (from + i + k - 3) ** 2));
      assert.deepEqual(windows(task.validation()), rows(20, 29));
      assert.deepEqual(windows(task.test()), rows(30, 39));
      const perEpoch = 4;
      const epoch = (first: number) =>
        Array.from({ length: perEpoch }, (_, i) => task.trainingBatch(first + i));
      const [one, two] = [windows(epoch(1)), windows(epoch(1 + perEpoch))];
      const sorted = (list: number[][]) => [...list].sort((a, b) => a[0]! - b[0]!);
      assert.deepEqual(sorted(one), rows(3, 19), 'every window once an epoch');
      assert.deepEqual(sorted(two), rows(3, 19));
      assert.notDeepEqual(one, two, 'in another order');
      assert.equal(task.epochOf(perEpoch), 0);
      assert.equal(task.epochOf(perEpoch + 1), 1);
    });

    it('scores in the unit of the column against persistence', async () => {
      table(ramp);
      for (const difference of [0, 1, 2]) {
        const task = await open(data({ difference }));
        const perfect = score(task, batch => [...batch.targets]);
        assert.ok(perfect['rmse']! < 1e-3 && perfect['valLoss']! < 1e-10, `difference ${difference}`);
        const places = Array.from({ length: 10 }, (_, i) => 20 + i);
        const expected = Math.sqrt(places.reduce((sum, at) => sum + (at * at - (at - 1) ** 2) ** 2 / 10, 0));
        assert.ok(Math.abs(perfect['persistenceRmse']! - expected) < 1e-6, `difference ${difference}`);
        // the loss of persistence is what scoring persistence would give
        const artifact = task.artifact() as TaskArtifact;
        assert.ok(artifact.task === 'forecast');
        const { mean, std } = artifact.scaling['y']!;
        let at = 20;
        const lazy = score(task, batch =>
          Array.from({ length: batch.batch }, () => {
            const still = (at - 1) ** 2;
            const change = difference > 0 ? still - (at - difference) ** 2 : still;
            at++;
            return (change - mean) / std;
          }),
        );
        assert.ok(Math.abs(lazy['rmseRatio']! - 1) < 1e-4, `difference ${difference}: ${lazy['rmseRatio']}`);
        assert.ok(
          Math.abs(lazy['valLoss']! - task.facts.baseline!.loss) < 1e-3 * lazy['valLoss']!,
          `difference ${difference}: ${lazy['valLoss']} and ${task.facts.baseline!.loss}`,
        );
      }
    });

    it('gives levels back from changes, over its own predictions beyond the known rows', () => {
      const level = (row: number) => [10, 20, 30][row]!;
      const scale = { mean: 1, std: 2 };
      assert.deepEqual(levelsOf([0, 1], 3, level, scale, 0), [1, 3]);
      assert.deepEqual(levelsOf([0, 1, -1], 3, level, scale, 1), [31, 34, 33]);
      assert.deepEqual(levelsOf([0, 1, -1], 3, level, scale, 2), [21, 33, 20]);
    });

    describe('missing values', () => {
      const values = [Number.NaN, 1, Number.NaN, Number.NaN, 4, 5, 7, 9, 9, 2, 3, 4, Number.NaN];
      const opened = async (change: object) => {
        table(values);
        const task = await open(data({ window: 3, split: [1, 0, 0], ...change }), { batchSize: 32 });
        const artifact = task.artifact() as TaskArtifact;
        assert.ok(artifact.task === 'forecast');
        const { mean, std } = artifact.scaling['y']!;
        const { input, targets, batch } = task.trainingBatch(1);
        const width = task.sizes.input.kind === 'vectors' ? task.sizes.input.features : 0;
        const level = (scaled: number) => Math.round((scaled * std + mean) * 100) / 100;
        const windows = Array.from({ length: batch }, (_, row) => ({
          shown: [0, 1, 2].map(t => level(input[(t * batch + row) * width]!)),
          masks: width > 1 ? [0, 1, 2].map(t => input[(t * batch + row) * width + 1]!) : [],
          target: level(targets[row]!),
        }));
        return { mean, windows, notes: task.facts.notes.join(' ') };
      };
      const byTarget = ({ windows }: Awaited<ReturnType<typeof opened>>, shown: number[]) =>
        windows.find(window => window.shown.join() === shown.join());

      it('fits the scaling on what is there', async () => {
        const known = values.filter(value => !Number.isNaN(value));
        const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
        for (const missing of ['previous', 'mask', 'interpolate', 'drop'])
          assert.ok(Math.abs((await opened({ missing })).mean - mean) < 1e-9, missing);
      });

      it('scores no target that was missing, and says how many values are', async () => {
        for (const missing of ['previous', 'mask', 'interpolate']) {
          const { windows, notes } = await opened({ missing });
          assert.deepEqual(
            windows.map(({ target }) => target).sort(),
            [2, 3, 4, 4, 5, 7, 9, 9].sort(),
            missing,
          );
          assert.match(notes, /"y" lacks 4 of 13 values, 31 %: .*, and they are never scored/);
          assert.match(notes, /The first 1 row is left out|The first row is left out/);
        }
        // a change is known where both of its values are
        const { windows } = await opened({ difference: 1, window: 2 });
        assert.equal(windows.length, 7);
      });

      it('takes the value before by default', async () => {
        const found = await opened({});
        assert.equal(byTarget(found, [1, 1, 1])?.target, 4);
        assert.equal(byTarget(found, [1, 1, 4])?.target, 5);
        assert.deepEqual(await opened({ missing: 'previous' }), found);
      });

      it('tells the model of it by a further input with "mask"', async () => {
        const found = await opened({ missing: 'mask' });
        assert.deepEqual(byTarget(found, [1, 1, 1])?.masks, [0, 1, 1]);
        assert.deepEqual(byTarget(found, [1, 1, 4])?.masks, [1, 1, 0]);
      });

      it('interpolates only where the window shows both ends', async () => {
        const found = await opened({ missing: 'interpolate' });
        assert.equal(byTarget(found, [1, 1, 1])?.target, 4, 'no line to the target');
        assert.equal(byTarget(found, [2, 3, 4])?.target, 5);
      });

      it('leaves rows out with "drop"', async () => {
        const found = await opened({ missing: 'drop' });
        assert.equal(byTarget(found, [1, 4, 5])?.target, 7);
        assert.equal(found.windows.length, 6);
      });

      it('refuses them with "error", at their line', async () => {
        await assert.rejects(
          opened({ missing: 'error' }),
          /a\.csv, line 2: "y" has no value; "missing" can be/,
        );
      });

      it('shows no option of any kind what it is to predict', async () => {
        // changing one value may change no window that ends before it or at it, but the target alone
        const noise = Array.from({ length: 60 }, (_, row) => Math.sin(row * 97) * 3 + 5);
        const gappy = (change: number | null) =>
          noise.map((value, row) =>
            row % 3 === 1 || row % 7 === 2 ? Number.NaN : row === change ? 1e4 : value,
          );
        for (const missing of ['previous', 'mask', 'interpolate', 'drop'])
          for (const difference of [0, 1, 2]) {
            // the tail of the training part stands still, so that its scaling cannot tell either
            const inputs = async (change: number | null) => {
              table(gappy(change));
              const task = await open(data({ missing, difference, split: [0.4, 0, 0.6] }));
              return [...task.test()].flatMap(({ input, targets, batch }) => {
                const steps = input.length / batch;
                return Array.from({ length: batch }, (_, row) => ({
                  target: targets[row]!,
                  shown: Array.from({ length: steps }, (_, k) => {
                    const width = steps / 3;
                    return input[(Math.floor(k / width) * batch + row) * width + (k % width)]!;
                  }),
                }));
              });
            };
            const before = await inputs(null);
            for (const change of [27, 28, 32, 35, 38, 41, 48]) {
              if (Number.isNaN(gappy(null)[change]! + gappy(null)[change - difference]!)) continue;
              const after = await inputs(change);
              const first = before.findIndex(({ target }, index) => target !== after[index]!.target);
              assert.ok(first >= 0, `${missing} ${difference} ${change}`);
              for (let index = 0; index <= first; index++)
                assert.deepEqual(
                  after[index]!.shown,
                  before[index]!.shown,
                  `${missing} ${difference} ${change} ${index}`,
                );
            }
          }
      });
    });

    it('refuses what cannot be learned from, in a sentence', async () => {
      table(Array(40).fill(3));
      await assert.rejects(open(data()), /The column "y" of a\.csv never changes in its training part/);
      table([1, 2, 3, 4]);
      await assert.rejects(
        open(data()),
        /a\.csv has 4 usable rows, its training part 2: too few for a window of 3/,
      );
      table(ramp.map((y, row) => (row === 3 ? 1e300 : y)));
      await assert.rejects(open(data()), /holds numbers too large/);
      table(ramp, () => ',x');
      await assert.rejects(open(data()), /this row has 3 cells/);
    });

    it('shows truth, prediction and persistence of a stretch of validation', async () => {
      table(ramp);
      const experiment = experimentOf(data({ difference: 1 }));
      const task = await openTask(experiment, { base: folder, workspace: folder, allowedPaths: [] });
      const model = buildModel(experiment, task.sizes, 1);
      const sample = whole(task.sample(model, 1));
      assert.ok(sample?.type === 'series');
      assert.deepEqual(
        sample.index,
        Array.from({ length: 10 }, (_, i) => 20 + i),
      );
      assert.deepEqual(
        sample.truth,
        sample.index.map(row => row ** 2),
      );
      assert.deepEqual(
        sample.persistence,
        sample.index.map(row => (row - 1) ** 2),
      );
      assert.ok(sample.prediction.every(value => Number.isFinite(value)));
      model.dispose();
    });
  });
});
