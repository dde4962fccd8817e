// What recurrent matrices do to lengths: eigenvalues against numpy, each layer's maps, the Jacobian's product against an
// explicit one, and the cut of truncated BPTT.
import assert from 'node:assert/strict';
import { tensor, tidy } from '@tensorflow/tfjs-core';
import { type Experiment, experimentSchema } from '../../../../src/experiment/schema.ts';
import { eigenvaluesOf, singularValuesOf, spectrumOf } from '../../../../src/trainer/engine/eigenvalues.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { buildModel } from '../../../../src/trainer/layers/build.ts';
import type { Model } from '../../../../src/trainer/layers/model.ts';
import { directions, jacobian, jacobianNorms } from '../../../../src/trainer/probes/jacobian.ts';
import { reach } from '../../../../src/trainer/probes/reach.ts';
import { spectrum, spectrumEvery } from '../../../../src/trainer/probes/spectrum.ts';
import { openTask } from '../../../../src/trainer/tasks/index.ts';
import { intervalsOf } from '../../../../src/trainer/training/intervals.ts';
import { Trainer } from '../../../../src/trainer/training/trainer.ts';
import { assertClose, type GoldenTensor, readGolden } from '../engine/golden.ts';
import { numbers } from '../layers/alone.ts';

interface EigenCase {
  name: string;
  matrix: GoldenTensor;
  eigenvalues: GoldenTensor;
  singularValues: GoldenTensor;
}

function experimentOf(
  layers: object[],
  training: object = {},
  data: object = { task: 'adding', length: 12 },
) {
  return experimentSchema.parse({ data, model: { layers: [...layers, { type: 'dense' }] }, training });
}

function modelOf(experiment: Experiment, features = 3): Model {
  return buildModel(experiment, { input: { kind: 'vectors', features }, outputs: 1 }, 1);
}

function spectraOf(layer: object): Map<string, number[]> {
  const model = modelOf(experimentOf([layer]));
  const found = model.maps.map((map): [string, number[]] => {
    const { radius, sigma, condition } = map.spectrum();
    return [map.name, [radius, sigma, condition]];
  });
  model.dispose();
  return new Map(found);
}

function weight(model: Model, name: string): Float32Array {
  return model.variables.get(`layers.0.${name}`)!.dataSync() as Float32Array;
}

function setWeight(model: Model, name: string, values: ArrayLike<number>): void {
  const variable = model.variables.get(`layers.0.${name}`)!;
  const fresh = tensor(Float32Array.from(values), variable.shape);
  variable.assign(fresh);
  fresh.dispose();
}

describe('eigenvalues and singular values', () => {
  for (const { name, matrix, eigenvalues, singularValues } of readGolden<EigenCase>('eigenvalues'))
    it(`are numpy's: ${name}`, () => {
      const n = matrix.shape[0]!;
      const { re, im } = eigenvaluesOf(matrix.data, n);
      const sizes = re
        .map((part, i) => Math.hypot(part, im[i]!))
        .sort()
        .reverse();
      assertClose(sizes, eigenvalues.data, 'eigenvalues', 1e-7);
      assertClose(singularValuesOf(matrix.data, n), singularValues.data, 'singular values', 1e-7);
    });

  it('are NaN of a matrix that is not finite', () => {
    const { radius, sigma } = spectrumOf([1, Number.NaN, 0, Number.POSITIVE_INFINITY], 2);
    assert.ok(Number.isNaN(radius) && Number.isNaN(sigma));
  });
});

describe('the maps of a recurrence', () => {
  before(() => startEngine('reference', null));

  it('are a matrix for each gate', () => {
    assert.deepEqual(
      [...spectraOf({ type: 'lstm', units: 4, layers: 2 }).keys()],
      ['i', 'f', 'g', 'o']
        .flatMap(gate => [`layers.0.0 ${gate}`])
        .concat(['i', 'f', 'g', 'o'].map(gate => `layers.0.1 ${gate}`)),
    );
    assert.deepEqual([...spectraOf({ type: 'gru', units: 4, bidirectional: true }).keys()].slice(3), [
      'layers.0.0-reverse r',
      'layers.0.0-reverse z',
      'layers.0.0-reverse n',
    ]);
  });

  it('keep every length where they are orthogonal', () => {
    for (const layer of [
      { type: 'rnn', units: 9, recurrentInit: 'orthogonal' },
      { type: 'orthogonal-rnn', units: 9 },
    ])
      for (const [name, figures] of spectraOf(layer)) assertClose(figures, [1, 1, 1], name, 1e-5);
  });

  it('are the poles of diagonal recurrences, and the decays of a memory', () => {
    const experiment = experimentOf([{ type: 'lru', units: 8 }]);
    const model = modelOf(experiment);
    const poles = weight(model, 'nu_log').map(nu => Math.exp(-Math.exp(nu)));
    const [lru] = model.maps;
    const { radius, condition } = lru!.spectrum();
    assert.equal(radius, Math.max(...poles));
    assert.ok(Math.abs(condition - Math.max(...poles) / Math.min(...poles)) < 1e-6 * condition);
    model.dispose();
    assertClose(
      spectraOf({ type: 'retnet', units: 8, heads: 2 }).get('layers.0')!.slice(0, 1),
      [1 - 2 ** -6],
      'decay',
    );
    for (const type of ['s4d', 's5']) {
      const [largest] = spectraOf({ type, units: 6 }).get('layers.0')!;
      assert.ok(largest! > 0 && largest! < 1, `${type}: ${largest}`);
    }
    const [own] = spectraOf({ type: 'echo-state', units: 30, spectralRadius: 0.7 }).get('layers.0')!;
    assert.ok(Math.abs(own! - 0.7) < 1e-5);
  });

  it('are looked at as often as their cost allows', () => {
    const small = experimentOf([{ type: 'lstm', units: 8 }], { steps: 1000 });
    const sizes = { input: { kind: 'vectors', features: 2 }, outputs: 1 } as const;
    const rows = (units: number) => 1000 / spectrumEvery(small, [{ size: units }], sizes);
    assert.ok(rows(8) >= 10 && rows(8) <= 200, `${rows(8)}`);
    assert.ok(rows(1000) < 1);
    assert.equal(
      spectrumEvery({ ...small, probes: { ...small.probes, spectrum: false } }, [{ size: 8 }], sizes),
      0,
    );
  });
});

/** LSTM layers on the native engine, 2 threads and AVX-512: ms of a step, and of the figures of one of its matrices. */
const MEASURED = [
  { features: 32, units: 32, length: 100, batchSize: 32, step: 0.7, row: 1.27 },
  { features: 64, units: 128, length: 64, batchSize: 32, step: 2.31, row: 28.9 },
  { features: 128, units: 256, length: 64, batchSize: 32, step: 11.9, row: 164 },
  { features: 256, units: 512, length: 35, batchSize: 20, step: 16.4, row: 1156 },
];

describe('the cost of the spectrum', () => {
  for (const { features, units, length, batchSize, step, row } of MEASURED)
    it(`is half a percent of the steps of ${features}/${units}`, () => {
      const experiment = experimentOf(
        [{ type: 'lstm', units }],
        { steps: 1000, batchSize },
        { task: 'adding', length },
      );
      const sizes = { input: { kind: 'vectors', features }, outputs: 1 } as const;
      const maps = Array.from({ length: 4 }, () => ({ size: units }));
      const share = (4 * row) / (spectrumEvery(experiment, maps, sizes) * step);
      assert.ok(share > 0.002 && share < 0.007, `${share}`);
    });
});

describe("the product of the steps' Jacobians", () => {
  before(() => startEngine('reference', null));

  const [T, B, H] = [9, 3, 4];

  /** The same matrix in float64 many times, and the mean length of vᵀ M: not of M v. */
  function lengths(
    stepOf: (t: number, b: number) => number[][],
    seed: number,
  ): { left: number[]; right: number[] } {
    const drawn = directions([T, B, H], null, seed);
    const left = new Array<number>(T).fill(0);
    const right = new Array<number>(T).fill(0);
    for (let b = 0; b < B; b++) {
      const v = Array.from(drawn.subarray(((T - 1) * B + b) * H, ((T - 1) * B + b + 1) * H));
      // M = J_T J_{T-1} … J_{t+1}
      let product = Array.from({ length: H }, (_, i) =>
        Array.from({ length: H }, (__, j) => Number(i === j)),
      );
      for (let t = T - 1; t >= 0; t--) {
        const row = product[0]!.map((_, j) => v.reduce((sum, part, i) => sum + part * product[i]![j]!, 0));
        const column = product.map(each => each.reduce((sum, m, j) => sum + m * v[j]!, 0));
        left[t]! += Math.hypot(...row) / B;
        right[t]! += Math.hypot(...column) / B;
        const J = stepOf(t, b);
        product = product.map(each =>
          J[0]!.map((_, j) => each.reduce((sum, m, k) => sum + m * J[k]![j]!, 0)),
        );
      }
    }
    return { left, right };
  }

  const batch = {
    seqLen: T,
    batch: B,
    input: numbers(T * B * 3, 'jacobian'),
    targets: new Float32Array(B),
    lengths: null,
    continues: false,
  };

  function seenOf(model: Model, seed: number, window = T) {
    return jacobianNorms(model, batch, null, { name: 'layers.0', level: 0, window, seed });
  }

  it('is taken from the last step back: of a W that is not symmetric, and linear', () => {
    const model = modelOf(experimentOf([{ type: 'rnn', units: H, activation: 'linear' }]));
    // far from normal, so that Wᵀ and W lengthen different vectors
    const W = [0.5, 1.5, 0, 0, 0, 0.4, 1.2, 0, 0, 0, 0.6, 0.9, 0.1, 0, 0, 0.3];
    setWeight(model, 'weight_hh_l0', W);
    const { norms } = seenOf(model, 3);
    const rows = Array.from({ length: H }, (_, i) => W.slice(i * H, (i + 1) * H));
    const { left, right } = lengths(() => rows, 3);
    assertClose(norms, left, 'norms', 1e-5);
    assert.ok(
      right.some((length, t) => Math.abs(length / left[t]! - 1) > 0.3),
      'the other way round is another thing',
    );
    model.dispose();
  });

  it('has the slopes of each step in it: tanh', () => {
    const model = modelOf(experimentOf([{ type: 'rnn', units: H }]));
    setWeight(model, 'weight_hh_l0', numbers(H * H, 'w'));
    const W = weight(model, 'weight_hh_l0');
    const states = tidy(() => {
      let y: Float32Array | null = null;
      model.forward(tensor(batch.input, [T, B, 3]), {
        training: false,
        step: 0,
        lengths: null,
        state: null,
        outputs: 'every-step',
        watch: {
          output(layer, _, output) {
            if (layer === 'layers.0') y = Float32Array.from(output().dataSync());
          },
        },
      });
      return y! as Float32Array;
    });
    const stepOf = (t: number, b: number) =>
      Array.from({ length: H }, (_, i) => {
        const slope = 1 - states[(t * B + b) * H + i]! ** 2;
        return Array.from({ length: H }, (__, j) => slope * W[i * H + j]!);
      });
    assertClose(seenOf(model, 5).norms, lengths(stepOf, 5).left, 'norms', 1e-5);
    model.dispose();
  });

  it('is 1 at every step of a linear orthogonal RNN, and λ^(T−t) of λ times it', () => {
    const model = modelOf(experimentOf([{ type: 'orthogonal-rnn', units: H, activation: 'linear' }]));
    assertClose(seenOf(model, 1).norms, new Float32Array(T).fill(1), 'norms', 1e-5);
    model.dispose();
    const scaled = modelOf(
      experimentOf([{ type: 'rnn', units: H, activation: 'linear', recurrentInit: 'orthogonal' }]),
    );
    setWeight(
      scaled,
      'weight_hh_l0',
      weight(scaled, 'weight_hh_l0').map(w => 0.5 * w),
    );
    const { norms } = seenOf(scaled, 1);
    for (let t = 0; t < T; t++) assert.ok(Math.abs(norms[t]! / 0.5 ** (T - 1 - t) - 1) < 1e-4, `t = ${t}`);
    scaled.dispose();
  });

  it('goes no further back than the window of truncated BPTT, with the same steps in it', () => {
    const model = modelOf(experimentOf([{ type: 'gru', units: H }]));
    const whole = seenOf(model, 2).norms;
    const { from, norms } = seenOf(model, 2, 4);
    assert.equal(from, 5);
    assertClose(norms, whole.slice(5), 'norms', 1e-5);
    model.dispose();
  });

  for (const type of ['lstm', 'lru', 'clockwork', 'gated-deltanet', 's-lstm'])
    it(`is recorded of any layer that carries a state: ${type}`, async () => {
      const experiment = experimentOf(
        [
          { type: 'dense', units: 3 },
          { type, units: 8 },
        ],
        { steps: 40, batchSize: 4 },
      );
      const task = await openTask(experiment, { base: '', workspace: '', allowedPaths: [] });
      const model = buildModel(experiment, task.sizes, 1);
      const intervals = intervalsOf(experiment, { extraPass: false, validationBatches: 1 });
      const open = jacobian.open({ experiment, model, task, intervals })!;
      assert.deepEqual(open.sidecars[0]!.layers.length, 1);
      const first = task.trainingBatch(1);
      open.begin!(first);
      open.before!(first, null);
      const row = open.rows().get('jacobian-flow')!;
      assert.equal(row.length, 12);
      assert.ok(
        row.every(norm => norm > 0 && Number.isFinite(norm)),
        String(row),
      );
      model.dispose();
    });
});

describe('the cut of truncated BPTT', () => {
  before(() => startEngine('reference', null));

  it('leaves exact zeros left of it, and the Jacobian unknown there', async () => {
    const training = { steps: 40, batchSize: 4, bptt: { window: 5 } };
    const experiment = experimentOf([{ type: 'rnn', units: 6 }], training);
    const task = await openTask(experiment, { base: '', workspace: '', allowedPaths: [] });
    const model = buildModel(experiment, task.sizes, 1);
    const intervals = intervalsOf(experiment, { extraPass: false, validationBatches: 1 });
    const trainer = new Trainer(experiment, task);
    const open = reach.open({ experiment, model: trainer.model, task, intervals })!;
    trainer.advance({ begin: open.begin, watch: open.watch, before: open.before });
    const row = open.rows().get('gradient-flow')!;
    assert.deepEqual([...row.slice(0, 7)], new Array(7).fill(0));
    assert.ok(row.slice(7).every(norm => norm > 0));
    const product = jacobian.open({ experiment, model, task, intervals })!;
    product.begin!(task.trainingBatch(1));
    product.before!(task.trainingBatch(1), null);
    const norms = product.rows().get('jacobian-flow')!;
    assert.ok(norms.slice(0, 7).every(Number.isNaN) && norms.slice(7).every(norm => norm > 0), String(norms));
    trainer.dispose();
    model.dispose();
  });
});

describe('the probe spectrum', () => {
  before(() => startEngine('reference', null));

  it('writes three figures of each map', async () => {
    const experiment = experimentOf([{ type: 'rnn', units: 5, recurrentInit: 'orthogonal', layers: 2 }], {
      steps: 40,
    });
    const task = await openTask(experiment, { base: '', workspace: '', allowedPaths: [] });
    const model = buildModel(experiment, task.sizes, 1);
    const intervals = intervalsOf(experiment, { extraPass: false, validationBatches: 1 });
    const open = spectrum.open({ experiment, model, task, intervals })!;
    assert.deepEqual(open.sidecars[0]!.axes[0]!.labels, ['layers.0.0', 'layers.0.1']);
    open.before!(task.trainingBatch(1), null);
    assertClose(open.rows().get('spectrum')!, new Array(6).fill(1), 'figures', 1e-5);
    model.dispose();
    const off = { ...experiment, probes: { ...experiment.probes, spectrum: false as const } };
    assert.equal(spectrum.open({ experiment: off, model, task, intervals }), null);
    assert.equal(jacobian.open({ experiment: off, model, task, intervals }), null);
  });
});
