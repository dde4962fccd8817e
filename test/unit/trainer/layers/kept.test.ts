// What layers of linear recurrences and convolutions say that they keep for the way back, against what a training step takes:
// the arrays that it asks of the engine when none are left over from another step.
import assert from 'node:assert/strict';
import { mean, mul, type Scalar, tensor } from '@tensorflow/tfjs-core';
import { LAYER_KINDS } from '../../../../src/experiment/layers/index.ts';
import { placeLayers } from '../../../../src/experiment/models.ts';
import { experimentSchema } from '../../../../src/experiment/schema.ts';
import { gradientsOf } from '../../../../src/trainer/engine/gradients.ts';
import { startPool } from '../../../../src/trainer/engine/pool.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { provider } from '../../../../src/trainer/engine/storage.ts';
import { buildModel } from '../../../../src/trainer/layers/build.ts';

const [STEPS, BATCH, UNITS] = [128, 16, 64];
const SIZES = { input: { kind: 'vectors' as const, features: UNITS }, outputs: 1 };
const FAMILIES = ['scan', 'memory'];

/** Fields that change what is kept, where a kind has them. */
const CHANGES = [
  {},
  { candidate: 'positive' },
  { glu: false },
  { stateSize: 32 },
  { convSize: 1 },
  { heads: 1 },
];

const FORMS = Object.entries(LAYER_KINDS).flatMap(([type, kind]) =>
  CHANGES.filter(change => Object.keys(change).every(field => field in kind.schema.shape))
    .filter(() => FAMILIES.includes(kind.family as string))
    .map(change => ({ type, units: UNITS, ...change })),
);

/** Convolutions say it of all their forms. */
const CONVOLUTIONS = [
  { type: 'conv1d', units: UNITS },
  { type: 'conv1d', units: UNITS, activation: 'relu' },
  { type: 'conv1d', units: 2 * UNITS, activation: 'gelu' },
  { type: 'conv1d', units: UNITS, padding: 'same' },
  { type: 'conv1d', units: UNITS, activation: 'tanh', stride: 2 },
  { type: 'tcn', units: UNITS },
  { type: 'tcn', units: UNITS, layers: 3 },
  { type: 'tcn', units: 2 * UNITS, layers: 2 },
  { type: 'tcn', units: UNITS, layers: 2, dropout: 0.2 },
  { type: 'tcn', units: UNITS, layers: 2, dropout: 0.2, spatialDropout: true, weightNorm: true },
];

for (const form of [...FORMS, ...CONVOLUTIONS]) {
  it(`${JSON.stringify(form)} keeps what it says`, async () => {
    await startEngine('auto', 1);
    const experiment = experimentSchema.parse({
      data: { task: 'adding', length: STEPS },
      model: { layers: [{ type: 'dense', units: UNITS }, form, { type: 'dense' }] },
    });
    const model = buildModel(experiment, SIZES, 1);
    const [before, placed] = placeLayers(experiment, SIZES);
    const said = [before!, placed!].reduce((sum, { kind, layer, at }) => sum + kind.kept(layer, at), 0);
    const engine = provider();
    const { allocate } = engine;
    let floats = 0;
    engine.allocate = size => {
      floats += size;
      return allocate(size);
    };
    startPool(engine);
    const rows = STEPS * BATCH;
    const x = tensor(
      Float32Array.from({ length: rows * UNITS }, (_, i) => Math.sin(i)),
      [STEPS, BATCH, UNITS],
    );
    floats += x.size;
    gradientsOf(() => {
      const options = { training: true, step: 1, lengths: null, state: null, outputs: 'every-step' as const };
      const { outputs } = model.forward(x, options);
      return mean(mul(outputs, outputs)) as Scalar;
    }, [...model.variables.values()]);
    engine.allocate = allocate;
    startPool(engine);
    model.dispose();
    const taken = floats / rows;
    assert.ok(
      Math.abs(said / taken - 1) <= 0.25,
      `${said} numbers a step are told, ${taken.toFixed(0)} are taken`,
    );
  });
}
