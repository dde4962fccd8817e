// sLSTM's kernel against its steps of products and formulas, which the reference takes: outputs, states, every gradient and
// the report, at odd widths, unequal lengths, from a state and in parts.
import { mul, type Scalar, sum, tensor } from '@tensorflow/tfjs-core';
import type { EngineName } from '../../../../src/runs/format.ts';
import { gradientsOf } from '../../../../src/trainer/engine/gradients.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { assertClose } from '../engine/golden.ts';
import { modelOf, numbers, PASS } from './alone.ts';

const [T, B, I] = [9, 5, 3];
const WHOLE = null;
const UNEQUAL = Int32Array.of(9, 2, 0, 5, 7);

interface Found {
  outputs: Float32Array;
  state: Readonly<Record<string, Float32Array>>;
  gradients: Float32Array[];
  norms: Float32Array;
}

/** One pass of a layer of `units`, with wide gates, so that the stabiliser is at work. */
async function look(
  engine: EngineName,
  units: number,
  lengths: Int32Array | null,
  begins: boolean,
): Promise<Found> {
  await startEngine(engine, 2);
  const model = modelOf({ type: 's-lstm', units }, I);
  const state: Record<string, Float32Array> = {};
  for (const part of ['h', 'c', 'm']) state[`layers.0.${part}`] = numbers(B * units, `state ${part}`);
  state['layers.0.n'] = numbers(B * units, 'state n').map(value => 0.2 + Math.abs(value));
  const x = numbers(T * B * I, 'x').map(value => 6 * value);
  let found: Partial<Found> = {};
  const variables = [...model.variables.values()];
  const { gradients } = gradientsOf(() => {
    const made = model.forward(tensor(x, [T, B, I]), {
      ...PASS,
      lengths,
      state: begins ? state : null,
      watch: {
        gradient(_level, _from, norms) {
          found = { ...found, norms: norms.slice() };
        },
      },
    });
    found = { ...found, outputs: Float32Array.from(made.outputs.dataSync()), state: made.state };
    return sum(mul(made.outputs, tensor(numbers(T * B * units, 'given'), [T, B, units]))) as Scalar;
  }, variables);
  const own = gradients.map(each => Float32Array.from(each!.dataSync() as Float32Array));
  model.dispose();
  return { ...(found as Found), gradients: own };
}

describe('the kernel of sLSTM', () => {
  after(() => startEngine('reference', null));

  for (const engine of ['native', 'wasm'] as const)
    for (const units of [1, 16, 37, 70])
      for (const [lengths, begins] of [
        [WHOLE, false],
        [WHOLE, true],
        [UNEQUAL, true],
      ] as const)
        it(`is its steps at ${units} units, lengths ${lengths}, ${begins ? 'from a state' : 'from zeros'}: ${engine}`, async () => {
          const expected = await look('reference', units, lengths, begins);
          const found = await look(engine, units, lengths, begins);
          assertClose(found.outputs, expected.outputs, 'outputs', 1e-5);
          assertClose(found.norms, expected.norms, 'norms', 2e-5);
          // m of a sequence without steps stays -∞, of which no difference can be taken
          for (const [name, values] of Object.entries(expected.state))
            assertClose(finite(found.state[name]!), finite(values), name, 1e-5);
          expected.gradients.forEach((values, i) => {
            assertClose(found.gradients[i]!, values, `gradient ${i}`, 2e-5);
          });
        });
});

function finite(values: Float32Array): Float32Array {
  return values.map(value => (value === Number.NEGATIVE_INFINITY ? -1e3 : value));
}
