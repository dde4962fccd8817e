// The operations of layers: fused kernels against their compositions in plain tensor operations on the stock backend,
// and against central differences, on random shapes.
import assert from 'node:assert/strict';
import {
  mul,
  type Scalar,
  sum,
  type Tensor,
  type Tensor3D,
  tensor,
  grads as tfGrads,
  tidy,
} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import {
  activation,
  attention,
  convolution,
  crossAttention,
  dense,
  layerNorm,
} from '../../../../src/trainer/layers/operations.ts';
import { randomStream } from '../../../../src/trainer/random.ts';
import { centralDifferences } from '../engine/differences.ts';
import { assertClose, SEED, useStockBackend } from '../engine/golden.ts';

interface Shape {
  T: number;
  B: number;
  I: number;
  O: number;
  K: number;
  dilation: number;
  causal: boolean;
  window: number;
  withLengths: boolean;
  seed: number;
}

type Operands = [Tensor, ...Tensor[]];

const operations: Record<
  string,
  { shapes: (shape: Shape) => number[][]; run: (of: Operands, shape: Shape) => Tensor }
> = {
  dense: {
    shapes: ({ T, B, I, O }) => [[T, B, I], [O, I], [O]],
    run: ([x, weight, bias]) => dense(x as Tensor3D, weight!, bias!),
  },
  gelu: { shapes: ({ T, B, I }) => [[T, B, I]], run: ([x]) => activation('gelu', x as Tensor3D) },
  tanh: { shapes: ({ T, B, I }) => [[T, B, I]], run: ([x]) => activation('tanh', x as Tensor3D) },
  sigmoid: { shapes: ({ T, B, I }) => [[T, B, I]], run: ([x]) => activation('sigmoid', x as Tensor3D) },
  'layer norm': {
    // two numbers and fewer have all or nothing to do with ε
    shapes: ({ T, B, I }) => [[T, B, I + 2], [I + 2], [I + 2]],
    run: ([x, weight, bias]) => layerNorm(x as Tensor3D, weight!, bias!, 0.1),
  },
  attention: {
    shapes: ({ T, B, I, K }) => [[T, B, 3 * I * K]],
    run: ([qkv], { T, B, K: heads, causal, window, withLengths }) => {
      const lengths = withLengths ? Int32Array.from({ length: B }, (_, b) => (T + b) % (T + 1)) : null;
      return attention(qkv as Tensor3D, { heads, causal, window, lengths });
    },
  },
  'cross attention': {
    shapes: ({ T, B, I, O, K }) => [
      [T, B, I * K],
      [O, B, 2 * I * K],
    ],
    run: ([q, kv], { T, B, O, K: heads, causal, window, dilation, withLengths }) => {
      const upTo = (most: number) => Int32Array.from({ length: B }, (_, b) => (most + b) % (most + 1));
      const lengths = withLengths ? { lengths: upTo(O), queryLengths: upTo(T) } : { lengths: null };
      const mask = { causal, offset: 1, window, dilation, stride: window, globals: T % 2 };
      return crossAttention(q as Tensor3D, kv as Tensor3D, { heads, ...mask, ...lengths });
    },
  },
  'attention with shared keys, starts and slopes': {
    shapes: ({ T, B, I, K }) => [[T, B, 2 * I * K + 2 * I * K]],
    run: ([qkv], { T, B, K, causal, window }) => {
      const starts = Int32Array.from({ length: B }, (_, b) => b % T);
      const slopes = Float32Array.from({ length: 2 * K }, (_, head) => 0.3 * (head + 1));
      return attention(qkv as Tensor3D, {
        heads: 2 * K,
        kvHeads: K,
        causal,
        window,
        lengths: null,
        starts,
        slopes,
      });
    },
  },
  'attention with relative positions': {
    shapes: ({ T, B, I, O, K }) => [
      [T, B, I * K],
      [T + O, B, 2 * I * K],
      [T, B, I * K],
      [T + O, I * K],
    ],
    run: ([q, kv, u, r], { O, K: heads, window }) =>
      crossAttention(q as Tensor3D, kv as Tensor3D, {
        ...{ heads, causal: true, offset: O, window, lengths: null },
        relative: { q: u as Tensor3D, table: r! },
      }),
  },
  'convolution with strides and groups': {
    shapes: ({ T, B, I, O, K }) => [[T, B, 2 * I], [2 * O, I, K], [2 * O]],
    run: ([x, weight, bias], { dilation, causal }) => {
      const padding = causal ? 'causal' : 'same';
      const options = {
        dilation,
        activation: null,
        inputGradient: true,
        padding,
        stride: 2,
        groups: 2,
      } as const;
      return convolution(x as Tensor3D, weight!, bias!, options);
    },
  },
  'causal convolution': {
    shapes: ({ T, B, I, O, K }) => [[T, B, I], [O, I, K], [O]],
    run: ([x, weight, bias], { dilation, causal }) => {
      const activation = causal ? 'tanh' : null;
      return convolution(x as Tensor3D, weight!, bias!, { dilation, activation, inputGradient: true });
    },
  },
};

const size = (max: number) => fc.integer({ min: 1, max });
const shapes: fc.Arbitrary<Shape> = fc.record({
  T: size(7),
  B: size(3),
  I: size(5),
  O: size(5),
  K: size(3),
  dilation: size(4),
  causal: fc.boolean(),
  window: fc.integer({ min: 0, max: 4 }),
  withLengths: fc.boolean(),
  seed: fc.nat(1000),
});

function draw(dimensions: number[][], seed: number): Operands {
  const random = randomStream(seed, 'operands', 0);
  return dimensions.map(each => {
    const count = each.reduce((a, b) => a * b, 1);
    return tensor(
      Float32Array.from({ length: count }, () => random.normal() * 0.8),
      each,
    );
  }) as Operands;
}

/** A loss that looks at every output differently. */
function lossOf(y: Tensor): Scalar {
  const weights = Float32Array.from({ length: y.size }, (_, i) => Math.sin(1 + i * 0.7));
  return sum(mul(y, tensor(weights, y.shape)));
}

/** Output and gradients as plain arrays. */
function evaluate(name: string, shape: Shape): ArrayLike<number>[] {
  const { shapes: dimensionsOf, run } = operations[name]!;
  return tidy(() => {
    const operands = draw(dimensionsOf(shape), shape.seed);
    const gradients = tfGrads((...all: Tensor[]) => lossOf(run(all as Operands, shape)))(operands);
    return [run(operands, shape), ...gradients].map(each => Float32Array.from(each.dataSync()));
  });
}

describe('operations of layers', () => {
  before(() => startEngine('reference', null));
  afterEach(() => startEngine('reference', null));

  for (const [name, { shapes: dimensionsOf, run }] of Object.entries(operations)) {
    it(`${name}: fused equals the composition, with gradients`, async () => {
      const property = fc.asyncProperty(shapes, async shape => {
        await startEngine('reference', null);
        const fused = evaluate(name, shape);
        await useStockBackend();
        const composed = evaluate(name, shape);
        for (const [i, values] of composed.entries())
          assertClose(fused[i]!, values, i === 0 ? 'output' : `gradient ${i - 1}`, 3e-5);
      });
      await fc.assert(property, { seed: SEED, numRuns: 30 });
    });

    it(`${name}: gradients are those of central differences`, () => {
      const [shape] = fc.sample(shapes, { seed: SEED, numRuns: 1 });
      const at: Shape = { ...shape!, T: 5, B: 2, I: 3, O: 2, K: 2, dilation: 2 };
      const [, ...gradients] = evaluate(name, at);
      tidy(() => {
        const operands = draw(dimensionsOf(at), at.seed);
        const loss = (...all: Tensor[]) => lossOf(run(all as Operands, at));
        operands.forEach((_, which) => {
          const differences = centralDifferences(loss, operands, which, 5e-3);
          assertClose(gradients[which]!, differences, `gradient ${which}`, 3e-3);
        });
      });
    });
  }

  it('say which operands do not fit', () => {
    const [x, weight, bias] = draw([[2, 1, 6], [4, 5], [4]], 1);
    assert.throws(() => dense(x as Tensor3D, weight!, bias!), /dense: input \[2,1,6\], weight \[4,5\]/);
    assert.throws(
      () => layerNorm(x as Tensor3D, bias!, bias!, 1e-5),
      /layerNorm: input \[2,1,6\], weight \[4\]/,
    );
    const seen = { heads: 4, causal: true, window: 0, lengths: null };
    assert.throws(() => attention(x as Tensor3D, seen), /6 numbers .* 4 heads/);
    assert.throws(
      () => attention(x as Tensor3D, { ...seen, heads: 2, lengths: Int32Array.of(3) }),
      /lengths 3 do not fit .*1 sequences of 2 steps/,
    );
  });
});
