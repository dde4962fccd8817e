// Sequences of unequal lengths, padded and packed: what a batch gives is what each sequence gives alone.
import assert from 'node:assert/strict';
import { tensor, tidy, variableGrads } from '@tensorflow/tfjs-core';
import { type ExperimentInput, experimentSchema } from '../../../../src/experiment/schema.ts';
import { softmaxCrossEntropy } from '../../../../src/trainer/engine/losses.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { buildModel } from '../../../../src/trainer/layers/build.ts';
import type { Model } from '../../../../src/trainer/layers/model.ts';
import { randomStream } from '../../../../src/trainer/random.ts';

const [T, F, CLASSES] = [7, 3, 4];
const LENGTHS = [4, 7, 1, 5];
const B = LENGTHS.length;

const models: Record<string, ExperimentInput['model']['layers']> = {
  'an LSTM of two levels': [{ type: 'lstm', units: 6, layers: 2 }, { type: 'dense' }],
  'a GRU that resets before': [{ type: 'gru', units: 5, resetAfter: false }, { type: 'dense' }],
  'both ways': [{ type: 'rnn', units: 5, bidirectional: true }, { type: 'dense' }],
  'Transformer blocks': [
    { type: 'dense', units: 8 },
    { type: 'transformer', heads: 2, layers: 2 },
    { type: 'layer-norm' },
    { type: 'dense' },
  ],
  'a TCN': [{ type: 'tcn', units: 5, layers: 2 }, { type: 'dense' }],
};

interface Seen {
  loss: number;
  gradients: Map<string, Float32Array>;
  state: Readonly<Record<string, Float32Array>>;
}

/** Rows of the given sequences, time-major; `pad` stands behind their ends. */
function see(
  model: Model,
  rows: readonly number[],
  steps: number,
  lengths: number[] | null,
  pad: number,
): Seen {
  const input = new Float32Array(steps * rows.length * F);
  rows.forEach((row, place) => {
    const random = randomStream(row + 1, 'test/lengths', 0);
    for (let t = 0; t < steps; t++)
      for (let f = 0; f < F; f++) {
        const value = random.normal();
        input[(t * rows.length + place) * F + f] = t < LENGTHS[row]! ? value : pad;
      }
  });
  const targets = Int32Array.from(rows, row => row % CLASSES);
  let state: Seen['state'] = {};
  const { value, grads } = variableGrads(() => {
    const result = model.forward(tensor(input, [steps, rows.length, F]), {
      training: true,
      step: 1,
      lengths: lengths && Int32Array.from(lengths),
      state: null,
      outputs: 'last-step',
    });
    state = result.state;
    return softmaxCrossEntropy(result.outputs, targets, null);
  }, [...model.variables.values()]);
  const gradients = new Map(
    [...model.variables].map(([name, { name: key }]) => [name, Float32Array.from(grads[key]!.dataSync())]),
  );
  return { loss: value.dataSync()[0]!, gradients, state };
}

function largest(values: ArrayLike<number>): number {
  return Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/** Within `tolerance` of the largest value. */
function assertNear(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what: string) {
  const scale = Math.max(1e-3, largest(expected));
  const difference = largest(Array.from(expected, (value, index) => actual[index]! - value));
  assert.ok(difference <= tolerance * scale, `${what}: ${difference} of ${scale}`);
}

for (const [engine, tolerance] of [
  ['reference', 1e-6],
  ['native', 1e-5],
  ['wasm', 1e-5],
] as const)
  describe(`sequences of unequal lengths (${engine})`, () => {
    before(() => startEngine(engine, 1));

    for (const [name, layers] of Object.entries(models))
      it(`of ${name} are each what they are alone`, () => {
        tidy(() => {
          const experiment = experimentSchema.parse({
            data: { task: 'adding', length: T },
            model: { layers },
          });
          const model = buildModel(
            experiment,
            { input: { kind: 'vectors', features: F }, outputs: CLASSES },
            3,
          );
          const rows = LENGTHS.map((_, row) => row);
          const together = see(model, rows, T, LENGTHS, 0);
          const alone = rows.map(row => see(model, [row], LENGTHS[row]!, null, 0));
          const mean = alone.reduce((sum, { loss }) => sum + loss / B, 0);
          assertNear([together.loss], [mean], tolerance, 'loss');
          for (const [variable, gradient] of together.gradients) {
            const sum = gradient.map((_, index) =>
              alone.reduce((total, { gradients }) => total + gradients.get(variable)![index]! / B, 0),
            );
            assertNear(gradient, sum, tolerance, variable);
          }
          for (const [part, values] of Object.entries(together.state)) {
            const parts = alone.flatMap(({ state }) => [...state[part]!]);
            assertNear(values, parts, tolerance, part);
          }
          const padded = see(model, rows, T, LENGTHS, 1e3);
          assert.equal(padded.loss, together.loss);
          assert.deepEqual(padded.gradients, together.gradients);
          model.dispose();
        });
      });
  });
