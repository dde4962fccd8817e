// Building models: names and shapes of variables, initial values by convention, what is refused and in which words.
import assert from 'node:assert/strict';
import { memory, tensor2d, tensor3d, tidy } from '@tensorflow/tfjs-core';
import { experimentSchema } from '../../../../src/experiment/schema.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { buildModel } from '../../../../src/trainer/layers/build.ts';
import { ModelError } from '../../../../src/trainer/layers/errors.ts';
import type { ForwardOptions, Model, ModelSizes } from '../../../../src/trainer/layers/model.ts';
import { assertClose } from '../engine/golden.ts';

const TEXT: ModelSizes = { input: { kind: 'tokens', vocabulary: 7 }, outputs: 7 };
const NUMBERS: ModelSizes = { input: { kind: 'vectors', features: 3 }, outputs: 2 };

function build(layers: object[], sizes = TEXT, convention = 'pytorch', seed = 1): Model {
  const experiment = experimentSchema.parse({ data: { task: 'adding' }, model: { convention, layers } });
  return buildModel(experiment, sizes, seed);
}

function values(model: Model, name: string): Float32Array {
  return model.variables.get(name)!.dataSync() as Float32Array;
}

const PASS: ForwardOptions = { training: false, step: 0, lengths: null, state: null, outputs: 'every-step' };

/** (columns × columns) products of the columns of a matrix. */
function gram(matrix: Float32Array, rows: number, columns: number): number[] {
  return Array.from({ length: columns * columns }, (_, at) => {
    const [i, j] = [Math.floor(at / columns), at % columns];
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += matrix[row * columns + i]! * matrix[row * columns + j]!;
    return sum;
  });
}

function identity(size: number): number[] {
  return Array.from({ length: size * size }, (_, at) => (at % (size + 1) === 0 ? 1 : 0));
}

describe('building a model', () => {
  before(() => startEngine('reference', null));

  it("names variables like PyTorch's state_dict, sorted, after the layer's place", () => {
    const model = build([
      { type: 'embedding', dim: 4 },
      { type: 'dropout', rate: 0.1 },
      { type: 'lstm', units: 5, layers: 2 },
      { type: 'dense' },
    ]);
    assert.deepEqual(
      [...model.variables].map(([name, { shape }]) => `${name} ${shape}`),
      [
        'layers.0.weight 7,4',
        'layers.2.bias_hh_l0 20',
        'layers.2.bias_hh_l1 20',
        'layers.2.bias_ih_l0 20',
        'layers.2.bias_ih_l1 20',
        'layers.2.weight_hh_l0 20,5',
        'layers.2.weight_hh_l1 20,5',
        'layers.2.weight_ih_l0 20,4',
        'layers.2.weight_ih_l1 20,5',
        'layers.3.bias 7',
        'layers.3.weight 7,5',
      ],
    );
    const lstm = { family: 'recurrent', title: 'LSTM', units: 5, gates: ['i', 'f', 'g', 'o'], keeps: 'f' };
    assert.deepEqual(model.levels.slice(2), [
      { ...lstm, name: 'layers.2.0' },
      { ...lstm, name: 'layers.2.1' },
    ]);
    assert.deepEqual(
      model.states.map(({ name, size }) => `${name} ${size}`),
      ['layers.2.0.h 5', 'layers.2.0.c 5', 'layers.2.1.h 5', 'layers.2.1.c 5'],
    );
    // the last dense layer is left to the loss: it has no row of its own
    assert.deepEqual(
      model.levels.map(({ name, family }) => `${name} ${family}`),
      ['layers.0 plain', 'layers.1 plain', 'layers.2.0 recurrent', 'layers.2.1 recurrent'],
    );
  });

  const parameterCounts: [string, object, string, number][] = [
    // H 5, I 3: G·H·(I + H + biases) and the dense 2·5 + 2
    ['PyTorch LSTM', { type: 'lstm', units: 5 }, 'pytorch', 4 * 5 * (3 + 5 + 2) + 12],
    ['Keras LSTM', { type: 'lstm', units: 5 }, 'keras', 4 * 5 * (3 + 5 + 1) + 12],
    ['PyTorch GRU', { type: 'gru', units: 5 }, 'pytorch', 3 * 5 * (3 + 5 + 2) + 12],
    ['Keras GRU, reset after', { type: 'gru', units: 5 }, 'keras', 3 * 5 * (3 + 5 + 2) + 12],
    ['tfjs GRU, reset before', { type: 'gru', units: 5 }, 'tfjs', 3 * 5 * (3 + 5 + 1) + 12],
    ['Keras simple RNN', { type: 'rnn', units: 5 }, 'keras', 5 * (3 + 5 + 1) + 12],
  ];
  for (const [name, layer, convention, count] of parameterCounts) {
    it(`${name} has ${count} parameters`, () => {
      const model = build([layer, { type: 'dense' }], NUMBERS, convention);
      assert.equal(
        [...model.variables.values()].reduce((sum, { size }) => sum + size, 0),
        count,
      );
    });
  }

  it('gives back every tensor on dispose, and keeps none of a model that is refused', () => {
    const before = memory().numTensors;
    build([{ type: 'gru', units: 3 }, { type: 'dense' }]).dispose();
    assert.equal(memory().numTensors, before);
    assert.throws(() => build([{ type: 'gru', units: 3 }]), ModelError);
    assert.equal(memory().numTensors, before);
  });
});

describe('initial values', () => {
  before(() => startEngine('reference', null));

  it('PyTorch: uniform within ±1/√H for recurrent layers, ±1/√I for dense, N(0, 1) for embeddings', () => {
    const model = build([{ type: 'embedding', dim: 64 }, { type: 'lstm', units: 25 }, { type: 'dense' }]);
    for (const name of ['weight_ih_l0', 'weight_hh_l0', 'bias_ih_l0', 'bias_hh_l0']) {
      const drawn = values(model, `layers.1.${name}`);
      const largest = Math.max(...drawn.map(Math.abs));
      assert.ok(largest <= 0.2 && largest > 0.18, `${name}: ${largest}`);
    }
    assert.ok(Math.max(...values(model, 'layers.2.weight').map(Math.abs)) <= 0.2);
    const vectors = values(model, 'layers.0.weight');
    const variance = vectors.reduce((sum, x) => sum + x * x, 0) / vectors.length;
    assert.ok(Math.abs(variance - 1) < 0.2, `variance ${variance}`);
  });

  it('Keras: Glorot-uniform kernels, orthogonal recurrent weights, zero biases, forget bias 1, one bias', () => {
    const model = build(
      [{ type: 'embedding', dim: 6 }, { type: 'lstm', units: 5 }, { type: 'dense' }],
      TEXT,
      'keras',
    );
    assert.ok(Math.max(...values(model, 'layers.0.weight').map(Math.abs)) <= 0.05);
    const limit = Math.sqrt(6 / (20 + 6));
    const largest = Math.max(...values(model, 'layers.1.weight_ih_l0').map(Math.abs));
    assert.ok(largest <= limit && largest > limit * 0.9, `${largest} of ${limit}`);
    assertClose(gram(values(model, 'layers.1.weight_hh_l0'), 20, 5), identity(5), 'WᵀW', 1e-6);
    assert.deepEqual(
      [...values(model, 'layers.1.bias_ih_l0')],
      [0, 1, 0, 0].flatMap(v => Array(5).fill(v)),
    );
    assert.ok(!model.variables.has('layers.1.bias_hh_l0'));
    assert.ok(values(model, 'layers.2.bias').every(v => v === 0));
  });

  it('tfjs: as Keras, with forget bias 0', () => {
    const model = build([{ type: 'lstm', units: 5 }, { type: 'dense' }], NUMBERS, 'tfjs');
    assert.ok(values(model, 'layers.0.bias_ih_l0').every(v => v === 0));
  });

  it('forgetBias is the sum of both biases', () => {
    const model = build([{ type: 'lstm', units: 3, forgetBias: 2 }, { type: 'dense' }], NUMBERS);
    assert.deepEqual([...values(model, 'layers.0.bias_ih_l0').slice(3, 6)], [2, 2, 2]);
    assert.deepEqual([...values(model, 'layers.0.bias_hh_l0').slice(3, 6)], [0, 0, 0]);
  });

  it('recurrentInit: orthogonal, identity, zeros, uniform and Glorot-uniform', () => {
    const of = (recurrentInit: string, layer: object = { type: 'gru', units: 4 }) =>
      values(build([{ ...layer, recurrentInit }, { type: 'dense' }], NUMBERS), 'layers.0.weight_hh_l0');
    assertClose(gram(of('orthogonal'), 12, 4), identity(4), 'WᵀW', 1e-6);
    assertClose(gram(of('orthogonal', { type: 'rnn', units: 40 }), 40, 40), identity(40), 'WᵀW', 1e-6);
    assert.deepEqual(
      [...of('identity')],
      [1, 2, 3].flatMap(() => identity(4)),
    );
    assert.ok(of('zeros').every(v => v === 0));
    const spread = (weights: Float32Array) => Math.max(...weights.map(Math.abs));
    assert.ok(spread(of('uniform')) <= 0.5 && spread(of('uniform')) > 0.4);
    const limit = Math.sqrt(6 / 16);
    assert.ok(spread(of('glorot-uniform')) <= limit && spread(of('glorot-uniform')) > 0.85 * limit);
  });

  it('orthogonal recurrent weights of any shape are exact to 1e-5', () => {
    for (const units of [1, 3, 5, 6, 64, 130]) {
      const model = build([{ type: 'rnn', units, recurrentInit: 'orthogonal' }, { type: 'dense' }], NUMBERS);
      const product = gram(values(model, 'layers.0.weight_hh_l0'), units, units);
      assertClose(product, identity(units), `WᵀW of ${units} units`, 1e-6);
    }
  });

  it('inputInit and recurrentInit: the spreads of Glorot and of He', () => {
    const [units, features] = [60, NUMBERS.input.kind === 'vectors' ? NUMBERS.input.features : 0];
    const of = (fields: object, name: string) =>
      values(build([{ type: 'gru', units, ...fields }, { type: 'dense' }], NUMBERS), `layers.0.${name}`);
    const variance = (weights: Float32Array) =>
      weights.reduce((total, w) => total + w * w, 0) / weights.length;
    const cases: [string, number, number][] = [
      ['glorot', 2 / (3 * units + features), 2 / (4 * units)],
      ['he', 2 / features, 2 / units],
    ];
    for (const [scheme, input, recurrent] of cases)
      for (const shape of ['uniform', 'normal']) {
        const init = `${scheme}-${shape}`;
        const weights = of({ inputInit: init }, 'weight_ih_l0');
        // 180·I and 10,800 numbers: the variance of a normal sample is within 3·√(2/n)
        assert.ok(
          Math.abs(variance(weights) / input - 1) < 0.25,
          `${init}: ${variance(weights)}, not ${input}`,
        );
        const hidden = of({ recurrentInit: init }, 'weight_hh_l0');
        assert.ok(Math.abs(variance(hidden) / recurrent - 1) < 0.05, `${init}: ${variance(hidden)}`);
        const largest = Math.max(...hidden.map(Math.abs));
        const bound = Math.sqrt(3 * recurrent);
        assert.ok(shape === 'uniform' ? largest <= bound : largest > bound, `${init}: largest ${largest}`);
      }
    assert.ok(of({ inputInit: 'zeros' }, 'weight_ih_l0').every(w => w === 0));
    assert.deepEqual(of({ inputInit: 'uniform' }, 'weight_ih_l0'), of({}, 'weight_ih_l0'));
    const wide = build([{ type: 'rnn', units: 9, inputInit: 'orthogonal' }, { type: 'dense' }], NUMBERS);
    assertClose(gram(values(wide, 'layers.0.weight_ih_l0'), 9, features), identity(features), 'WᵀW', 1e-6);
  });

  it('chrono: forget times uniform from 1 to T_max - 1, the input gate the other way round', () => {
    const [units, longest] = [400, 50];
    const biases = (layer: object, name: string) =>
      values(build([{ units, chrono: longest, ...layer }, { type: 'dense' }], NUMBERS), `layers.0.${name}`);
    const check = (forget: Float32Array) => {
      const times = forget.map(Math.exp);
      assert.ok(times.every(time => time >= 0.9999 && time <= longest - 0.999));
      const mean = times.reduce((total, time) => total + time, 0) / units;
      // a uniform from 1 to 49 has mean 25 and deviation 13.9; of 400, the mean is within 2.1
      assert.ok(Math.abs(mean - longest / 2) < 2.1, `mean forget time ${mean}`);
    };
    const lstm = biases({ type: 'lstm' }, 'bias_ih_l0');
    check(lstm.slice(units, 2 * units));
    assert.deepEqual(
      lstm.slice(0, units),
      lstm.slice(units, 2 * units).map(bias => -bias),
    );
    assert.ok(
      biases({ type: 'lstm' }, 'bias_hh_l0')
        .slice(0, 2 * units)
        .every(bias => bias === 0),
    );
    check(biases({ type: 'gru' }, 'bias_ih_l0').slice(units, 2 * units));
    assert.ok(
      biases({ type: 'gru' }, 'bias_hh_l0')
        .slice(units, 2 * units)
        .every(bias => bias === 0),
    );
    assert.deepEqual(biases({ type: 'lstm' }, 'bias_ih_l0'), lstm, 'same seed, same bits');
  });

  it('an IRNN keeps its state where nothing comes in', () => {
    const layer = { type: 'rnn', units: 4, activation: 'relu', recurrentInit: 'identity' };
    const model = build([layer, { type: 'dense' }], NUMBERS, 'keras');
    const h = Float32Array.of(0.5, 0, 2, 1);
    const input = tensor3d(new Float32Array(20 * 3), [20, 1, 3]);
    const { state } = model.forward(input, { ...PASS, state: { 'layers.0.0.h': h } });
    assert.deepEqual(state['layers.0.0.h'], h);
  });

  it('follow from the seed alone, and a change in one layer leaves the others', () => {
    const layers = [{ type: 'gru', units: 4 }, { type: 'dense' }];
    const [first, same, other] = [build(layers), build(layers), build(layers, TEXT, 'pytorch', 2)];
    for (const name of first.variables.keys()) {
      assert.deepEqual(values(same, name), values(first, name));
      assert.notDeepEqual(values(other, name), values(first, name));
    }
    const wider = build([{ type: 'lstm', units: 4 }, { type: 'dense' }]);
    assert.deepEqual(values(wider, 'layers.1.weight'), values(first, 'layers.1.weight'));
  });
});

describe('a model that cannot be', () => {
  before(() => startEngine('reference', null));

  const wrong: [string, object[], ModelSizes, RegExp, (string | number)[]][] = [
    [
      'no dense layer at the end',
      [{ type: 'lstm', units: 64 }],
      TEXT,
      /last layer \(lstm\) gives 64 outputs, but the task needs 7; end the model with \{ "type": "dense" \}/,
      ['model', 'layers', 0],
    ],
    [
      'a last dense layer of another width',
      [
        { type: 'gru', units: 4 },
        { type: 'dense', units: 10 },
      ],
      TEXT,
      /has 10 units, but the task needs 7 outputs; leave units out/,
      ['model', 'layers', 1, 'units'],
    ],
    [
      'a dense layer inside without units',
      [{ type: 'gru', units: 4 }, { type: 'dense' }, { type: 'dense' }],
      TEXT,
      /Layer 2 is a dense layer without units/,
      ['model', 'layers', 1, 'units'],
    ],
    [
      'an embedding of numbers',
      [{ type: 'embedding', dim: 4 }, { type: 'dense' }],
      NUMBERS,
      /feeds 3 numbers a step, not symbols; remove the embedding/,
      ['model', 'layers', 0],
    ],
    [
      'an embedding inside',
      [{ type: 'gru', units: 4 }, { type: 'embedding', dim: 4 }, { type: 'dense' }],
      TEXT,
      /Layer 2 is an embedding, but only the first layer sees symbols/,
      ['model', 'layers', 1],
    ],
    [
      'a model that learns nothing',
      [{ type: 'dropout', rate: 0.5 }],
      TEXT,
      /last layer \(dropout\)/,
      ['model', 'layers', 0],
    ],
  ];
  for (const [name, layers, sizes, message, path] of wrong) {
    it(`${name}`, () => {
      assert.throws(
        () => build(layers, sizes),
        (error: ModelError) => {
          assert.ok(error instanceof ModelError);
          assert.match(error.message, message);
          assert.deepEqual(error.path, path);
          return true;
        },
      );
    });
  }

  it('input of another kind or size is refused in words', () => {
    const model = build([{ type: 'gru', units: 4 }, { type: 'dense' }], NUMBERS);
    assert.throws(
      () => model.forward(tensor3d([1, 2], [1, 1, 2]), PASS),
      /float32 numbers \(seqLen, batch, 3\), but got float32 of shape \[1,1,2\]/,
    );
    const lengths = Int32Array.of(1, 1);
    assert.throws(
      () => model.forward(tensor3d([1, 2, 3], [1, 1, 3]), { ...PASS, lengths }),
      /2 lengths .* 1 sequences/,
    );
    assert.throws(
      () => model.forward(tensor3d([1, 2, 3], [1, 1, 3]), { ...PASS, state: {} }),
      /state that was given lacks layers\.0\.0\.h/,
    );
  });
});

describe('forward', () => {
  before(() => startEngine('reference', null));

  it('tokens without an embedding enter as one-hot vectors: the columns of the input weights', () => {
    tidy(() => {
      const model = build([{ type: 'rnn', units: 2 }, { type: 'dense' }]);
      const { state } = model.forward(tensor2d([[4]], [1, 1], 'int32'), PASS);
      const [weight, biasIh, biasHh] = ['weight_ih_l0', 'bias_ih_l0', 'bias_hh_l0'].map(name =>
        values(model, `layers.0.${name}`),
      ) as [Float32Array, Float32Array, Float32Array];
      const expected = [0, 1].map(unit => Math.tanh(weight[unit * 7 + 4]! + biasIh[unit]! + biasHh[unit]!));
      assertClose(state['layers.0.0.h']!, expected, 'h');
    });
  });

  for (const layers of [
    [{ type: 'gru', units: 4 }, { type: 'dense', units: 3, activation: 'tanh' }, { type: 'dense' }],
    [{ type: 'gru', units: 2 }],
    [{ type: 'dense' }],
  ]) {
    it(`last-step gives each sequence's last valid step: ${layers.map(({ type }) => type).join(', ')}`, () => {
      const model = build(layers, NUMBERS);
      const x = tensor3d(
        Float32Array.from({ length: 5 * 3 * 3 }, (_, i) => Math.sin(i)),
        [5, 3, 3],
      );
      const lengths = Int32Array.of(2, 5, 3);
      const every = model.forward(x, { ...PASS, lengths }).outputs.dataSync();
      const last = model.forward(x, { ...PASS, lengths, outputs: 'last-step' }).outputs;
      assert.deepEqual(last.shape, [1, 3, 2]);
      const at = [1, 4, 2].flatMap((t, b) => [...every.slice((t * 3 + b) * 2, (t * 3 + b) * 2 + 2)]);
      assertClose(last.dataSync(), at, 'outputs', 1e-7);
      const end = model.forward(x, { ...PASS, outputs: 'last-step' }).outputs.dataSync();
      assertClose(
        end,
        model.forward(x, PASS).outputs.dataSync().slice(-6),
        'outputs of whole sequences',
        1e-7,
      );
    });
  }

  it('dropout drops its share in training only, the same units at the same step, and keeps the mean', () => {
    const model = build([{ type: 'dropout', rate: 0.25 }, { type: 'dense' }], {
      input: { kind: 'vectors', features: 1 },
      outputs: 1,
    });
    values(model, 'layers.1.weight')[0] = 1;
    values(model, 'layers.1.bias')[0] = 0;
    const x = tensor3d(new Float32Array(8000).fill(3), [80, 100, 1]);
    const run = (options: Partial<ForwardOptions>) =>
      model.forward(x, { ...PASS, ...options }).outputs.dataSync();
    assert.ok(run({}).every(value => value === 3));
    const dropped = run({ training: true, step: 4 });
    assert.deepEqual([...new Set(dropped)].sort(), [0, 4]);
    const share = dropped.filter(value => value === 0).length / dropped.length;
    assert.ok(Math.abs(share - 0.25) < 0.02, `share ${share}`);
    assert.deepEqual(run({ training: true, step: 4 }), dropped);
    assert.notDeepEqual(run({ training: true, step: 5 }), dropped);
  });

  it('dropout of a stack stands between its levels and not after the last', () => {
    const layers = (count: number) => [{ type: 'rnn', units: 2, layers: count, dropout: 0.9 }];
    const x = tensor3d(
      Float32Array.from({ length: 30 }, (_, i) => Math.sin(i)),
      [10, 1, 3],
    );
    const differs = (count: number) => {
      const model = build(layers(count), NUMBERS);
      const run = (training: boolean) => [...model.forward(x, { ...PASS, training }).outputs.dataSync()];
      return String(run(true)) !== String(run(false));
    };
    assert.equal(differs(1), false);
    assert.equal(differs(2), true);
  });

  it('states carry a sequence on, through every level', () => {
    const model = build(
      [
        { type: 'lstm', units: 3, layers: 2 },
        { type: 'gru', units: 2 },
      ],
      NUMBERS,
    );
    const numbers = Float32Array.from({ length: 6 * 3 }, (_, i) => Math.cos(i));
    const whole = model.forward(tensor3d(numbers, [6, 1, 3]), PASS);
    const first = model.forward(tensor3d(numbers.slice(0, 6), [2, 1, 3]), PASS);
    assert.equal(Object.keys(first.state).length, model.states.length);
    const second = model.forward(tensor3d(numbers.slice(6), [4, 1, 3]), { ...PASS, state: first.state });
    assert.deepEqual(
      [...first.outputs.dataSync(), ...second.outputs.dataSync()],
      [...whole.outputs.dataSync()],
    );
    assert.deepEqual(second.state, whole.state);
  });
});
