// Linear recurrences as tensors: the kernels and their compositions against PyTorch with all gradients, in parts with a
// state between them, and the special cases that theory fixes.
import assert from 'node:assert/strict';
import {
  add,
  concat,
  exp,
  grads,
  memory as heldMemory,
  mul,
  reshape,
  type Scalar,
  sigmoid,
  slice,
  sum,
  type Tensor,
  type Tensor3D,
  tensor,
  tidy,
} from '@tensorflow/tfjs-core';
import { memory } from '../../../../src/trainer/engine/kernels/memory.ts';
import type { RecurrenceReport } from '../../../../src/trainer/engine/kernels/recurrence-operands.ts';
import { type ScanInputs, scan, selectiveScan } from '../../../../src/trainer/engine/kernels/scan.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { randomStream } from '../../../../src/trainer/random.ts';
import { centralDifferences } from './differences.ts';
import { assertClose, type GoldenTensor, readGolden, useStockBackend } from './golden.ts';
import type { GoldenRecurrence } from './recurrence-cases.ts';

type Named = Record<string, Tensor>;
type Report = (report: RecurrenceReport) => void;

/** The results of a case's function by name. */
function apply(golden: GoldenRecurrence, inputs: Named, onReport?: Report): Named {
  const options = {
    reverse: golden.reverse,
    lengths: golden.lengths && Int32Array.from(golden.lengths),
    onReport,
  };
  if (golden.operation === 'scan')
    return { ...scan(inputs as unknown as ScanInputs, { ...options, complex: golden.complex }) };
  if (golden.operation === 'selective')
    return { ...selectiveScan(inputs as unknown as Parameters<typeof selectiveScan>[0], options) };
  const { o, sN } = memory(inputs as unknown as Parameters<typeof memory>[0], {
    ...golden,
    ...options,
    floor: 1,
  });
  return { o, sN };
}

const toTensor = ({ data, shape }: GoldenTensor) => tensor(data, shape);

function assertGolden(golden: GoldenRecurrence, reports: boolean): void {
  tidy(() => {
    const names = Object.keys(golden.inputs);
    const operands = names.map(name => toTensor(golden.inputs[name]!));
    const of = (values: readonly Tensor[]) => Object.fromEntries(names.map((name, i) => [name, values[i]!]));
    const results = apply(golden, of(operands));
    for (const [name, expected] of Object.entries(golden.results)) {
      assert.deepEqual(results[name]!.shape, expected.shape);
      assertClose(results[name]!.dataSync(), expected.data, name);
    }
    let norms: Float32Array | null = null;
    const loss = (...values: Tensor[]): Scalar => {
      const made = apply(golden, of(values), report => (norms = report.hiddenGradNorm));
      return Object.keys(golden.results)
        .map(name => sum(mul(made[name]!, toTensor(golden.given[name]!))))
        .reduce((a, b) => add(a, b)) as Scalar;
    };
    const gradients = grads(loss)(operands);
    for (const [i, name] of names.entries())
      assertClose(gradients[i]!.dataSync(), golden.gradients[name]!.data, `gradient of ${name}`);
    if (reports) assertClose(norms!, golden.gradients.gradNorm!.data, 'norms');
  });
}

const cases = readGolden<GoldenRecurrence>('recurrences').filter(
  golden => golden.operation !== 'memory' || !golden.floor,
);

/** Numbers of a normal distribution. */
function normal(seed: number, ...shape: number[]): Tensor {
  const random = randomStream(seed, 'recurrences', 0);
  return tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    shape,
  );
}

const times = (value: Tensor, by: number) => mul(value, by) as Tensor3D;

describe('linear recurrences', () => {
  describe('kernels against PyTorch', () => {
    before(() => startEngine('reference', null));
    for (const golden of cases) it(`${golden.operation}: ${golden.name}`, () => assertGolden(golden, true));

    it('leave the number of tensors level', () => {
      const before = heldMemory().numTensors;
      for (const golden of cases) assertGolden(golden, true);
      assert.equal(heldMemory().numTensors, before);
    });
  });

  describe('compositions against PyTorch', () => {
    before(async () => {
      await startEngine('reference', null); // it registers tfjs's gradients
      await useStockBackend();
    });
    after(() => startEngine('reference', null));
    for (const golden of cases) it(`${golden.operation}: ${golden.name}`, () => assertGolden(golden, false));
  });

  describe('a decay that nobody learns changes no other gradient', () => {
    after(() => startEngine('reference', null));
    for (const engine of ['reference', 'wasm', 'native'] as const)
      for (const [heads, keys, decays] of [
        [2, 6, 2],
        [1, 37, 37],
        [4, 128, 4],
      ] as const)
        it(`${engine}: ${heads} heads of ${keys} keys, ${decays} decays`, async () => {
          await startEngine(engine, 2);
          tidy(() => {
            const [T, B] = [70, 2];
            const operands = [1, 2, 3].map(seed => times(normal(seed, T, B, keys), 0.4));
            const decay = sigmoid(add(normal(4, T, B, decays), 2)) as Tensor3D;
            const weights = normal(5, T, B, keys);
            const norms: Float32Array[] = [];
            const loss = (fixedDecay: boolean, q: Tensor, k: Tensor, v: Tensor, decay: Tensor) =>
              sum(
                mul(
                  weights,
                  memory({ q, k, v, decay } as Parameters<typeof memory>[0], {
                    heads,
                    fixedDecay,
                    lengths: Int32Array.of(T, 33),
                    onReport: ({ hiddenGradNorm }) => norms.push(hiddenGradNorm.slice()),
                  }).o,
                ),
              ) as Scalar;
            const learned = grads((q: Tensor, k: Tensor, v: Tensor, decay: Tensor) =>
              loss(false, q, k, v, decay),
            );
            const fixed = grads((q: Tensor, k: Tensor, v: Tensor) => loss(true, q, k, v, decay));
            const expected = learned([...operands, decay]);
            for (const [i, gradient] of fixed(operands).entries())
              assertClose(gradient.dataSync(), expected[i]!.dataSync(), `operand ${i}`, 1e-6);
            assertClose(norms[1]!, norms[0]!, 'norms', 1e-6);
          });
        });
  });

  describe('what theory fixes', () => {
    before(() => startEngine('reference', null));

    it('mLSTM has the gradients of central differences', () => {
      const operands = [1, 2, 3, 4, 5].map(seed => times(normal(seed, 4, 1, seed < 4 ? 3 : 1), 0.7));
      const weights = normal(6, 4, 1, 3);
      const loss = (...[q, k, v, decay, strength]: Tensor[]) =>
        sum(
          mul(
            weights,
            memory({ q, k, v, decay, strength } as Parameters<typeof memory>[0], {
              heads: 1,
              normalised: true,
              exponential: true,
            }).o,
          ),
        ) as Scalar;
      const gradients = grads(loss)(operands);
      for (const [i, gradient] of gradients.entries())
        assertClose(gradient.dataSync(), centralDifferences(loss, operands, i, 1e-2), `operand ${i}`, 5e-3);
    });

    it('a = 0 gives h = b; a = 1 sums; ∂h_N/∂h_0 is the product of a', () => {
      tidy(() => {
        const [b, a] = [normal(1, 5, 2, 3) as Tensor3D, normal(2, 5, 2, 3) as Tensor3D];
        assert.deepEqual(scan({ a: times(b, 0), b }).h.dataSync(), b.dataSync());
        const sums = scan({ a: tensor([1, 1, 1]), b }).hN;
        assertClose(sums.dataSync(), sum(b, 0).dataSync(), 'sum');
        const [ofStart] = grads((h0: Tensor) => sum(scan({ a, b, h0 }).hN) as Scalar)([normal(3, 2, 3)]);
        const products = Array.from({ length: 6 }, (_, i) =>
          Array.from({ length: 5 }, (_, t) => a.dataSync()[t * 6 + i]!).reduce((x, y) => x * y, 1),
        );
        assertClose(ofStart!.dataSync(), products, 'product');
      });
    });

    it('a complex time-invariant scan is a convolution with the powers of a', () => {
      tidy(() => {
        const [T, D] = [24, 3];
        const [size, angle] = [
          [0.9, 0.99, 0.5],
          [0.3, 2, -1],
        ];
        const a = tensor([
          ...size.map((r, i) => r * Math.cos(angle[i]!)),
          ...size.map((r, i) => r * Math.sin(angle[i]!)),
        ]);
        const b = normal(1, T, 1, 2 * D) as Tensor3D;
        const values = b.dataSync();
        const expected = new Float64Array(T * 2 * D);
        for (let t = 0; t < T; t++)
          for (let s = 0; s <= t; s++)
            for (let d = 0; d < D; d++) {
              const [r, phase] = [size[d]! ** (t - s), angle[d]! * (t - s)];
              const [re, im] = [values[s * 2 * D + d]!, values[s * 2 * D + D + d]!];
              expected[t * 2 * D + d]! += r * (Math.cos(phase) * re - Math.sin(phase) * im);
              expected[t * 2 * D + D + d]! += r * (Math.cos(phase) * im + Math.sin(phase) * re);
            }
        assertClose(scan({ a, b }, { complex: true }).h.dataSync(), expected, 'h');
      });
    });

    it('a complex scan of |a| = 1 has a flat gradient', () => {
      tidy(() => {
        const a = tensor([Math.cos(0.7), Math.cos(2), Math.sin(0.7), Math.sin(2)]);
        const b = normal(1, 30, 1, 4) as Tensor3D;
        let norms: Float32Array = new Float32Array();
        grads((b: Tensor) => {
          const { hN } = scan(
            { a, b: b as Tensor3D },
            { complex: true, onReport: report => (norms = report.hiddenGradNorm) },
          );
          return sum(hN) as Scalar;
        })([b]);
        assertClose(norms, new Array(30).fill(2), 'norms');
      });
    });

    it('orthonormal keys with β = 1 recall exactly', () => {
      tidy(() => {
        const keys = tensor([1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0], [5, 1, 3]) as Tensor3D;
        const v = normal(1, 5, 1, 4) as Tensor3D;
        const { sN } = memory({ q: keys, k: keys, v }, { heads: 1, update: 'delta' });
        // the second key was written twice: its last value stands
        const columns = reshape(sN, [4, 3]).dataSync();
        for (const [column, row] of [[0, 0] as const, [1, 3] as const, [2, 2] as const])
          for (let i = 0; i < 4; i++) assert.equal(columns[i * 3 + column], v.dataSync()[row * 4 + i]);
      });
    });

    it('β = 0 and α = 1 keep the state; α = 1 is DeltaNet; RWKV-7 with a = -β α k, b = k is gated DeltaNet', () => {
      tidy(() => {
        const [q, k, v] = [1, 2, 3].map(seed => times(normal(seed, 6, 2, 4), 0.5)) as [
          Tensor3D,
          Tensor3D,
          Tensor3D,
        ];
        const s0 = normal(4, 2, 2, 2, 2);
        const gate = (value: number) => tensor(new Float32Array(24).fill(value), [6, 2, 2]) as Tensor3D;
        const strength = reshape(sigmoid(normal(5, 6, 2, 2)), [6, 2, 2]) as Tensor3D;
        const kept = memory(
          { q, k, v, s0, decay: gate(1), strength: gate(0) },
          { heads: 2, update: 'delta' },
        );
        assert.deepEqual(kept.sN.dataSync(), s0.dataSync());
        const [gated, plain] = [{ decay: gate(1) }, {}].map(decay =>
          memory({ q, k, v, strength, s0, ...decay }, { heads: 2, update: 'delta' }),
        );
        assert.deepEqual(gated!.o.dataSync(), plain!.o.dataSync());
        const decay = gate(0.75);
        const spread = reshape(
          mul(reshape(k, [6, 2, 2, 2]), reshape(mul(strength, -0.75), [6, 2, 2, 1])),
          [6, 2, 4],
        );
        const general = memory(
          { q, k, v, strength, s0, decay, a: spread as Tensor3D, b: k },
          { heads: 2, update: 'general' },
        );
        const delta = memory({ q, k, v, strength, s0, decay }, { heads: 2, update: 'delta' });
        assertClose(general.o.dataSync(), delta.o.dataSync(), 'o');
      });
    });

    it('the selective scan with one step size for all is a scan of each state', () => {
      tidy(() => {
        const [x, b, c] = [normal(1, 7, 2, 3), normal(2, 7, 2, 1), normal(3, 7, 2, 1)] as Tensor3D[];
        const delta = tensor(new Float32Array(42).fill(0.5), [7, 2, 3]) as Tensor3D;
        const a = tensor([-1, -2, -0.1], [3, 1]);
        const { y } = selectiveScan({ x: x!, delta, a, b: b!, c: c! });
        const scanned = scan({ a: exp(mul(reshape(a, [3]), 0.5)), b: mul(mul(x!, b!), 0.5) as Tensor3D });
        assertClose(y.dataSync(), mul(scanned.h, c!).dataSync(), 'y');
      });
    });

    it('in parts with the state handed on is the whole', () => {
      tidy(() => {
        const part = (value: Tensor, from: number, to: number) => {
          const [, ...rest] = value.shape;
          return slice(value, [from, ...rest.map(() => 0)], [to - from, ...rest]) as Tensor3D;
        };
        const parts = (value: Tensor) => [part(value, 0, 3), part(value, 3, 8)] as const;
        const inputs = [1, 2, 3].map(seed => normal(seed, 8, 2, 6) as Tensor3D) as [
          Tensor3D,
          Tensor3D,
          Tensor3D,
        ];
        const gates = [4, 5].map(seed => normal(seed, 8, 2, 2) as Tensor3D) as [Tensor3D, Tensor3D];
        const options = { heads: 2, normalised: true, exponential: true };
        const [q, k, v] = inputs;
        const whole = memory({ q, k, v, decay: gates[0], strength: gates[1] }, options);
        const run = (i: 0 | 1, state: object) => {
          const [q, k, v, decay, strength] = [...inputs, ...gates].map(
            value => parts(value)[i],
          ) as Tensor3D[];
          return memory({ q: q!, k: k!, v: v!, decay: decay!, strength: strength!, ...state }, options);
        };
        const first = run(0, {});
        const second = run(1, { s0: first.sN, m0: tensor(first.mN!, [2, 2]) });
        assertClose(concat([first.o, second.o], 0).dataSync(), whole.o.dataSync(), 'o');
        assertClose(second.mN!, whole.mN!, 'm');
      });
    });

    it('wrong operands are named with their shapes', () => {
      const b = normal(1, 3, 2, 4) as Tensor3D;
      assert.throws(() => scan({ a: normal(1, 3), b }), /scan: a has shape \[3\], but \[4\]/);
      assert.throws(
        () => scan({ a: b, b }, { lengths: Int32Array.of(4, 1) }),
        /scan: the lengths 4,1 do not fit 2 sequences of 3 steps/,
      );
      assert.throws(() => memory({ q: b, k: b, v: b }, { heads: 3 }), /4 numbers of keys .* 3 heads/);
      assert.throws(
        () => memory({ q: b, k: b, v: b }, { heads: 2, update: 'general' }),
        /"general", which needs both/,
      );
      assert.throws(
        () => memory({ q: b, k: b, v: b, bonus: normal(1, 4) }, { heads: 2, update: 'delta' }),
        /"delta" has no normaliser and no bonus/,
      );
    });
  });
});
