// Transformer and TCN layers beyond what the golden models tell: counts, reach, positions, and writing without states.
import assert from 'node:assert/strict';
import { tensor, tidy } from '@tensorflow/tfjs-core';
import { countModel } from '../../../../src/experiment/parameters.ts';
import { type ExperimentInput, experimentSchema } from '../../../../src/experiment/schema.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { sinusoids } from '../../../../src/trainer/layers/attention-positions.ts';
import { buildModel } from '../../../../src/trainer/layers/build.ts';
import type { ForwardOptions, Model } from '../../../../src/trainer/layers/model.ts';
import { randomStream } from '../../../../src/trainer/random.ts';
import { generate } from '../../../../src/trainer/tasks/generate.ts';

const V = 5;
const SEQ_LEN = 8;
const sizes = { input: { kind: 'tokens', vocabulary: V }, outputs: V } as const;
const pass: ForwardOptions = { training: false, step: 0, lengths: null, state: null, outputs: 'every-step' };

type Layers = ExperimentInput['model']['layers'];
const vectors = { type: 'embedding', dim: 4 } as const;

function experimentOf(layers: Layers) {
  return experimentSchema.parse({
    data: { task: 'char-lm', path: 'a.txt' },
    model: { layers: [...layers, { type: 'dense' }] },
    training: { seqLen: SEQ_LEN },
  });
}

function build(layers: Layers): Model {
  return buildModel(experimentOf(layers), sizes, 1);
}

function forward(model: Model, tokens: readonly number[]): Float32Array {
  return tidy(() =>
    Float32Array.from(
      model.forward(tensor([...tokens], [tokens.length, 1], 'int32'), pass).outputs.dataSync(),
    ),
  );
}

/** The steps whose outputs differ when the token of step 3 is another one. */
function reachOfStep3(layers: Layers): number[] {
  const model = build(layers);
  const tokens = [0, 1, 2, 3, 4, 0, 1, 2];
  const [one, other] = [forward(model, tokens), forward(model, tokens.with(3, 1))];
  model.dispose();
  return tokens.flatMap((_, t) => {
    const row = (values: Float32Array) => values.subarray(t * V, (t + 1) * V).join();
    return row(one) === row(other) ? [] : [t];
  });
}

const stacks: Record<string, Layers> = {
  transformer: [vectors, { type: 'transformer', layers: 2, heads: 2 }],
  'transformer with sinusoids': [vectors, { type: 'transformer', hidden: 3, positions: 'sinusoidal' }],
  'transformer after an LSTM': [{ type: 'lstm', units: 8 }, { type: 'transformer' }, { type: 'layer-norm' }],
  tcn: [vectors, { type: 'tcn', units: 3, layers: 3 }],
  'tcn as wide as its input': [vectors, { type: 'tcn', units: 4, kernelSize: 2 }],
  'transformer after a layer that halves sequences': [
    vectors,
    { type: 'conv1d', units: 8, stride: 2 },
    { type: 'transformer' },
  ],
  'bidirectional gru': [{ type: 'gru', units: 3, layers: 2, bidirectional: true }],
};

describe('Transformer and TCN layers', () => {
  before(() => startEngine('reference', null));

  for (const [name, layers] of Object.entries(stacks)) {
    it(`${name}: the parameters that are told beforehand are those it has`, () => {
      const model = build(layers);
      const { total, layers: counts } = countModel(experimentOf(layers), sizes);
      const actual = [...model.variables.values()].reduce((sum, { size }) => sum + size, 0);
      assert.equal(total, actual);
      for (const { count, formula } of counts) {
        const value = Function(`return ${formula.replaceAll('·', '*').replaceAll('²', '**2')}`)();
        assert.equal(value, count, formula);
      }
      model.dispose();
    });
  }

  it('look back only, as far as they say', () => {
    assert.deepEqual(reachOfStep3(stacks.transformer!), [3, 4, 5, 6, 7]);
    assert.deepEqual(reachOfStep3([vectors, { type: 'transformer', window: 2 }]), [3, 4]);
    assert.deepEqual(reachOfStep3([vectors, { type: 'transformer', window: 2, layers: 2 }]), [3, 4, 5]);
    // 1 + 2 (kernelSize - 1) (2^layers - 1) steps
    assert.deepEqual(reachOfStep3([vectors, { type: 'tcn', units: 16, kernelSize: 2 }]), [3, 4, 5]);
  });

  it('positions tell the steps of one repeated symbol apart; learned ones end with the training sequence', () => {
    const rows = (layers: Layers) => {
      const model = build(layers);
      const outputs = forward(model, [2, 2, 2]);
      model.dispose();
      return new Set([0, 1, 2].map(t => outputs.subarray(t * V, (t + 1) * V).join())).size;
    };
    assert.equal(rows([vectors, { type: 'transformer', positions: 'none' }]), 1);
    assert.equal(rows([vectors, { type: 'transformer' }]), 3);
    assert.equal(rows([vectors, { type: 'transformer', positions: 'sinusoidal' }]), 3);
    const model = build(stacks.transformer!);
    assert.throws(() => forward(model, Array(9).fill(1)), /learned 8 positions, but got a sequence of 9/);
    model.dispose();
    assert.deepEqual(
      [...sinusoids(2, 3)].map(x => x.toFixed(4)),
      ['0.0000', '1.0000', '0.0000', '0.8415', '0.5403', '0.0022'],
    );
  });

  it('refuse a width that the heads cannot share', () => {
    assert.throws(() => build([{ type: 'transformer', heads: 3 }]), /shares 5 numbers among 3 heads/);
  });

  for (const name of ['transformer', 'tcn', 'transformer after an LSTM']) {
    it(`${name}: writes on from the newest steps, as many as a training sequence has`, () => {
      const model = build(stacks[name]!);
      assert.equal(model.context, SEQ_LEN);
      const prompt = [1, 3, 0, 2];
      const writing = generate(model, prompt, {
        length: 8,
        temperature: 1e-6,
        random: randomStream(1, 't', 0),
      });
      let turn = writing.next();
      while (!turn.done) turn = writing.next();
      const expected = [...prompt];
      for (let i = 0; i < 8; i++) {
        const last = [...forward(model, expected.slice(-SEQ_LEN)).subarray(-V)];
        expected.push(last.indexOf(Math.max(...last)));
      }
      assert.deepEqual(turn.value, expected.slice(prompt.length));
      model.dispose();
    });
  }

  it('a model of states alone has no such limit', () => {
    const model = build([{ type: 'lstm', units: 3 }, { type: 'layer-norm' }]);
    assert.equal(model.context, null);
    model.dispose();
  });
});
