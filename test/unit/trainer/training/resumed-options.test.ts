// Every option of training survives pause, kill and resume to the byte: what a step needs is in the checkpoint.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ExperimentInput, experimentSchema } from '../../../../src/experiment/schema.ts';
import { requestControl } from '../../../../src/runs/control.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { openTask } from '../../../../src/trainer/tasks/index.ts';
import { readCheckpoint } from '../../../../src/trainer/training/checkpoint.ts';
import { Trainer } from '../../../../src/trainer/training/trainer.ts';
import { assertClose } from '../engine/golden.ts';
import { bitsOf, columnOf, makeRun, tinyExperiment, train, trainNew, useWorkspace } from './runs.ts';

const LAYERS: ExperimentInput['model']['layers'] = [
  { type: 'embedding', dim: 4 },
  { type: 'batch-norm' },
  { type: 'tcn', units: 4, weightNorm: true, dropout: 0.2, spatialDropout: true },
  { type: 'pool', kernelSize: 2, stride: 1, padding: 'causal' },
  { type: 'lstm', units: 5 },
  { type: 'batch-norm', momentum: 0.5 },
  { type: 'dense' },
];

const OPTIONS: Record<string, ExperimentInput['training']> = {
  'running statistics of batch norm': {},
  AMSGrad: { optimizer: { type: 'adam', amsgrad: true } },
  NAdam: { optimizer: { type: 'nadam' } },
  Adagrad: { optimizer: { type: 'adagrad', initialAccumulator: 0.1, learningRateDecay: 0.01 } },
  Lion: { optimizer: { type: 'lion', learningRate: 0.01 } },
  Muon: { optimizer: { type: 'muon' } },
  'a plateau': { schedule: { type: 'plateau', patience: 0, factor: 0.5 } },
  'one cycle': { schedule: { type: 'one-cycle' } },
  accumulation: { accumulate: 2 },
  'limits of the gradient': { clipNorm: 0.5, clipTensorNorm: 0.2, clipValue: 0.05 },
  'penalties and decay': { l2: 1e-3, recurrentL2: 1e-2, weightDecay: { kernel: 0.1, recurrent: 0.2 } },
  'label smoothing': { labelSmoothing: 0.1 },
};

/** A validation loss that stops falling. */
const lossAt = (step: number) => (step < 4 ? 1 / step : 1);

describe('a run that goes on from a checkpoint', () => {
  let folder = '';
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'unroll-options-'));
    await startEngine('reference', null);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const [name, training] of Object.entries(OPTIONS))
    it(`after a kill makes the same bits with ${name}`, async () => {
      const experiment = experimentSchema.parse({
        data: { task: 'temporal-order', length: 12 },
        model: { layers: LAYERS },
        training: { batchSize: 4, steps: 12, ...training },
      });
      const begun = async () => new Trainer(experiment, await openTask(experiment, {} as never, null));
      const advance = (trainer: Trainer, to: number) => {
        while (trainer.step < to) {
          trainer.advance();
          trainer.observeValidation(lossAt(trainer.step));
        }
      };
      const bytes = (trainer: Trainer) =>
        Object.fromEntries([...trainer.snapshot(0).files].map(([file, value]) => [file, Buffer.from(value)]));
      const straight = await begun();
      advance(straight, 12);
      const killed = await begun();
      advance(killed, 5);
      for (const [file, value] of killed.snapshot(0).files) writeFileSync(join(folder, file), value);
      // what comes after the checkpoint is lost
      advance(killed, 8);
      const resumed = await begun();
      resumed.restore(readCheckpoint(folder));
      advance(resumed, 12);
      assert.deepEqual(bytes(resumed), bytes(straight));
      assert.notDeepEqual(bytes(resumed), bytes(killed));
      for (const trainer of [straight, killed, resumed]) trainer.dispose();
    });
});

describe('a run with all options', () => {
  useWorkspace();

  const spec = tinyExperiment({
    steps: 80,
    batchSize: 2,
    accumulate: 2,
    optimizer: { type: 'muon' },
    schedule: { type: 'plateau', patience: 1, factor: 0.5 },
    clipNorm: 0.2,
    clipTensorNorm: 0.1,
    labelSmoothing: 0.1,
    recurrentL2: 1e-3,
    weightDecay: { kernel: 0.01 },
  });
  spec.model.layers = [
    { type: 'embedding', dim: 4 },
    { type: 'wavenet', units: 4, layers: 2 },
    { type: 'batch-norm' },
    { type: 'lstm', units: 5 },
    { type: 'dense' },
  ];

  it('makes the same bits over a pause, a stop and a resume, and records the share of clipped steps', async () => {
    const straight = await trainNew(spec);
    assert.equal(straight.outcome.reason, 'finished', straight.outcome.message);
    const folder = makeRun(spec);
    const first = await train(folder, {
      onEvent(_, event) {
        if (event.kind !== 'scalars') return;
        if (event.step === 13) requestControl(folder, 'pause');
        if (event.step === 31) requestControl(folder, 'stop');
      },
      onStatus(_, { state }) {
        if (state === 'paused') requestControl(folder, 'resume');
      },
    });
    assert.equal(first.reason, 'stopped');
    const outcome = await train(folder);
    assert.equal(outcome.reason, 'finished');
    assert.equal(bitsOf(folder), bitsOf(straight.folder));
    const [clipped, rates] = [columnOf(folder, 'clipped'), columnOf(folder, 'learningRate')];
    assert.deepEqual(clipped, columnOf(straight.folder, 'clipped'));
    assert.ok(clipped.mean.every(share => share >= 0 && share <= 1) && clipped.mean.some(share => share > 0));
    assert.deepEqual(rates, columnOf(straight.folder, 'learningRate'));
  });

  it('carries the states of each part of an accumulated batch on: the losses of a text are those of the large batch', async () => {
    const lossesOf = async (training: ExperimentInput['training']) => {
      const input = tinyExperiment({ steps: 30, optimizer: { type: 'sgd', learningRate: 0.5 }, ...training });
      input.model.layers = [{ type: 'embedding', dim: 4 }, { type: 'gru', units: 5 }, { type: 'dense' }];
      return columnOf((await trainNew(input)).folder, 'trainLoss').mean;
    };
    const [large, parts] = [
      await lossesOf({ batchSize: 4 }),
      await lossesOf({ batchSize: 1, accumulate: 4 }),
    ];
    assert.equal(large.length, 30);
    assertClose(parts, large, 'trainLoss', 1e-6);
  });
});
