// The task of own arrays: what a batch holds, how numbers are scaled and scored, against counting by hand.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tensor3d, tidy } from '@tensorflow/tfjs-core';
import { type ExperimentInput, experimentSchema } from '../../../../src/experiment/schema.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { openTask } from '../../../../src/trainer/tasks/index.ts';
import { readExamples } from '../../../../src/trainer/tasks/table-data.ts';
import { type Batch, emptyScore, type Task } from '../../../../src/trainer/tasks/task.ts';
import { figuresOf } from '../../../../src/trainer/training/validation.ts';

let folder = '';
type TableInput = Extract<ExperimentInput['data'], { task: 'table' }>;

const open = (data: Omit<TableInput, 'task' | 'path'>, rows: readonly object[]): Promise<Task> => {
  writeFileSync(join(folder, 'a.jsonl'), rows.map(row => JSON.stringify(row)).join('\n'));
  const experiment = experimentSchema.parse({
    data: { task: 'table', path: 'a.jsonl', shuffle: false, batching: 'mixed', ...data },
    model: { layers: [{ type: 'gru', units: 3 }, { type: 'dense' }] },
    training: { batchSize: 2 },
  });
  return openTask(experiment, { base: folder, workspace: folder, allowedPaths: [] });
};

function figures(task: Task, batches: Iterable<Batch>, answer: (batch: Batch, at: number) => number[]) {
  const score = emptyScore();
  const everyStep = task.outputs === 'every-step';
  for (const batch of batches)
    tidy(() => {
      const steps = everyStep ? batch.seqLen : 1;
      const said = Array.from({ length: steps * batch.batch }, (_, at) => answer(batch, at)).flat();
      task.score(tensor3d(said, [steps, batch.batch, task.sizes.outputs]), batch, score);
    });
  return figuresOf(task, score);
}

describe('own arrays', () => {
  before(() => startEngine('reference', null));
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'unroll-table-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const rows = [
    { x: [1, 2, 3], k: 10, y: [10, 20, 30], kind: 'a' },
    { x: [5], k: 20, y: [50], kind: 'b' },
    { x: [2, 4], k: 10, y: [20, 40], kind: 'a' },
    { x: [3, 3, 3, 3], k: 40, y: [30, 30, 30, 90], kind: 'b' },
  ];

  it('values at each step: inputs side by side, scaled by the training part; nothing behind an end counts', async () => {
    const task = await open({ inputs: ['x', 'k'], targets: ['y'], at: 'step', split: [0.75, 0.25, 0] }, rows);
    assert.deepEqual(task.sizes, { input: { kind: 'vectors', features: 2 }, outputs: 1, steps: 4 });
    assert.equal(task.outputs, 'every-step');
    // x of the first three rows: 1 2 3 5 2 4; k at each of their steps
    const x = [1, 2, 3, 5, 2, 4];
    const mean = 17 / 6;
    const std = Math.sqrt(x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 6);
    const k = [10, 10, 10, 20, 10, 10];
    const kMean = 70 / 6;
    const kStd = Math.sqrt(k.reduce((sum, value) => sum + (value - kMean) ** 2, 0) / 6);
    const [batch] = [...task.validation()];
    assert.deepEqual([batch!.seqLen, batch!.batch, [...batch!.lengths!]], [4, 1, [4]]);
    batch!.input.forEach((value, at) => {
      const expected = at % 2 === 0 ? (3 - mean) / std : (40 - kMean) / kStd;
      assert.ok(Math.abs(value - expected) < 1e-5);
    });
    // y is ten times x, so its scaling is too
    assert.ok(Math.abs(batch!.targets[3]! - (9 - mean) / std) < 1e-5);
    const mid = figures(task, task.validation(), () => [0]);
    assert.ok(Math.abs(mid['valLoss']! - task.facts.baseline!.loss) < 1e-6);
    const errors = [30, 30, 30, 90].map(value => (value - 10 * mean) ** 2);
    assert.ok(Math.abs(mid['rmse']! - Math.sqrt(errors.reduce((a, b) => a + b) / 4)) < 1e-4);
    const both = [...task.validation(), task.trainingBatch(1)];
    const right = figures(task, both, ({ targets }, at) => [targets[at]!]);
    assert.deepEqual(right, { valLoss: 0, rmse: 0 });
    // a wrong answer behind an end changes nothing
    const padding = figures(task, both, ({ targets, lengths, batch: size }, at) => [
      Math.floor(at / size) < lengths![at % size]! ? targets[at]! : 1e6,
    ]);
    assert.deepEqual(padding, right);
  });

  it('tells classes that the training part lacks, and rows that stand in it and outside of it', async () => {
    const own = Array.from({ length: 20 }, (_, at) => ({
      x: [at % 5, 1],
      kind: at === 19 ? 'c' : 'ab'[at % 2],
    }));
    const data = {
      ...{ inputs: ['x'], targets: ['kind'], predict: 'classes' as const, shuffle: false },
      split: [0.8, 0.1, 0.1] as [number, number, number],
    };
    const { facts } = await open(data, own);
    assert.deepEqual(facts.notes.slice(1, 2), [
      'The training part of a.jsonl lacks 1 class that validation or test has: "c" (line 20). The model cannot learn it: take another `seed` or `split`.',
    ]);
    // of the last four rows, the one of c differs from all before it
    const [repeated] = facts.notes.filter(note => /training part too/.test(note));
    assert.equal(repeated, '3 sequences of 4 in validation and test stand in the training part too.');
  });

  it('several targets of a sequence', async () => {
    const own = rows.map(({ x, y }) => ({ x, sum: x.reduce((a, b) => a + b), ends: [y[0], y.at(-1)] }));
    const task = await open({ inputs: ['x'], targets: ['sum', 'ends'], split: [0.5, 0.5, 0] }, own);
    assert.equal(task.sizes.outputs, 3);
    const [batch] = [...task.validation()];
    assert.equal(batch!.targets.length, 2 * 3);
    assert.deepEqual(
      figures(task, task.validation(), ({ targets }, at) => [...targets.subarray(3 * at, 3 * at + 3)]),
      { valLoss: 0, rmse: 0 },
    );
  });

  it('classes once a sequence, or a word for each step', async () => {
    const task = await open(
      { inputs: ['x'], targets: ['kind'], predict: 'classes', split: [0.5, 0.5, 0] },
      rows,
    );
    assert.equal(task.sizes.outputs, 2);
    // one of each class in the training part: the shares are even
    assert.ok(Math.abs(task.facts.baseline!.loss - Math.log(2)) < 1e-12);
    const even = figures(task, task.validation(), () => [0, 0]);
    assert.ok(Math.abs(even['valLoss']! - Math.log(2)) < 1e-6);
    assert.deepEqual([even['accuracy'], even['balancedAccuracy']], [0.5, 0.5]);
    const tagged = rows.map(({ x }) => ({ x, tags: x.map(value => (value > 2 ? 'high' : 'low')) }));
    const steps = await open(
      { inputs: ['x'], targets: ['tags'], predict: 'classes', at: 'step', split: [0.5, 0.5, 0] },
      tagged,
    );
    const right = figures(steps, steps.validation(), ({ targets }, at) =>
      targets[at] === 0 ? [9, -9] : [-9, 9],
    );
    assert.equal(right['accuracy'], 1);
    assert.equal(
      [...steps.validation()].reduce((sum, { lengths }) => sum + lengths!.reduce((a, b) => a + b), 0),
      6,
    );
  });

  it('takes no number of a program for one of a table, and no second column of a name', async () => {
    const read = (content: string) => {
      writeFileSync(join(folder, 'h.csv'), content);
      const columns = { inputs: ['x'], targets: ['y'], predict: 'values', at: 'sequence' } as const;
      return readExamples(join(folder, 'h.csv'), { path: 'h.csv', ...columns, onError: 'stop' });
    };
    const { examples } = await read('x,y\n-1.5e3,.5\n+2.,7\n');
    assert.deepEqual(
      Array.from(examples, ({ inputs, targets }) => [inputs[0], targets![0]]),
      [
        [-1500, 0.5],
        [2, 7],
      ],
    );
    for (const cell of ['0x1F', '0b11', 'Infinity', '1_000'])
      await assert.rejects(read(`x,y\n1,2\n1,${cell}\n`), {
        message: `h.csv, line 3: "y" is "${cell}", and numbers are needed.`,
      });
    await assert.rejects(read('x,y,x\n1,2,3\n'), {
      message: 'h.csv has two columns named "x": give one of them another name.',
    });
  });

  it('names the line of what cannot be used, or skips it and counts', async () => {
    const cases: [object, RegExp][] = [
      [{ x: [1, null], y: 1 }, /a\.jsonl, line 3: "x" holds a value that is missing/],
      [{ x: 'word', y: 1 }, /a\.jsonl, line 3: "x" is "word", and numbers are needed/],
      [{ x: [[1, 2]], y: 1 }, /a\.jsonl, line 3: "x" has 2 numbers a step, in the first row it has 1/],
      [{ x: [], y: 1 }, /a\.jsonl, line 3: "x" is empty/],
      [{ x: [1], y: null }, /a\.jsonl, line 3: "y" has no value/],
    ];
    const good = [1, 2, 3].map(value => ({ x: [value, 2], y: value }));
    for (const [bad, message] of cases) {
      const all = [...good.slice(0, 2), bad, good[2]!];
      await assert.rejects(open({ inputs: ['x'], targets: ['y'] }, all), message);
      const task = await open({ inputs: ['x'], targets: ['y'], onError: 'skip', split: [1, 0, 0] }, all);
      assert.deepEqual(task.read, { rows: 3, skipped: 1 });
      assert.match(task.facts.notes.at(-1)!, /^1 row was skipped\. The first: a\.jsonl, line 3/);
    }
    await assert.rejects(
      open({ inputs: ['z'], targets: ['y'] }, good),
      /a\.jsonl has no column "z"; did you mean "x"\?/,
    );
    await assert.rejects(
      open({ inputs: ['x'], targets: ['y'], predict: 'classes' }, [
        { x: [1], y: 'a' },
        { x: [2], y: 'a' },
      ]),
      /All 2 sequences of a\.jsonl are of the class "a": there is nothing to tell apart/,
    );
  });
});
