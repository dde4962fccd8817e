// Dead units in real short runs: recorded with the run, and found only where they die.
import assert from 'node:assert/strict';
import { tensor } from '@tensorflow/tfjs-core';
import { type ExperimentInput, experimentSchema } from '../../../../src/experiment/schema.ts';
import { DeadUnits, rectifiedLayers } from '../../../../src/trainer/probes/dead-units.ts';
import { columnOf, eventsOf, readRun, trainNew, useWorkspace } from './runs.ts';

type Layers = ExperimentInput['model']['layers'];
const relu: Layers = [{ type: 'rnn', units: 24, activation: 'relu' }, { type: 'dense' }];

async function observed(layers: Layers, learningRate: number, more: Partial<ExperimentInput> = {}) {
  const { folder } = await trainNew({
    data: { task: 'adding', length: 15 },
    model: { layers },
    training: { batchSize: 16, steps: 150, optimizer: { type: 'adam', learningRate } },
    ...more,
  });
  const series = readRun(folder).series.get('dead-units');
  const findings = eventsOf(folder).flatMap(event => (event.kind === 'finding' ? [event.finding] : []));
  return { folder, series, dead: findings.filter(({ id }) => id === 'dead-units') };
}

describe('dead units', () => {
  useWorkspace();

  it('are those that are 0 in every row of a batch, whatever stretches it comes in', () => {
    const units = new DeadUnits(['layers.0', 'layers.2']);
    const look = (name: string, values: number[][][]) => {
      const output = tensor(values);
      units.look(name, () => output);
      output.dispose();
    };
    look('layers.0', [[[0, 1, 0, 0]], [[0, 0, 0, 0]]]);
    look('layers.0', [[[0, 0, 0, 2]]]);
    look('layers.1', [[[0, 0, 0, 0]]]);
    look('layers.2', [[[3]]]);
    assert.deepEqual([...units.shares], [0.5, 0]);
  });

  it('are found in a ReLU RNN that learns too fast, and recorded at each look', async () => {
    const { series, dead, folder } = await observed(relu, 0.1);
    assert.deepEqual(series!.sidecar.axes[0]!.labels, ['layers.0']);
    assert.equal(series!.rows.length, 150);
    const shares = series!.rows.map(([share]) => share!);
    assert.ok(shares[0]! < 0.5 && shares.at(-1)! >= 0.5, `${shares[0]} → ${shares.at(-1)}`);
    const [finding] = dead;
    assert.equal(dead.length, 1);
    assert.equal(finding!.layer, 'layers.0');
    // the evidence is what the file holds
    const { updates, dead: share, least } = finding!.evidence as Record<string, number>;
    assert.equal(share, Math.min(...shares.slice(updates! - 10, updates)));
    assert.equal(least, Math.min(...shares.slice(0, updates)));
    assert.ok(
      finding!.message.startsWith(`${Math.round(share! * 100)} % or more of the ReLU units are dead`),
    );
    assert.deepEqual(finding!.fixes[0]!.edits, [
      { path: ['training', 'optimizer', 'learningRate'], value: 0.01 },
    ]);
    assert.equal(columnOf(folder, 'trainLoss').steps.length, 150);
  });

  it('are not found in ReLU RNNs that learn', async () => {
    const keras = await observed(relu, 0.003, { model: { convention: 'keras', layers: relu } });
    assert.deepEqual(keras.dead, []);
    assert.ok(Math.max(...keras.series!.rows.map(([share]) => share!)) < 0.5);
  });

  it('are not found where half of a layer is silent from the start', async () => {
    const layers: Layers = [
      { type: 'lstm', units: 16 },
      { type: 'dense', units: 32, activation: 'relu' },
      { type: 'dense' },
    ];
    const { dead, series } = await observed(layers, 0.003);
    assert.ok(series!.rows.at(-1)![0]! >= 0.5, 'nothing to keep silent about');
    assert.deepEqual(dead, []);
  });

  it('are found in convolutions too, which have no recurrent layer', async () => {
    const { dead } = await observed([{ type: 'tcn', units: 8, layers: 2 }, { type: 'dense' }], 0.5);
    assert.deepEqual(
      dead.map(({ layer }) => layer),
      ['layers.0'],
    );
  });

  it('are not looked for without a ReLU, or where probes are off', async () => {
    assert.equal((await observed([{ type: 'gru', units: 4 }, { type: 'dense' }], 0.01)).series, undefined);
    assert.equal((await observed(relu, 0.01, { probes: { gates: false } })).series, undefined);
  });

  it('are of layers whose output is that of a ReLU, and not of those that add something to it', () => {
    const layers = [
      { type: 'conv1d', units: 4, activation: 'relu' },
      { type: 'conv1d', units: 4, activation: 'relu', residual: true },
      { type: 'highway' },
      { type: 'wavenet', units: 4 },
      { type: 'dense' },
    ];
    const experiment = experimentSchema.parse({ data: { task: 'adding' }, model: { layers } });
    assert.deepEqual(rectifiedLayers(experiment), ['layers.0', 'layers.3']);
  });
});
