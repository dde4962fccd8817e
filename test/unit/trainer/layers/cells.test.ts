// Every cell: the fused kernel against the cell's own steps in plain tensor operations, and its gradients against
// central differences, on random shapes.
import assert from 'node:assert/strict';
import {
  add,
  mul,
  type Scalar,
  slice,
  sum,
  type Tensor,
  type Tensor3D,
  tensor,
  grads as tfGrads,
  tidy,
} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { type Convention, experimentSchema, type RecurrentLayer } from '../../../../src/experiment/schema.ts';
import type { RecurrentReport } from '../../../../src/trainer/engine/kernels/recurrent.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import type { Cell } from '../../../../src/trainer/layers/cell.ts';
import { makeCell } from '../../../../src/trainer/layers/cells.ts';
import { type RunnerWeights, runSequence, runSteps } from '../../../../src/trainer/layers/recurrent.ts';
import { randomStream } from '../../../../src/trainer/random.ts';
import { centralDifferences } from '../engine/differences.ts';
import { assertClose, SEED, useStockBackend } from '../engine/golden.ts';

const variants: { name: string; layer: object; convention: Convention }[] = [
  { name: 'RNN tanh, two biases', layer: { type: 'rnn' }, convention: 'pytorch' },
  { name: 'RNN tanh, one bias', layer: { type: 'rnn' }, convention: 'keras' },
  { name: 'RNN relu', layer: { type: 'rnn', activation: 'relu' }, convention: 'pytorch' },
  { name: 'RNN sigmoid', layer: { type: 'rnn', activation: 'sigmoid' }, convention: 'pytorch' },
  { name: 'RNN leaky relu', layer: { type: 'rnn', activation: 'leaky-relu' }, convention: 'keras' },
  { name: 'RNN linear', layer: { type: 'rnn', activation: 'linear' }, convention: 'pytorch' },
  { name: 'LSTM, two biases', layer: { type: 'lstm' }, convention: 'pytorch' },
  { name: 'LSTM, one bias', layer: { type: 'lstm' }, convention: 'tfjs' },
  { name: 'GRU reset after', layer: { type: 'gru' }, convention: 'keras' },
  { name: 'GRU reset before, two biases', layer: { type: 'gru', resetAfter: false }, convention: 'pytorch' },
  { name: 'GRU reset before, one bias', layer: { type: 'gru' }, convention: 'tfjs' },
];

function layerOf(fields: object): RecurrentLayer {
  const layer = experimentSchema.parse({
    data: { task: 'adding' },
    model: { layers: [{ units: 1, ...fields }] },
  }).model.layers[0]!;
  assert.ok('recurrentInit' in layer);
  return layer;
}

interface Shape {
  seqLen: number;
  batch: number;
  inputSize: number;
  units: number;
  seed: number;
}

/** Inputs by name, of a random draw that keeps relu's kink out of the way of finite differences. */
function drawInputs(cell: Cell, { seqLen, batch, inputSize, units, seed }: Shape): Map<string, Tensor> {
  const rows = Math.max(1, cell.gates.length) * units;
  const shapes: [string, number[]][] = [
    ['x', [seqLen, batch, inputSize]],
    ['weightIh', [rows, inputSize]],
    ['weightHh', [rows, units]],
    ['biasIh', [rows]],
  ];
  if (cell.twoBiases) shapes.push(['biasHh', [rows]]);
  const random = randomStream(seed, 'test', 0);
  return new Map(
    shapes.map(([name, shape]) => {
      const size = shape.reduce((a, b) => a * b, 1);
      return [
        name,
        tensor(
          Float32Array.from({ length: size }, () => random.normal() * 0.6),
          shape,
        ),
      ];
    }),
  );
}

function weightsFrom(names: string[], tensors: Tensor[]): RunnerWeights {
  const at = (name: string) => tensors[names.indexOf(name)] ?? null;
  return {
    weightIh: at('weightIh'),
    weightHh: at('weightHh'),
    biasIh: at('biasIh'),
    biasHh: at('biasHh'),
  } as unknown as RunnerWeights;
}

/** A loss that looks at every output differently. */
function lossOf(y: Tensor3D): Scalar {
  const weights = Float32Array.from({ length: y.size }, (_, i) => Math.sin(1 + i * 0.7));
  return sum(mul(y, tensor(weights, y.shape)));
}

const shapes = fc.record({
  seqLen: fc.integer({ min: 1, max: 6 }),
  batch: fc.integer({ min: 1, max: 5 }),
  inputSize: fc.integer({ min: 1, max: 6 }),
  units: fc.integer({ min: 1, max: 6 }),
  seed: fc.nat(1000),
  withLengths: fc.boolean(),
  withState: fc.boolean(),
  reverse: fc.boolean(),
});

for (const { name, layer, convention } of variants) {
  describe(`cell: ${name}`, () => {
    const cell = makeCell(layerOf(layer), convention);
    before(() => startEngine('reference', null));

    it('fused equals the composition of its steps: outputs, states, all gradients and their norms by step', () => {
      const property = fc.property(shapes, shape => {
        tidy(() => {
          const { seqLen, batch, units, seed } = shape;
          const random = randomStream(seed, 'lengths and state', 0);
          const lengths = shape.withLengths
            ? Int32Array.from({ length: batch }, () => random.int(seqLen + 1))
            : null;
          const numbers = () => Float32Array.from({ length: batch * units }, () => random.normal() * 0.5);
          const state = shape.withState
            ? cell.hasCellState
              ? { h: numbers(), c: numbers() }
              : { h: numbers() }
            : null;
          const inputs = drawInputs(cell, shape);
          const names = [...inputs.keys()];
          const run = (runner: typeof runSteps) => {
            const keep: { y: Float32Array; state: object }[] = [];
            const norms: Float32Array[] = [];
            const loss = (...tensors: Tensor[]) => {
              const { reverse } = shape;
              const report = ({ hiddenGradNorm }: RecurrentReport) => norms.push(hiddenGradNorm.slice());
              const options = { lengths, state, reverse, inputGradient: true, report };
              const result = runner(cell, tensors[0] as Tensor3D, weightsFrom(names, tensors), options);
              keep.push({ y: Float32Array.from(result.y.dataSync()), state: result.state });
              return lossOf(result.y);
            };
            const gradients = tfGrads(loss)([...inputs.values()]).map(gradient => gradient.dataSync());
            assert.equal(norms.length, 1);
            return { ...keep[0]!, gradients, norms: norms[0]! };
          };
          const [fused, steps] = [run(runSequence), run(runSteps)];
          assertClose(fused.y, steps.y, 'y');
          assertClose(steps.norms, fused.norms, 'norms');
          for (const [which, values] of Object.entries(steps.state))
            assertClose((fused.state as Record<string, Float32Array>)[which]!, values, `state ${which}`);
          names.forEach((input, i) => {
            assertClose(fused.gradients[i]!, steps.gradients[i]!, `gradient of ${input}`);
          });
        });
      });
      fc.assert(property, { seed: SEED, numRuns: 40 });
    });

    it('its gradients are those of central differences', () => {
      tidy(() => {
        // relu has a kink: small steps around well-separated sums
        const shape = { seqLen: 4, batch: 2, inputSize: 3, units: 3, seed: 7 };
        const inputs = drawInputs(cell, shape);
        const names = [...inputs.keys()];
        const loss = (...tensors: Tensor[]) =>
          lossOf(
            runSequence(cell, tensors[0] as Tensor3D, weightsFrom(names, tensors), {
              lengths: Int32Array.of(4, 3),
              state: null,
              inputGradient: true,
            }).y,
          );
        const tensors = [...inputs.values()];
        const gradients = tfGrads(loss)(tensors);
        tensors.forEach((_, which) => {
          const differences = centralDifferences(loss, tensors, which, 2e-3);
          assertClose(gradients[which]!.dataSync(), differences, `gradient of ${names[which]}`, 3e-3);
        });
      });
    });

    it('a sequence in two pieces, its state carried over, gives the outputs of the whole', () => {
      tidy(() => {
        const inputs = drawInputs(cell, { seqLen: 6, batch: 3, inputSize: 2, units: 4, seed: 11 });
        const weights = weightsFrom([...inputs.keys()], [...inputs.values()]);
        const run = (from: number, steps: number, state: Parameters<typeof runSequence>[3]['state']) =>
          runSequence(cell, slice(inputs.get('x') as Tensor3D, [from, 0, 0], [steps, 3, 2]), weights, {
            lengths: null,
            state,
            inputGradient: false,
          });
        const whole = run(0, 6, null);
        const first = run(0, 2, null);
        const second = run(2, 4, first.state);
        assert.deepEqual([...first.y.dataSync(), ...second.y.dataSync()], [...whole.y.dataSync()]);
        assert.deepEqual(second.state, whole.state);
      });
    });
  });
}

describe('cells without our backend', () => {
  after(() => startEngine('reference', null));

  it('run as compositions on the stock backend, with the same outputs', async () => {
    await startEngine('reference', null);
    const cell = makeCell(layerOf({ type: 'lstm' }), 'pytorch');
    const run = () =>
      tidy(() => {
        const inputs = drawInputs(cell, { seqLen: 5, batch: 2, inputSize: 3, units: 4, seed: 3 });
        const weights = weightsFrom([...inputs.keys()], [...inputs.values()]);
        const options = { lengths: null, state: null, inputGradient: false };
        const { y } = runSequence(cell, inputs.get('x') as Tensor3D, weights, options);
        return add(y, 0).dataSync();
      });
    const fused = run();
    await useStockBackend();
    assertClose(fused, run(), 'y');
  });
});
