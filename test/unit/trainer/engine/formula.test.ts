// Formulas of tensors: their gradients against central differences, their plain form against their program, and what a
// program has no room for.
import assert from 'node:assert/strict';
import {
  add,
  mul,
  type Scalar,
  setBackend,
  sum,
  type Tensor,
  tensor,
  tidy,
  variable,
} from '@tensorflow/tfjs-core';
import { type Expression, f, formula } from '../../../../src/trainer/engine/formula.ts';
import { gradientsOf } from '../../../../src/trainer/engine/gradients.ts';
import { applied } from '../../../../src/trainer/engine/kernels/formula.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { BACKEND } from '../../../../src/trainer/engine/storage.ts';
import { centralDifferences } from './differences.ts';
import { assertClose } from './golden.ts';

const FORMULAS = {
  'sums and products': formula(3, (x, y, w) => [
    f.add(f.mul(x, y), f.sub(2, w)),
    f.sub(f.mul(w, 3), f.add(x, 1)),
  ]),
  quotients: formula(3, (x, y, w) => [f.div(x, f.add(f.mul(y, y), 1)), f.sqrt(f.add(f.mul(w, w), 0.5))]),
  gates: formula(3, (x, y, w) => [f.sigmoid(x), f.mul(f.tanh(y), f.exp(f.mul(0.3, w)))]),
  softplus: formula(3, (x, y, w) => [f.softplus(x), f.mul(f.silu(y), f.softplus(w))]),
  bounds: formula(3, (x, y, w) => [f.relu(x), f.mul(f.atMost(y, 0.4), f.neg(w))]),
  'an output twice, and an input as one': formula(3, (x, y, w) => {
    const z = f.sigmoid(f.add(x, w));
    return [z, z, y, f.mul(z, y)];
  }),
};

const [x, y, w] = [
  [0.5, -1.2, 2.1, 0.05, -0.3, 1.7, -2.2, 0.9],
  [1.1, 0.7, -0.6, -1.9, 0.31, 0.25, 0.8, -0.1],
  [0.6, -0.45],
] as const;
const operands = (): Tensor[] => [tensor([...x], [2, 2, 2]), tensor([...y], [2, 2, 2]), tensor([...w])];
const weights = [0.3, -0.7, 1.1, 0.2, -0.5, 0.9, 0.4, -1.3];

/** Σ over outputs of their numbers, each weighed in its own way. */
function weighed(outputs: Tensor[]): Scalar {
  const parts = outputs.map((output, i) => {
    const each = tensor(
      weights.map((weight, at) => weight + 0.1 * i * at),
      [2, 2, 2],
    );
    return sum(mul(output, each)) as Scalar;
  });
  return parts.reduce((total, part) => add(total, part));
}

describe('a formula of tensors', () => {
  before(() => startEngine('reference', 1));

  for (const [name, made] of Object.entries(FORMULAS)) {
    it(`has the gradients of central differences: ${name}`, () => {
      const loss = (...inputs: Tensor[]) => weighed(applied(made, inputs));
      const variables = operands().map(each => variable(each));
      const { gradients } = gradientsOf(() => loss(...variables), variables);
      variables.forEach((_, which) => {
        const expected = centralDifferences(loss, operands(), which, 1e-2);
        assertClose(gradients[which]!.dataSync(), expected, `input ${which}`, 2e-3);
      });
    });

    it(`is the same in plain tensor operations, with its gradients: ${name}`, async () => {
      const all = () =>
        tidy(() => {
          const variables = operands().map(each => variable(each));
          const outputs = applied(made, variables).map(each => [...each.dataSync()]);
          const { gradients } = gradientsOf(() => weighed(applied(made, variables)), variables);
          return [...outputs, ...gradients.map(each => [...each!.dataSync()])];
        });
      const fused = all();
      await setBackend('cpu');
      const plain = all();
      await setBackend(BACKEND);
      plain.forEach((values, i) => {
        assertClose(fused[i]!, values, `${i}`, 1e-6);
      });
    });
  }

  it('computes equal parts once', () => {
    const gate = (x: Expression) => f.sigmoid(f.mul(x, 2));
    const { forward } = formula(1, x => [f.mul(gate(x), gate(x)), f.sub(1, gate(x))]);
    // 2 x, σ, square, 1 - σ
    assert.equal(forward.steps.length / 4, 4);
  });

  it('refuses more than a program has room for', () => {
    const many = () => formula(13, (...inputs) => [inputs.reduce((total, input) => f.add(total, input))]);
    assert.throws(many, /13 inputs and 1 outputs takes more room/);
  });

  it('refuses inputs of other shapes', () => {
    const gates = formula(2, (x, y) => [f.mul(x, y)]);
    assert.throws(
      () => applied(gates, [tensor([1, 2, 3, 4], [2, 2]), tensor([1, 2, 3])]),
      /\[3\] does not fit \[2,2\]/,
    );
  });
});
