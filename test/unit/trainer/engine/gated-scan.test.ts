// minGRU and minLSTM as one kernel against the formula and the scan that they are composed of elsewhere: results, all
// gradients, and the norms that a run records.
import assert from 'node:assert/strict';
import {
  add,
  grads,
  mul,
  type Scalar,
  sum,
  type Tensor,
  type Tensor3D,
  tensor,
  tidy,
} from '@tensorflow/tfjs-core';
import { type Expression, f, formula } from '../../../../src/trainer/engine/formula.ts';
import { applied } from '../../../../src/trainer/engine/kernels/formula.ts';
import { gatedScan, gatedScanRuns } from '../../../../src/trainer/engine/kernels/gated-scan.ts';
import { scan } from '../../../../src/trainer/engine/kernels/scan.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { candidates } from '../../../../src/trainer/layers/min-gru.ts';
import { randomStream } from '../../../../src/trainer/random.ts';
import { assertClose } from './golden.ts';

type Kind = 'min-gru' | 'min-lstm';
type Candidate = keyof typeof candidates;

interface Case {
  kind: Kind;
  candidate: Candidate;
  seqLen: number;
  batch: number;
  width: number;
  lengths: number[] | null;
  /** of the gates' sums */
  size: number;
}

const shapes = [
  { seqLen: 1, batch: 1, width: 1, lengths: null, size: 1 },
  { seqLen: 9, batch: 3, width: 5, lengths: [9, 0, 4], size: 1 },
  { seqLen: 7, batch: 1, width: 70, lengths: null, size: 2 },
  { seqLen: 40, batch: 5, width: 181, lengths: [40, 3, 12, 39, 1], size: 1 },
  { seqLen: 5, batch: 2, width: 33, lengths: null, size: 60 },
];
const cases: Case[] = (['min-gru', 'min-lstm'] as const).flatMap(kind =>
  (['linear', 'positive'] as const).flatMap(candidate =>
    shapes.map(shape => ({ kind, candidate, ...shape })),
  ),
);

const shareOf = (kind: Kind, candidate: Candidate) =>
  kind === 'min-gru'
    ? formula(2, (gate, hidden) => {
        const z = f.sigmoid(gate);
        return [f.sub(1, z), f.mul(z, candidates[candidate](hidden))];
      })
    : formula(3, (forget, input, hidden) => {
        // 1/σ of each, which float32 has where σ itself is 0
        const inverse = (sum: Expression) => f.add(f.exp(f.atMost(f.neg(sum), 87)), 1);
        const share = f.div(inverse(input), f.add(inverse(forget), inverse(input)));
        return [share, f.mul(f.sub(1, share), candidates[candidate](hidden))];
      });

interface Looked {
  arrays: Record<string, Float32Array>;
  norms: Float32Array;
}

function look(one: Case, asOne: boolean): Looked {
  const random = randomStream(7, `${one.kind} ${one.width}`, 0);
  const draw = (size: number, ...shape: number[]) =>
    tensor(
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal() * size),
      shape,
    );
  const all = [one.seqLen, one.batch, one.width];
  const inputs: Record<string, Tensor> = {
    forget: draw(one.size, ...all),
    ...(one.kind === 'min-lstm' ? { input: draw(one.size, ...all) } : {}),
    hidden: draw(1, ...all),
    h0: draw(1, ...all.slice(1)),
  };
  const weights = [draw(1, ...all), draw(1, ...all.slice(1))];
  const names = Object.keys(inputs);
  const arrays: Record<string, Float32Array> = {};
  let norms: Float32Array | null = null;
  const options = {
    lengths: one.lengths && Int32Array.from(one.lengths),
    onReport: ({ hiddenGradNorm }: { hiddenGradNorm: Float32Array }) => {
      norms = hiddenGradNorm.slice();
    },
  };
  const gradients = grads((...given: Tensor[]) => {
    const { forget, input, hidden, h0 } = Object.fromEntries(
      names.map((name, i) => [name, given[i]!]),
    ) as Record<string, Tensor3D>;
    const run = () => {
      if (asOne)
        return gatedScan(
          { forget: forget!, hidden: hidden!, h0: h0!, ...(input ? { input } : {}) },
          { ...options, positive: one.candidate === 'positive' },
        );
      const operands = input ? [forget!, input, hidden!] : [forget!, hidden!];
      const [a, b] = applied<Tensor3D>(shareOf(one.kind, one.candidate), operands);
      return scan({ a: a!, b: b!, h0: h0! }, options);
    };
    const { h, hN } = run();
    arrays['h'] = Float32Array.from(h.dataSync());
    arrays['hN'] = Float32Array.from(hN.dataSync());
    return add(sum(mul(h, weights[0]!)), sum(mul(hN, weights[1]!))) as Scalar;
  })(names.map(name => inputs[name]!));
  names.forEach((name, i) => {
    arrays[`gradient of ${name}`] = Float32Array.from(gradients[i]!.dataSync());
  });
  return { arrays, norms: norms! };
}

function tidied<T>(make: () => T): T {
  let made: T;
  tidy(() => {
    made = make();
  });
  return made!;
}

for (const engine of ['native', 'wasm'] as const)
  describe(`gates and scan as one kernel: ${engine}`, () => {
    after(() => startEngine('reference', null));

    for (const threads of [1, 2])
      for (const one of cases)
        it(`${one.kind}, ${one.candidate}, ${one.seqLen}·${one.batch}·${one.width}, ${threads} threads`, async () => {
          await startEngine(engine, threads);
          assert.ok(gatedScanRuns());
          const own = tidied(() => look(one, true));
          await startEngine('reference', null);
          const composed = tidied(() => look(one, false));
          for (const [name, values] of Object.entries(composed.arrays)) {
            assert.ok(values.every(Number.isFinite), name);
            assertClose(own.arrays[name]!, values, name, 1e-5);
          }
          assertClose(own.norms, composed.norms, 'norms', 1e-5);
        });
  });
