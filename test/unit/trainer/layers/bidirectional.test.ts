// Bidirectional layers beyond what the golden models tell: probes of both directions, last states, widths.
import assert from 'node:assert/strict';
import { mul, type Scalar, sum, tensor3d, tidy, variableGrads } from '@tensorflow/tfjs-core';
import { experimentSchema } from '../../../../src/experiment/schema.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { buildModel } from '../../../../src/trainer/layers/build.ts';
import type { ForwardOptions, Model } from '../../../../src/trainer/layers/model.ts';
import { assertClose, useStockBackend } from '../engine/golden.ts';

const [T, B, I, H] = [5, 3, 2, 4];

function build(layers: object[], outputs: number): Model {
  const experiment = experimentSchema.parse({ data: { task: 'adding' }, model: { layers } });
  return buildModel(experiment, { input: { kind: 'vectors', features: I }, outputs }, 3);
}

const pass: ForwardOptions = { training: false, step: 0, lengths: null, state: null, outputs: 'every-step' };
const input = () =>
  tensor3d(
    Float32Array.from({ length: T * B * I }, (_, i) => Math.sin(i)),
    [T, B, I],
  );
const lengths = Int32Array.of(5, 2, 4);
const layer = { type: 'lstm', units: H, layers: 2, bidirectional: true };

describe('bidirectional layers', () => {
  before(() => startEngine('reference', null));

  it('name each direction of each level, as wide as their input', () => {
    const model = build([layer], 2 * H);
    assert.deepEqual(
      model.levels.map(({ name }) => name),
      ['layers.0.0', 'layers.0.0-reverse', 'layers.0.1', 'layers.0.1-reverse'],
    );
    assert.deepEqual(
      ['0', '0_reverse', '1', '1_reverse'].map(
        end => model.variables.get(`layers.0.weight_ih_l${end}`)!.shape[1],
      ),
      [I, I, 2 * H, 2 * H],
    );
    model.dispose();
  });

  it('last-step is the last state of both directions, also of short sequences', () => {
    const model = build([layer], 2 * H);
    tidy(() => {
      const { outputs, state } = model.forward(input(), { ...pass, lengths, outputs: 'last-step' });
      assert.deepEqual(outputs.shape, [1, B, 2 * H]);
      const [forward, reverse] = [state['layers.0.1.h']!, state['layers.0.1-reverse.h']!];
      const expected = Array.from({ length: B }, (_, b) => [
        ...forward.subarray(b * H, (b + 1) * H),
        ...reverse.subarray(b * H, (b + 1) * H),
      ]).flat();
      assert.deepEqual([...outputs.dataSync()], expected);
    });
    model.dispose();
  });

  it('the reverse direction reports its steps in the order it reads them', () => {
    const model = build([{ ...layer, layers: 1 }], 2 * H);
    const told: Float32Array[] = [];
    tidy(() => {
      // a loss of the first time step alone: the forward direction's oldest, the reverse one's newest
      const first = Float32Array.from({ length: T }, (_, t) => (t === 0 ? 1 : 0));
      variableGrads(() => {
        const { outputs } = model.forward(input(), {
          ...pass,
          watch: { gradient: (level, _, norms) => (told[level] = norms) },
        });
        return sum(mul(outputs, tensor3d(first, [T, 1, 1]))) as Scalar;
      }, [...model.variables.values()]);
    });
    const [forward, reverse] = told.map(norms => [...norms]);
    assert.deepEqual(
      forward!.map(norm => norm > 0),
      [true, false, false, false, false],
    );
    assert.ok(reverse!.every(norm => norm > 0));
    assert.equal(Math.max(...reverse!), reverse![T - 1]);
    model.dispose();
  });

  it('give the same on the stock backend, from their unfused steps', async () => {
    const run = () => {
      const model = build([layer], 2 * H);
      const values = tidy(() =>
        (['every-step', 'last-step'] as const).flatMap(outputs => [
          ...model.forward(input(), { ...pass, lengths, outputs }).outputs.dataSync(),
        ]),
      );
      model.dispose();
      return values;
    };
    const fused = run();
    await useStockBackend();
    const stock = run();
    await startEngine('reference', null);
    assertClose(stock, fused, 'outputs');
  });
});
