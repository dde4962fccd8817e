// Which tfjs kernels one training step of each layer runs, and that many steps leave no tensor behind. A stock
// kernel is slow, element by element in JavaScript: one that is not on the allow-list has slipped in.
import assert from 'node:assert/strict';
import { memory, profile, tensor, tidy, variableGrads } from '@tensorflow/tfjs-core';
import { type ExperimentInput, experimentSchema } from '../../../../src/experiment/schema.ts';
import { softmaxCrossEntropy } from '../../../../src/trainer/engine/losses.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { buildModel } from '../../../../src/trainer/layers/build.ts';
import { clipByGlobalNorm, createOptimizer } from '../../../../src/trainer/training/optimizers.ts';
import { deep } from '../engine/golden.ts';

const [T, B, V] = [6, 3, 5];

/** Runs ours, and of tfjs's own only what moves no numbers, or next to none. */
const OURS = /^Unroll/;
const ALLOWED: Record<string, string> = {
  Add: 'ours, for two tensors of one shape; residuals and sums of gradients',
  Identity: 'shares its storage',
  Reshape: 'shares its storage',
};

type Layers = ExperimentInput['model']['layers'];
const vectors = { type: 'embedding', dim: 4 } as const;

const stacks: Record<string, Layers> = {
  embedding: [vectors],
  rnn: [{ type: 'rnn', units: 3 }],
  lstm: [{ type: 'lstm', units: 3, layers: 2 }],
  gru: [{ type: 'gru', units: 3 }],
  'gru, reset before': [{ type: 'gru', units: 3, resetAfter: false }],
  'bidirectional lstm': [{ type: 'lstm', units: 3, layers: 2, bidirectional: true }],
  transformer: [vectors, { type: 'transformer', layers: 2, heads: 2 }],
  'transformer with sinusoids': [
    vectors,
    { type: 'transformer', positions: 'sinusoidal', activation: 'relu' },
  ],
  tcn: [vectors, { type: 'tcn', units: 3, layers: 2 }],
  'layer-norm': [vectors, { type: 'layer-norm' }],
  dense: [vectors, { type: 'dense', units: 4, activation: 'tanh' }],
  dropout: [vectors, { type: 'dropout', rate: 0.5 }],
};

/** A model under training: each call is one step. */
function trainer(layers: Layers, outputs: 'every-step' | 'last-step') {
  const experiment = experimentSchema.parse({
    data: { task: 'temporal-order', length: 10 },
    model: { layers: [...layers, { type: 'dense' }] },
  });
  const model = buildModel(experiment, { input: { kind: 'tokens', vocabulary: V }, outputs: V }, 1);
  const optimizer = createOptimizer(experiment.training.optimizer, model.variables);
  const tokens = Int32Array.from({ length: T * B }, (_, i) => (i * 7) % V);
  const rows = outputs === 'every-step' ? T * B : B;
  let step = 0;
  const train = () =>
    tidy(() => {
      const input = tensor(tokens, [T, B], 'int32');
      const { grads } = variableGrads(() => {
        const options = {
          training: true,
          step: step++,
          lengths: Int32Array.of(6, 2, 4),
          state: null,
          outputs,
        };
        const { outputs: toLoss } = model.forwardToLoss(input, {
          ...options,
          watch: { gates: () => {} },
        });
        return softmaxCrossEntropy(toLoss, tokens.subarray(0, rows), null);
      }, [...model.variables.values()]);
      const named = [...model.variables].map(([name, { name: key }]) => [name, grads[key]!] as const);
      const gradients = new Map(named);
      clipByGlobalNorm(gradients, 1);
      optimizer.step(gradients, 0.01);
    });
  return { train, dispose: () => model.dispose() };
}

describe('one training step of each layer', () => {
  before(() => startEngine('reference', null));

  for (const [name, layers] of Object.entries(stacks)) {
    for (const outputs of ['every-step', 'last-step'] as const) {
      it(`${name}, ${outputs}: runs our kernels, and of tfjs's only those on its list`, async () => {
        const { train, dispose } = trainer(layers, outputs);
        train();
        const { kernelNames } = await profile(() => {
          train();
          return tensor(0);
        });
        dispose();
        // symbols without an embedding enter through tfjs's one-hot and its cast
        const entry =
          layers[0]!.type === 'embedding' ? {} : { OneHot: 'once a step', Cast: 'shares its storage' };
        const allowed = { ...ALLOWED, ...entry };
        const strangers = kernelNames.filter(kernel => !OURS.test(kernel) && !(kernel in allowed));
        assert.deepEqual(strangers, []);
        assert.ok(
          kernelNames.some(kernel => OURS.test(kernel)),
          'a step runs some kernel of ours',
        );
      });
    }

    it(`${name}: many steps leave the number of tensors and their bytes level`, () => {
      const before = memory().numTensors;
      const { train, dispose } = trainer(layers, 'every-step');
      train();
      const [tensors, bytes] = [memory().numTensors, memory().numBytes];
      for (let step = 1; step < deep(100); step++) train();
      assert.deepEqual([memory().numTensors, memory().numBytes], [tensors, bytes]);
      dispose();
      assert.equal(memory().numTensors, before);
    });
  }
});
