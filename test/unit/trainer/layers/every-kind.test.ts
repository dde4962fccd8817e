// What holds of every layer that reads across steps, whichever it is: each one of the registry is put between two dense
// layers, so that a new kind is tested by being there; and recurrent ones with what their fields change.
import assert from 'node:assert/strict';
import {
  add,
  mean,
  mul,
  type Scalar,
  square,
  squaredDifference,
  tensor,
  tidy,
  type Variable,
} from '@tensorflow/tfjs-core';
import { CELL_TYPES, kindOf, type LayerType } from '../../../../src/experiment/layers/index.ts';
import { placeLayers } from '../../../../src/experiment/models.ts';
import { experimentSchema } from '../../../../src/experiment/schema.ts';
import { gradientsOf } from '../../../../src/trainer/engine/gradients.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { buildModel } from '../../../../src/trainer/layers/build.ts';
import type { ForwardOptions, Model, ModelSizes } from '../../../../src/trainer/layers/model.ts';
import { stepper } from '../../../../src/trainer/layers/stepper.ts';
import { randomStream } from '../../../../src/trainer/random.ts';
import { assertClose, SEED } from '../engine/golden.ts';

const [STEPS, BATCH, FEATURES, OUTPUTS] = [11, 3, 3, 2];
const SIZES: ModelSizes = { input: { kind: 'vectors', features: FEATURES }, outputs: OUTPUTS };
const PASS: ForwardOptions = { training: false, step: 0, lengths: null, state: null, outputs: 'every-step' };

interface Form {
  type: LayerType;
  [field: string]: unknown;
}

const FORMS: Form[] = [
  ...CELL_TYPES.map(type => ({ type })),
  {
    type: 'lstm',
    peephole: true,
    coupledGates: true,
    layerNorm: true,
    projection: 6,
    initialState: 'learned',
  },
  {
    type: 'lstm',
    peephole: true,
    recurrentDropout: 0.3,
    variationalDropout: 0.2,
    zoneout: 0.2,
    weightDrop: 0.3,
  },
  { type: 'lstm', layers: 3, projection: 5, residual: true, bidirectional: true },
  {
    type: 'gru',
    units: 6,
    layers: 2,
    merge: 'sum',
    bidirectional: true,
    residual: true,
    zoneout: 0.2,
    recurrentDropout: 0.2,
  },
  {
    type: 'gru',
    units: 6,
    layers: 2,
    residual: true,
    zoneout: 0.3,
    variationalDropout: 0.3,
    weightDrop: 0.2,
  },
  { type: 'rnn', layers: 2, merge: 'product', bidirectional: true, variationalDropout: 0.2 },
  { type: 'rnn', merge: 'mean', bidirectional: true, recurrentDropout: 0.2, initialState: 'learned' },
];

function experimentOf(form: Form) {
  const { widthField } = kindOf(form);
  const layer = widthField ? { [widthField]: 16, ...form } : form;
  return experimentSchema.parse({
    data: { task: 'adding', length: STEPS },
    model: { layers: [{ type: 'dense', units: 8, activation: 'tanh' }, layer, { type: 'dense' }] },
  });
}

function numbers(count: number, purpose: string): Float32Array {
  const random = randomStream(SEED, purpose, 0);
  return Float32Array.from({ length: count }, () => random.normal());
}

const VALUES = numbers(STEPS * BATCH * FEATURES, 'input');
const WANTED = numbers(STEPS * BATCH * OUTPUTS, 'wanted');

function outputsOf(model: Model, values = VALUES, options: Partial<ForwardOptions> = {}, batch = BATCH) {
  return tidy(() => {
    const input = tensor(values, [values.length / batch / FEATURES, batch, FEATURES]);
    const { outputs, state } = model.forward(input, { ...PASS, ...options });
    return { outputs: Float32Array.from(outputs.dataSync()), state };
  });
}

/** A loss of all outputs, with weights of either sign. */
function lossOf(model: Model, options: Partial<ForwardOptions> = {}): Scalar {
  const input = tensor(VALUES, [STEPS, BATCH, FEATURES]);
  const { outputs } = model.forward(input, { ...PASS, training: true, step: 1, ...options });
  const wanted = tensor(WANTED, outputs.shape);
  return mean(mul(add(square(outputs), outputs), wanted)) as Scalar;
}

/** The squared error, which training lowers. */
function errorOf(model: Model): Scalar {
  const input = tensor(VALUES, [STEPS, BATCH, FEATURES]);
  const { outputs } = model.forward(input, { ...PASS, training: true, step: 1 });
  return mean(squaredDifference(outputs, tensor(WANTED, outputs.shape))) as Scalar;
}

function move(variable: Variable, by: (index: number) => number): void {
  const moved = tensor(
    (variable.dataSync() as Float32Array).map((value, i) => value + by(i)),
    variable.shape,
  );
  variable.assign(moved);
  moved.dispose();
}

/** Steps `from` to `to` of one of the sequences of rows. */
function rowsOf(
  values: Float32Array,
  sequence: number,
  width: number,
  from: number,
  to: number,
): Float32Array {
  const rows = new Float32Array((to - from) * width);
  for (let t = from; t < to; t++)
    rows.set(
      values.subarray((t * BATCH + sequence) * width, (t * BATCH + sequence + 1) * width),
      (t - from) * width,
    );
  return rows;
}

for (const form of FORMS)
  describe(`a layer of ${Object.keys(form).length > 1 ? JSON.stringify(form) : `type ${form.type}`}`, () => {
    const experiment = experimentOf(form);
    const [, placed] = placeLayers(experiment, SIZES);
    const { kind, layer, at } = placed!;
    const traits = kind.traits(layer);
    let model: Model;
    before(() => startEngine('reference', null));
    beforeEach(() => {
      model = buildModel(experiment, SIZES, 1);
    });
    afterEach(() => model.dispose());

    it('has as many parameters that learn as its formula says', () => {
      const own = [...model.variables].filter(
        ([name]) => !model.statistics.has(name) && name.startsWith('layers.1.'),
      );
      const count = own.reduce((sum, [, { size }]) => sum + size, 0);
      const said = kind.parameters(layer, at);
      assert.equal(count, said.count);
      const all = [...model.variables].filter(([name]) => name.startsWith('layers.1.'));
      const held = all.reduce((sum, [, { size }]) => sum + size, 0);
      assert.equal(held - count, kind.statistics?.(layer, at) ?? 0);
      const written = said.formula.replaceAll('·', '*').replaceAll('²', '**2');
      assert.equal(new Function(`return ${written}`)(), count, said.formula);
    });

    it('lowers an error in three steps, with a gradient for every weight', () => {
      const variables = [...model.variables.values()];
      let last = Number.POSITIVE_INFINITY;
      for (let step = 0; step < 4; step++) {
        const { value, gradients } = gradientsOf(() => errorOf(model), variables);
        const [now] = value.dataSync();
        assert.ok(now! < last, `${now} after ${last}`);
        last = now!;
        let squares = 0;
        for (const gradient of gradients) for (const g of gradient!.dataSync()) squares += g * g;
        for (const [i, variable] of variables.entries()) {
          const values = gradients[i]!.dataSync();
          assert.ok(
            values.some(g => g !== 0),
            `${[...model.variables.keys()][i]} has a gradient`,
          );
          move(variable, at => (-0.02 / Math.sqrt(squares)) * values[at]!);
        }
      }
    });

    it('has the gradient of finite differences in every weight', () => {
      const variables = [...model.variables.values()];
      const { gradients } = gradientsOf(() => lossOf(model), variables);
      const loss = () => tidy(() => lossOf(model).dataSync()[0]!);
      for (const [place, [name, variable]] of [...model.variables].entries()) {
        const gradient = gradients[place]!.dataSync();
        const norm = Math.hypot(...gradient);
        const other = numbers(gradient.length, name);
        const otherNorm = Math.hypot(...other);
        // along the gradient and across it, so that a part that is missing shows; kinks of ReLU cost a few percent
        const direction = other.map((value, i) => value / otherNorm + gradient[i]! / norm);
        const expected = direction.reduce((sum, d, i) => sum + d * gradient[i]!, 0);
        const differences = [1e-2, 3e-3, 1e-3].map(h => {
          move(variable, i => h * direction[i]!);
          const above = loss();
          move(variable, i => -2 * h * direction[i]!);
          const below = loss();
          move(variable, i => h * direction[i]!);
          return Math.abs((above - below) / (2 * h) - expected);
        });
        const error = Math.min(...differences);
        assert.ok(error <= 0.05 * norm + 4e-5, `${name}: ${expected} is off by ${error}`);
      }
    });

    it('read step by step gives the same as the whole sequence', () => {
      const { outputs } = outputsOf(model);
      const reader = stepper(model, BATCH);
      if (traits.sees === 'all') return;
      for (let t = 0; t < STEPS; t++) {
        const row = VALUES.subarray(t * BATCH * FEATURES, (t + 1) * BATCH * FEATURES);
        const expected = outputs.subarray(t * BATCH * OUTPUTS, (t + 1) * BATCH * OUTPUTS);
        assertClose(reader.step(row), expected, `step ${t}`, 1e-4);
      }
    });

    it('goes on with its state where it carries one, of the size that it says', () => {
      if (!traits.carries) {
        assert.notEqual(model.context, null);
        return;
      }
      assert.equal(
        model.states.reduce((sum, { size }) => sum + size, 0),
        kind.state!(layer, at),
      );
      const { outputs } = outputsOf(model);
      const cut = 4 * BATCH;
      const first = outputsOf(model, VALUES.subarray(0, cut * FEATURES));
      for (const { name, size } of model.states) assert.equal(first.state[name]?.length, BATCH * size, name);
      const second = outputsOf(model, VALUES.subarray(cut * FEATURES), { state: first.state });
      assertClose(first.outputs, outputs.subarray(0, cut * OUTPUTS), 'first part', 1e-4);
      assertClose(second.outputs, outputs.subarray(cut * OUTPUTS), 'second part', 1e-4);
    });

    it('reads sequences of unequal lengths as each alone', () => {
      const lengths = Int32Array.of(STEPS, 4, 1);
      const together = outputsOf(model, VALUES, { lengths });
      for (const [b, length] of lengths.entries()) {
        const alone = outputsOf(model, rowsOf(VALUES, b, FEATURES, 0, length), {}, 1);
        const rows = rowsOf(together.outputs, b, OUTPUTS, 0, length);
        assertClose(rows, alone.outputs, `sequence ${b}`, 1e-4);
        for (const { name, size } of model.states) {
          const kept = together.state[name]!.subarray(b * size, (b + 1) * size);
          assertClose(kept, alone.state[name]!, `state ${name} of sequence ${b}`, 1e-4);
        }
      }
    });

    it(`depends on the steps that it sees: ${traits.sees}`, () => {
      const { outputs } = outputsOf(model);
      const later = VALUES.map((value, i) => (i >= 6 * BATCH * FEATURES ? value + 1 : value));
      const changed = outputsOf(model, later).outputs;
      const before = 6 * BATCH * OUTPUTS;
      if (traits.sees === 'past')
        assertClose(changed.subarray(0, before), outputs.subarray(0, before), 'before the change', 1e-6);
      const earlier = VALUES.map((value, i) => (i < BATCH * FEATURES ? value + 1 : value));
      const next = outputsOf(model, earlier).outputs.subarray(BATCH * OUTPUTS);
      assert.ok(
        next.some((value, i) => Math.abs(value - outputs[BATCH * OUTPUTS + i]!) > 1e-5),
        'a later step sees an earlier one',
      );
    });

    it('has a row in the gradient heatmap', () => {
      const seen = new Map<string, Float32Array>();
      const watch = {
        gradient: (level: number, _: number, norms: Float32Array) =>
          seen.set(model.levels[level]!.name, norms.slice()),
      };
      gradientsOf(() => lossOf(model, { watch }), [...model.variables.values()]);
      const rows = [...seen].filter(([name]) => name === 'layers.1' || name.startsWith('layers.1.'));
      assert.ok(rows.length > 0);
      for (const [name, norms] of rows) {
        assert.equal(norms.length, STEPS, name);
        assert.ok(
          norms.every(norm => norm > 0 && Number.isFinite(norm)),
          `${name}: ${norms}`,
        );
      }
    });
  });
