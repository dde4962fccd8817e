// What a run shows of sequences of unequal lengths: rows of time against each sequence alone, and the count of tokens.
import assert from 'node:assert/strict';
import {
  type Experiment,
  type ExperimentInput,
  experimentSchema,
} from '../../../../src/experiment/schema.ts';
import type { EngineName } from '../../../../src/runs/format.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { buildModel } from '../../../../src/trainer/layers/build.ts';
import type { Model } from '../../../../src/trainer/layers/model.ts';
import { gates } from '../../../../src/trainer/probes/gates.ts';
import { gradientFlowFull } from '../../../../src/trainer/probes/gradient-flow-full.ts';
import type { OpenProbe } from '../../../../src/trainer/probes/probe.ts';
import { randomStream } from '../../../../src/trainer/random.ts';
import { openTask } from '../../../../src/trainer/tasks/index.ts';
import type { Batch, Task } from '../../../../src/trainer/tasks/task.ts';
import { computeGradients, type StepOptions } from '../../../../src/trainer/training/gradients.ts';
import { Trainer } from '../../../../src/trainer/training/trainer.ts';
import { assertClose } from '../engine/golden.ts';

const T = 9;
const LENGTHS = Int32Array.of(7, 2, 9, 1, 5);
const SHOWN = ['gradient-flow-full', 'gates', 'saturation'];

interface Opened {
  experiment: Experiment;
  task: Task;
  model: Model;
}

async function open(input: ExperimentInput): Promise<Opened> {
  const experiment = experimentSchema.parse(input);
  const task = await openTask(experiment, { base: '.', workspace: '.', allowedPaths: [] });
  return { experiment, task, model: buildModel(experiment, task.sizes, 3) };
}

/** Every cell, both directions, taps on the layers of other kinds. */
const lastStep: ExperimentInput = {
  data: { task: 'adding', length: T },
  model: {
    layers: [
      { type: 'lstm', units: 5, layers: 2, bidirectional: true },
      { type: 'gru', units: 4 },
      { type: 'transformer', heads: 2 },
      { type: 'rnn', units: 3 },
      { type: 'dense' },
    ],
  },
  training: { batchSize: LENGTHS.length, steps: 10 },
};

/** Large numbers, which saturate gates. */
function batchOf(task: Task): Batch {
  const batch = task.trainingBatch(1);
  return { ...batch, input: (batch.input as Float32Array).map(value => 8 * value), lengths: LENGTHS };
}

/** A sequence without its padding. */
function alone(batch: Batch, row: number): Batch {
  const seqLen = batch.lengths![row]!;
  const input = new Float32Array(seqLen * 2);
  for (let t = 0; t < seqLen; t++)
    input.set((batch.input as Float32Array).subarray((t * batch.batch + row) * 2).subarray(0, 2), t * 2);
  return { ...batch, seqLen, batch: 1, input, targets: batch.targets.slice(row, row + 1), lengths: null };
}

function rowsOf({ experiment, task, model }: Opened, batch: Batch, options: Partial<StepOptions> = {}) {
  const intervals = { fullFlow: 1, reach: 1, gates: 1 };
  const run = { experiment, model, task, intervals } as Parameters<typeof gates.open>[0];
  const rows = new Map<string, Float32Array>();
  for (const probe of [gradientFlowFull, gates]) {
    const opened = probe.open(run) as OpenProbe;
    opened.begin?.(batch);
    const { gradients } = computeGradients(model, task, batch, {
      window: batch.seqLen,
      l2: 0,
      training: false,
      step: 1,
      state: null,
      outputs: task.outputs,
      watch: opened.watch,
      ...options,
    });
    for (const gradient of gradients.values()) gradient.dispose();
    for (const [name, values] of opened.rows()) rows.set(name, values.slice());
  }
  return rows;
}

describe('rows of time of sequences of unequal lengths', () => {
  for (const engine of ['reference', 'native', 'wasm'] satisfies EngineName[])
    it(`are the means of each sequence alone, aligned at its last step (${engine})`, async () => {
      await startEngine(engine, 1);
      const opened = await open(lastStep);
      const batch = batchOf(opened.task);
      const whole = rowsOf(opened, batch);
      assert.deepEqual([...whole.keys()], SHOWN);
      const each = [...LENGTHS.keys()].map(row => rowsOf(opened, alone(batch, row)));
      for (const name of SHOWN) {
        const expected = whole.get(name)!.map((_, at) => {
          const column = at % T;
          const having = each.filter((_, row) => column >= T - LENGTHS[row]!);
          // the loss of all is the mean over the sequences
          const share = name === 'gradient-flow-full' ? LENGTHS.length : 1;
          return having.reduce((sum, rows) => sum + rows.get(name)![at]!, 0) / having.length / share;
        });
        assertClose(whole.get(name)!, expected, name);
        assert.ok(
          expected.some(value => value !== 0),
          name,
        );
      }
      opened.model.dispose();
    });

  it('are not told where a window cuts the sequences, whose ends a stretch does not know', async () => {
    await startEngine('reference', 1);
    const opened = await open({
      data: { task: 'temporal-order', length: 20 },
      model: { layers: [{ type: 'embedding', dim: 3 }, { type: 'lstm', units: 4 }, { type: 'dense' }] },
      training: { batchSize: 4, steps: 10 },
    });
    const { batch, seqLen, ...rest } = opened.task.trainingBatch(1);
    const everyStep: Batch = {
      ...rest,
      batch,
      seqLen,
      targets: Int32Array.from({ length: batch * seqLen }, (_, i) => i % 4),
      lengths: Int32Array.of(20, 6, 11, 3),
    };
    const shown = (window: number, lengths = everyStep.lengths) => [
      ...rowsOf(opened, { ...everyStep, lengths }, { window, outputs: 'every-step' }).keys(),
    ];
    assert.deepEqual(shown(20), SHOWN);
    assert.deepEqual(shown(8), []);
    assert.deepEqual(shown(8, null), SHOWN);
    opened.model.dispose();
  });
});

describe('the tokens of a run', () => {
  it('are the steps inside their sequences, and no padding', async () => {
    await startEngine('reference', 1);
    const { experiment, task, model } = await open(lastStep);
    model.dispose();
    const random = randomStream(1, 'lengths', 0);
    let expected = 0;
    const trainer = new Trainer(experiment, {
      ...task,
      trainingBatch(step) {
        const lengths = LENGTHS.map(() => 1 + random.int(T));
        expected += lengths.reduce((sum, length) => sum + length, 0);
        return { ...task.trainingBatch(step), lengths };
      },
    });
    for (let step = 0; step < 3; step++) {
      const before = trainer.tokens;
      const { padding } = trainer.advance();
      const share = 1 - (trainer.tokens - before) / (T * LENGTHS.length);
      assert.ok(Math.abs(padding! - share) < 1e-12);
    }
    assert.equal(trainer.tokens, expected);
    assert.ok(expected < 3 * T * LENGTHS.length);
    trainer.dispose();
  });

  it('are all steps where no lengths are given', async () => {
    await startEngine('reference', 1);
    const { experiment, task, model } = await open(lastStep);
    model.dispose();
    const trainer = new Trainer(experiment, task);
    const { padding } = trainer.advance();
    assert.equal(padding, undefined);
    assert.equal(trainer.tokens, T * LENGTHS.length);
    trainer.dispose();
  });
});
