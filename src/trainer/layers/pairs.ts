// What additive attention computes of each pair of a step and a state of the source, with its gradients. T steps, S states,
// B sequences, A numbers compared. Sums of pairs (T·S·B·A) are made block by block and made again in the backward pass, so
// that they are never all in memory.
import { reshape, type Tensor, type Tensor3D } from '@tensorflow/tfjs-core';
import { f, formula } from '../engine/formula.ts';
import { operations } from '../engine/operations.ts';
import { newFloats, newZeros } from '../engine/pool.ts';
import type { Slice } from '../engine/provider.ts';
import { borrow, giveBack, provider, whole } from '../engine/storage.ts';
import { computed } from './by-channel.ts';

/** Numbers of a block, of which the backward pass has three: 1 MiB each. A quarter of it is as fast. */
const BLOCK = 2 ** 18;

const pairs = formula(2, (k, q) => [f.tanh(f.add(k, q))]);
/** y = tanh(k + q), and from ∂L/∂y the gradient of k + q. */
const pairsBackward = formula(3, (k, q, dy) => {
  const y = f.tanh(f.add(k, q));
  return [y, f.mul(dy, f.sub(1, f.mul(y, y)))];
});

const product = { bias: null, transA: false, transB: false, accumulate: false };

/** e_ts = v · tanh(q_t + k_s): q (T, B, A), k (S, B, A), v (1, A) → (T, S, B). */
export function additiveScores(q: Tensor3D, k: Tensor3D, v: Tensor): Tensor3D {
  const [T, B, A] = q.shape;
  const S = k.shape[0];
  const sizes = { T, S, row: B * A };
  return computed(
    [q, k, v],
    [T, S, B],
    (q, k, v) => {
      const e = newFloats(T * S * B);
      const room = borrow(blockSize(sizes));
      eachBlock(sizes, q, k, ({ t, s, states, call }) => {
        const y = part(room, 0, call.count);
        operations().formula({ ...call, program: pairs.forward, outputs: [y] });
        const scores = part(e, (t * S + s) * B, states * B);
        provider().gemm({ ...product, m: states * B, n: 1, k: A, a: y, b: whole(v), c: scores });
      });
      giveBack(room);
      return e;
    },
    (de, q, k, v) => {
      const { row } = sizes;
      const [dq, dk, dv] = [newZeros(T * row), newZeros(S * row), newZeros(A)];
      const rooms = Array.from({ length: 3 }, () => borrow(blockSize(sizes)));
      const roomOfRow = borrow(row);
      eachBlock(sizes, q, k, ({ t, s, states, call }) => {
        const { count } = call;
        const [y, dy, dSum] = rooms.map(room => part(room, 0, count)) as [Slice, Slice, Slice];
        const pairsHere = states * B;
        const scores = part(de, (t * S + s) * B, pairsHere);
        provider().gemm({ ...product, m: pairsHere, n: A, k: 1, a: scores, b: whole(v), c: dy });
        const inputs = [...call.inputs, { slice: dy, row: false }];
        operations().formula({ ...call, program: pairsBackward.forward, inputs, outputs: [y, dSum] });
        const ofV = { ...product, m: 1, n: A, k: pairsHere, a: scores, b: y, c: whole(dv) };
        provider().gemm({ ...ofV, accumulate: true });
        addTo(part(dk, s * row, count), dSum, count);
        const ofQuery = part(roomOfRow, 0, row);
        provider().columnSums(states, row, dSum, ofQuery);
        addTo(part(dq, t * row, row), ofQuery, row);
      });
      for (const room of [...rooms, roomOfRow]) giveBack(room);
      return [dq, dk, dv];
    },
  ) as Tensor3D;
}

interface Sizes {
  T: number;
  S: number;
  /** B·A */
  row: number;
}

interface Block {
  t: number;
  s: number;
  states: number;
  /** of a formula of k and q; k_s beside each other, and q_t the same for all */
  call: { count: number; width: number; inputs: { slice: Slice; row: boolean }[] };
}

/** States of a block. */
function statesAtOnce({ S, row }: Sizes): number {
  return Math.min(S, Math.max(1, Math.floor(BLOCK / row)));
}

function blockSize(sizes: Sizes): number {
  return statesAtOnce(sizes) * sizes.row;
}

/** Every step with a block of states, then with the next one. */
function eachBlock(sizes: Sizes, q: Float32Array, k: Float32Array, visit: (block: Block) => void): void {
  const { T, S, row } = sizes;
  const most = statesAtOnce(sizes);
  for (let s = 0; s < S; s += most) {
    const states = Math.min(most, S - s);
    const count = states * row;
    const keys = { slice: part(k, s * row, count), row: false };
    for (let t = 0; t < T; t++) {
      const inputs = [keys, { slice: part(q, t * row, row), row: true }];
      visit({ t, s, states, call: { count, width: row, inputs } });
    }
  }
}

/** A provider with memory of its own copies what it is given: the part and not the whole. */
function part(values: Float32Array, from: number, count: number): Slice {
  return whole(values.subarray(from, from + count));
}

function addTo(sum: Slice, more: Slice, count: number): void {
  operations().add(count, sum, more, sum);
}

/** softmax_s(e_t) over the valid states of each sequence: e (T, S, B) → (B, T, S); 0 beyond a source's length. */
export function sharesOf(e: Tensor3D, lengths: Int32Array | null): Tensor3D {
  const [T, S, B] = e.shape;
  let shares: Float32Array | null = null;
  return computed(
    [e],
    [B, T, S],
    e => {
      const a = newZeros(B * T * S);
      for (let b = 0; b < B; b++) {
        const valid = lengths?.[b] ?? S;
        for (let t = 0; t < T; t++) {
          const [from, to] = [t * S * B + b, (b * T + t) * S];
          let most = Number.NEGATIVE_INFINITY;
          for (let s = 0; s < valid; s++) most = Math.max(most, e[from + s * B]!);
          let total = 0;
          for (let s = 0; s < valid; s++) total += a[to + s] = Math.exp(e[from + s * B]! - most);
          for (let s = 0; s < valid; s++) a[to + s]! /= total;
        }
      }
      shares = a.slice();
      return a;
    },
    da => {
      const [a, de] = [shares!, newZeros(T * S * B)];
      for (let b = 0; b < B; b++) {
        const valid = lengths?.[b] ?? S;
        for (let t = 0; t < T; t++) {
          const [to, from] = [t * S * B + b, (b * T + t) * S];
          let mean = 0;
          for (let s = 0; s < valid; s++) mean += a[from + s]! * da[from + s]!;
          for (let s = 0; s < valid; s++) de[to + s * B] = a[from + s]! * (da[from + s]! - mean);
        }
      }
      return [de];
    },
  ) as Tensor3D;
}

/** x (N, M, D) → (M, N, D) */
export function turned(x: Tensor3D): Tensor3D {
  const [N, M, D] = x.shape;
  if (N === 1 || M === 1) return reshape(x, [M, N, D]);
  return computed(
    [x],
    [M, N, D],
    x => turnedRows(x, N, M, D),
    dy => [turnedRows(dy, M, N, D)],
  ) as Tensor3D;
}

function turnedRows(x: Float32Array, N: number, M: number, D: number): Float32Array {
  const y = newFloats(x.length);
  for (let m = 0; m < M; m++)
    operations().copyColumns({
      rows: N,
      width: D,
      from: { data: x, offset: m * D },
      fromStride: M * D,
      to: { data: y, offset: m * N * D },
      toStride: D,
    });
  return y;
}
