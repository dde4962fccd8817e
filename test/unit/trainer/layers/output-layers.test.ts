// Adaptive softmax and tied embeddings against PyTorch's values (test/golden/output_layers.py), on each engine's kernels.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type Tensor, tensor, tidy, variableGrads } from '@tensorflow/tfjs-core';
import { countModel } from '../../../../src/experiment/parameters.ts';
import { type ExperimentInput, experimentSchema } from '../../../../src/experiment/schema.ts';
import type { ModelSizes } from '../../../../src/experiment/sizes.ts';
import { softmaxCrossEntropy } from '../../../../src/trainer/engine/losses.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { buildModel } from '../../../../src/trainer/layers/build.ts';
import type { Model } from '../../../../src/trainer/layers/model.ts';

interface Values {
  shape: number[];
  data: number[];
}
interface Adaptive {
  name: string;
  inputs: number;
  classes: number;
  cutoffs: number[];
  divValue: number;
  x: Values;
  targets: Values;
  logProb: Values;
  loss: Values;
  weights: Record<string, Values>;
  gradients: Record<string, Values>;
}
type Tied = Pick<Adaptive, 'targets' | 'loss' | 'weights' | 'gradients'> & { name: string; tokens: Values };

const { cases } = JSON.parse(readFileSync('test/golden/output_layers.json', 'utf8')) as {
  cases: (Adaptive | Tied)[];
};

function build(layers: ExperimentInput['model']['layers'], sizes: ModelSizes): Model {
  const experiment = experimentSchema.parse({ data: { task: 'byte-lm', path: 'a' }, model: { layers } });
  const model = buildModel(experiment, sizes, 1);
  let count = 0;
  for (const { size } of model.variables.values()) count += size;
  assert.equal(countModel(experiment, sizes).total, count, 'the parameters that are told beforehand');
  return model;
}

const close = (found: ArrayLike<number>, expected: ArrayLike<number>, what: string, tolerance = 2e-6) => {
  assert.equal(found.length, expected.length, what);
  for (let at = 0; at < found.length; at++)
    assert.ok(
      Math.abs(found[at]! - expected[at]!) < tolerance,
      `${what}[${at}]: ${found[at]} for ${expected[at]}`,
    );
};

for (const engine of ['reference', 'auto'] as const)
  describe(`output layers: ${engine}`, () => {
    before(() => startEngine(engine, null));

    for (const each of cases.filter(each => 'cutoffs' in each))
      it(`adaptive softmax is torch.nn.AdaptiveLogSoftmaxWithLoss: ${each.name}`, () => {
        const { cutoffs, divValue, classes, inputs } = each;
        const model = build([{ type: 'adaptive-softmax', cutoffs, divValue }], {
          input: { kind: 'vectors', features: inputs },
          outputs: classes,
        });
        for (const [name, own] of model.variables)
          own.assign(tensor(each.weights[name.replace('layers.0.', '')]!.data, own.shape));
        const options = {
          training: true,
          step: 1,
          lengths: null,
          state: null,
          outputs: 'every-step',
        } as const;
        const x = () => tensor(each.x.data, each.x.shape as [number, number, number]);
        const outputs = tidy(() => model.forward(x(), options).outputs);
        close(outputs.dataSync(), each.logProb.data, 'log p', 5e-6);
        const targets = Int32Array.from(each.targets.data);
        const whole = tidy(() => softmaxCrossEntropy(outputs, targets, null).dataSync());
        close(whole, each.loss.data, 'the loss of log p as logits');
        const { value, grads } = variableGrads(() =>
          softmaxCrossEntropy(model.forwardToLoss(x(), options).outputs, targets, null),
        );
        close(value.dataSync(), each.loss.data, 'loss');
        for (const [name, gradient] of Object.entries(each.gradients)) {
          const own = [...model.variables].find(([full]) => full === `layers.0.${name}`)![1];
          close(grads[own.name]!.dataSync(), gradient.data, name);
        }
        // masked rows count for nothing, as if they were not there
        const weights = Float32Array.from(targets, (_, row) => (row % 3 === 0 ? 0 : 1));
        const masked = tidy(() =>
          softmaxCrossEntropy(model.forwardToLoss(x(), options).outputs, targets, weights).dataSync(),
        );
        close(
          masked,
          tidy(() => softmaxCrossEntropy(outputs, targets, weights).dataSync()),
          'masked loss',
        );
        model.dispose();
      });

    it('a tied last layer has the embedding’s matrix, and its gradients flow into it from both sides', () => {
      const each = cases.find(({ name }) => name === 'tied') as Tied;
      const model = build(
        [
          { type: 'embedding', dim: 4 },
          { type: 'dense', units: 4, activation: 'tanh' },
          { type: 'dense', tied: true },
        ],
        { input: { kind: 'tokens', vocabulary: 5 }, outputs: 5 },
      );
      const set = (name: string, values: Values | number[]) => {
        const own = model.variables.get(name)!;
        own.assign(tensor(Array.isArray(values) ? values : values.data, own.shape));
        return own;
      };
      const table = set('layers.0.weight', each.weights['weight']!);
      const bias = set('layers.2.bias', each.weights['bias']!);
      // the layer between is the identity before its tanh
      set('layers.1.weight', [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
      set('layers.1.bias', [0, 0, 0, 0]);
      assert.ok(!model.variables.has('layers.2.weight'));
      const options = { training: true, step: 1, lengths: null, state: null, outputs: 'every-step' } as const;
      const tokens: Tensor = tensor(each.tokens.data, each.tokens.shape, 'int32');
      const { value, grads } = variableGrads(() =>
        softmaxCrossEntropy(
          model.forwardToLoss(tokens, options).outputs,
          Int32Array.from(each.targets.data),
          null,
        ),
      );
      close(value.dataSync(), each.loss.data, 'loss');
      close(grads[table.name]!.dataSync(), each.gradients['weight']!.data, 'weight');
      close(grads[bias.name]!.dataSync(), each.gradients['bias']!.data, 'bias');
      model.dispose();
    });

    it('say in a sentence what does not fit', () => {
      const sizes: ModelSizes = { input: { kind: 'tokens', vocabulary: 5 }, outputs: 5 };
      const embedded = { type: 'embedding', dim: 4 } as const;
      assert.throws(
        () => build([embedded, { type: 'gru', units: 3 }, { type: 'dense', tied: true }], sizes),
        /Layer 3 is tied to the embedding, but that is 4 wide and this layer reads 3 numbers; make them equal\./,
      );
      assert.throws(
        () =>
          build(
            [
              { type: 'gru', units: 3 },
              { type: 'dense', tied: true },
            ],
            sizes,
          ),
        /Layer 2 is tied to the embedding, but the model has none\./,
      );
      assert.throws(
        () => build([embedded, { type: 'adaptive-softmax', cutoffs: [2, 5] }], sizes),
        /Layer 2 is an adaptive softmax whose last cutoff, 5, is not below the 5 outputs\./,
      );
    });
  });
