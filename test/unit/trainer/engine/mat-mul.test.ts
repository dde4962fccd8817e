// tfjs's matrix products on the backend, of single matrices and of batches: against sums element by element, and their
// gradients against central differences, with every engine.
import assert from 'node:assert/strict';
import {
  broadcast_util,
  fused,
  grads,
  matMul,
  memory,
  mul,
  type Scalar,
  square,
  sum,
  type Tensor,
  tensor,
  tidy,
} from '@tensorflow/tfjs-core';
import type { EngineName } from '../../../../src/runs/format.ts';
import { loadAddon } from '../../../../src/trainer/engine/native/addon.ts';
import type { Provider } from '../../../../src/trainer/engine/provider.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { provider } from '../../../../src/trainer/engine/storage.ts';
import { centralDifferences } from './differences.ts';
import { assertClose } from './golden.ts';

function wave(shape: number[], salt: number): Tensor {
  const size = shape.reduce((product, side) => product * side, 1);
  return tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(salt + i * 1.3)),
    shape,
  );
}

/** An element of a tensor by its indices, of which those along a dimension of 1 count as 0. */
function element(values: Float32Array, shape: readonly number[], indices: readonly number[]): number {
  const own = indices.slice(indices.length - shape.length);
  return values[shape.reduce((at, size, axis) => at * size + (size === 1 ? 0 : own[axis]!), 0)]!;
}

/** op(a) op(b), from its definition. */
function bruteForce(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): number[] {
  const batch = broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const [m, k] = transposeA ? [a.shape.at(-1)!, a.shape.at(-2)!] : [a.shape.at(-2)!, a.shape.at(-1)!];
  const n = transposeB ? b.shape.at(-2)! : b.shape.at(-1)!;
  const [valuesA, valuesB] = [a.dataSync() as Float32Array, b.dataSync() as Float32Array];
  const product: number[] = [];
  const count = batch.reduce((all, size) => all * size, 1);
  for (let matrix = 0; matrix < count; matrix++) {
    let rest = matrix;
    const outer = batch.toReversed().map(size => {
      const index = rest % size;
      rest = Math.floor(rest / size);
      return index;
    });
    outer.reverse();
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let dot = 0;
        for (let p = 0; p < k; p++)
          dot +=
            element(valuesA, a.shape, [...outer, ...(transposeA ? [p, i] : [i, p])]) *
            element(valuesB, b.shape, [...outer, ...(transposeB ? [j, p] : [p, j])]);
        product.push(dot);
      }
    }
  }
  return product;
}

const BATCHES: [a: number[], b: number[], product: number[]][] = [
  [[], [], []],
  [[3], [3], [3]],
  [
    [2, 3],
    [2, 3],
    [2, 3],
  ],
  [[3], [], [3]],
  [[], [3], [3]],
  [[1], [3], [3]],
  [
    [2, 1],
    [1, 3],
    [2, 3],
  ],
  [[2, 3], [3], [2, 3]],
];
const [M, K, N] = [5, 4, 6];
const TRANSPOSITIONS = [false, true].flatMap(a => [false, true].map(b => [a, b] as const));

function operands(batchA: number[], batchB: number[], transposeA: boolean, transposeB: boolean) {
  const a = wave([...batchA, ...(transposeA ? [K, M] : [M, K])], 1);
  const b = wave([...batchB, ...(transposeB ? [N, K] : [K, N])], 2);
  return [a, b] as const;
}

/** How many products the provider is asked for. */
function productsOf(run: () => void): number {
  const active = provider() as { gemm: Provider['gemm'] };
  const { gemm } = active;
  let products = 0;
  active.gemm = call => {
    products++;
    gemm.call(active, call);
  };
  try {
    run();
  } finally {
    active.gemm = gemm;
  }
  return products;
}

for (const engine of ['reference', 'native', 'wasm'] as const satisfies EngineName[]) {
  describe(`matrix products of tfjs on the engine: ${engine}`, () => {
    before(async function () {
      if (engine === 'native' && typeof loadAddon() === 'string') this.skip();
      await startEngine(engine, 2);
    });
    after(() => startEngine('reference', null));

    for (const [batchA, batchB, batch] of BATCHES) {
      it(`batches of [${batchA}] and [${batchB}], in every transposition`, () => {
        for (const [transposeA, transposeB] of TRANSPOSITIONS) {
          tidy(() => {
            const [a, b] = operands(batchA, batchB, transposeA, transposeB);
            const product = matMul(a, b, transposeA, transposeB);
            assert.deepEqual(product.shape, [...batch, M, N]);
            assertClose(product.dataSync(), bruteForce(a, b, transposeA, transposeB), 'product');
          });
        }
      });

      it(`gradients of batches of [${batchA}] and [${batchB}]`, () => {
        for (const [transposeA, transposeB] of TRANSPOSITIONS) {
          tidy(() => {
            const both = operands(batchA, batchB, transposeA, transposeB);
            const weights = wave([...batch, M, N], 3);
            const loss = (...[a, b]: Tensor[]) =>
              sum(mul(weights, square(matMul(a!, b!, transposeA, transposeB)))) as Scalar;
            const gradients = grads(loss)([...both]);
            both.forEach((operand, which) => {
              assert.deepEqual(gradients[which]!.shape, operand.shape);
              const differences = centralDifferences(loss, both, which, 1e-2);
              assertClose(gradients[which]!.dataSync(), differences, `gradient ${which}`, 3e-3);
            });
          });
        }
      });
    }

    it('bias and activation are those of the plain product', () => {
      const activations = {
        linear: (x: number) => x,
        relu: (x: number) => Math.max(0, x),
        sigmoid: (x: number) => 1 / (1 + Math.exp(-x)),
        elu: (x: number) => (x > 0 ? x : Math.expm1(x)), // left to tfjs
      };
      for (const [name, phi] of Object.entries(activations)) {
        for (const [batchA, batchB] of BATCHES.slice(0, 5)) {
          tidy(() => {
            const [a, b] = operands(batchA, batchB, false, true);
            const bias = wave([N], 4);
            const activation = name as keyof typeof activations;
            const product = fused.matMul({ a, b, transposeB: true, bias, activation });
            const biases = bias.dataSync();
            const expected = bruteForce(a, b, false, true).map((x, i) => phi(x + biases[i % N]!));
            assertClose(product.dataSync(), expected, name);
          });
        }
      }
    });

    it('a column of biases is no row of them', () => {
      tidy(() => {
        const [a, b] = [wave([3, 2], 1), wave([2, 3], 2)];
        const bias = wave([3, 1], 3);
        const biases = bias.dataSync();
        const expected = bruteForce(a, b, false, false).map((x, i) => x + biases[Math.floor(i / 3)]!);
        assertClose(fused.matMul({ a, b, bias }).dataSync(), expected, 'product');
      });
    });

    it('NaN and infinity pass through', () => {
      tidy(() => {
        const a = tensor([NaN, 1, Infinity, 1], [2, 1, 2]);
        const b = tensor([1, 1, 1, 1], [2, 2, 1]);
        assert.deepEqual([...fused.matMul({ a, b, activation: 'relu' }).dataSync()], [NaN, Infinity]);
      });
    });

    it('the provider multiplies; rows of many matrices times one are a single product', () => {
      tidy(() => {
        const count = (batchA: number[], batchB: number[], transposeA = false) => {
          const [a, b] = operands(batchA, batchB, transposeA, false);
          return productsOf(() => matMul(a, b, transposeA, false));
        };
        assert.equal(count([], []), 1);
        assert.equal(count([3], []), 1);
        assert.equal(count([3], [], true), 3);
        assert.equal(count([2, 3], [2, 3]), 6);
        assert.equal(count([], [3]), 3);
      });
    });

    it('the backward pass goes through the provider too, and leaves no tensor behind', () => {
      const [a, b] = operands([3], [3], false, true);
      const step = () =>
        tidy(() => {
          grads((x, y) => sum(matMul(x!, y!, false, true)) as Scalar)([a, b]);
        });
      const before = memory().numTensors;
      assert.equal(productsOf(step), 3 * 3);
      assert.equal(memory().numTensors, before);
      for (const each of [a, b]) each.dispose();
    });

    it('empty and mismatched products are as in tfjs', () => {
      tidy(() => {
        const empty = matMul(tensor([], [0, 2, 3]), tensor([], [0, 3, 4]));
        assert.deepEqual(empty.shape, [0, 2, 4]);
        assert.throws(() => matMul(wave([2, 3], 0), wave([4, 2], 0)), /inner shapes/i);
        assert.throws(() => matMul(wave([2, 2, 3], 0), wave([3, 3, 2], 0)), /broadcast/i);
      });
    });
  });
}
