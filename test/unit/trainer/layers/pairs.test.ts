// Additive scores of more pairs than a block holds, and their gradients, against loops in float64.
import assert from 'node:assert/strict';
import { dispose, grads, type Tensor, type Tensor3D, tensor } from '@tensorflow/tfjs-core';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { additiveScores } from '../../../../src/trainer/layers/pairs.ts';
import { randomStream } from '../../../../src/trainer/random.ts';
import { assertClose } from '../engine/golden.ts';

// rows of 90,000 numbers: two states in a block of 2^18, and one in the last
const [T, S, B, A] = [2, 3, 3, 30000] as const;

interface Expected {
  e: Float64Array;
  dq: Float64Array;
  dk: Float64Array;
  dv: Float64Array;
}

function brute(q: Float32Array, k: Float32Array, v: Float32Array, de: Float32Array): Expected {
  const made = {
    e: new Float64Array(T * S * B),
    dq: new Float64Array(T * B * A),
    dk: new Float64Array(S * B * A),
    dv: new Float64Array(A),
  };
  for (let t = 0; t < T; t++)
    for (let s = 0; s < S; s++)
      for (let b = 0; b < B; b++)
        for (let a = 0; a < A; a++) {
          const [pair, ofQ, ofK] = [(t * S + s) * B + b, (t * B + b) * A + a, (s * B + b) * A + a];
          const y = Math.tanh(q[ofQ]! + k[ofK]!);
          const gradient = de[pair]! * v[a]! * (1 - y * y);
          made.e[pair]! += v[a]! * y;
          made.dv[a]! += de[pair]! * y;
          made.dq[ofQ]! += gradient;
          made.dk[ofK]! += gradient;
        }
  return made;
}

describe('additive scores in several blocks', () => {
  const random = randomStream(1, 'pairs', 0);
  const normals = (count: number) => Float32Array.from({ length: count }, () => random.normal());
  const [q, k, v, de] = [normals(T * B * A), normals(S * B * A), normals(A), normals(T * S * B)] as const;
  const expected = brute(q, k, v, de);

  for (const engine of ['reference', 'wasm', 'native'] as const)
    it(`are those of loops, and the same bits again (${engine})`, async () => {
      await startEngine(engine, 1);
      const operands = [tensor(q, [T, B, A]), tensor(k, [S, B, A]), tensor(v, [1, A])];
      const scores = (q: Tensor, k: Tensor, v: Tensor) => additiveScores(q as Tensor3D, k as Tensor3D, v);
      const once = () => {
        const e = scores(...(operands as [Tensor, Tensor, Tensor]));
        const all = [e, ...grads(scores)(operands, tensor(de, [T, S, B]))];
        const values = all.map(each => Float32Array.from(each.dataSync()));
        dispose(all);
        return values;
      };
      const first = once();
      for (const [i, name] of (['e', 'dq', 'dk', 'dv'] as const).entries())
        assertClose(first[i]!, expected[name], name, 1e-5);
      assert.deepEqual(once(), first);
      dispose(operands);
    });
});
