// What additive attention computes of each pair of a step and a state of the source, as loops over plain arrays with
// their gradients. T steps, S states, B sequences.
import type { Tensor3D } from '@tensorflow/tfjs-core';
import { newFloats } from '../engine/pool.ts';
import { computed } from './by-channel.ts';

/** q_t + k_s: q (T, B, A), k (S, B, A) → (T·S, B, A). */
export function pairSums(q: Tensor3D, k: Tensor3D): Tensor3D {
  const [T, B, A] = q.shape;
  const S = k.shape[0];
  const row = B * A;
  return computed(
    [q, k],
    [T * S, B, A],
    (q, k) => {
      const sums = newFloats(T * S * row);
      for (let t = 0; t < T; t++)
        for (let s = 0; s < S; s++) {
          const [at, ofQ, ofK] = [(t * S + s) * row, t * row, s * row];
          for (let i = 0; i < row; i++) sums[at + i] = q[ofQ + i]! + k[ofK + i]!;
        }
      return sums;
    },
    dy => {
      const [dq, dk] = [newFloats(T * row).fill(0), newFloats(S * row).fill(0)];
      for (let t = 0; t < T; t++)
        for (let s = 0; s < S; s++) {
          const [at, ofQ, ofK] = [(t * S + s) * row, t * row, s * row];
          for (let i = 0; i < row; i++) {
            const gradient = dy[at + i]!;
            dq[ofQ + i]! += gradient;
            dk[ofK + i]! += gradient;
          }
        }
      return [dq, dk];
    },
  ) as Tensor3D;
}

/**
 * Σ_s softmax_s(e_t) s_s over the valid states of each sequence: e (T, S, B), states (S, B, M) → (T, B, M); zeros where
 * there are none. `onWeights`: (B, 1, T, S), as the attention kernel tells them.
 */
export function weighedStates(
  e: Tensor3D,
  states: Tensor3D,
  lengths: Int32Array | null,
  onWeights?: (weights: Float32Array) => void,
): Tensor3D {
  const [T, S, B] = e.shape;
  const M = states.shape[2];
  let a: Float32Array | null = null;
  return computed(
    [e, states],
    [T, B, M],
    (e, states) => {
      a = softmaxOverStates(e, { T, S, B }, lengths);
      onWeights?.(bySequence(a, { T, S, B }));
      const y = newFloats(T * B * M).fill(0);
      eachPair({ T, S, B }, lengths, (pair, ofY, ofState) => {
        const weight = a![pair]!;
        for (let j = 0, y0 = ofY * M, s0 = ofState * M; j < M; j++) y[y0 + j]! += weight * states[s0 + j]!;
      });
      return y;
    },
    (dy, _e, states) => {
      const dStates = newFloats(S * B * M).fill(0);
      const products = new Float32Array(T * S * B);
      // Σ_s a_ts ∂L/∂a_ts, which the softmax takes away
      const means = new Float32Array(T * B);
      eachPair({ T, S, B }, lengths, (pair, ofY, ofState) => {
        const weight = a![pair]!;
        let product = 0;
        for (let j = 0, y0 = ofY * M, s0 = ofState * M; j < M; j++) {
          const gradient = dy[y0 + j]!;
          product += gradient * states[s0 + j]!;
          dStates[s0 + j]! += weight * gradient;
        }
        products[pair] = product;
        means[ofY]! += weight * product;
      });
      const dE = newFloats(T * S * B).fill(0);
      eachPair({ T, S, B }, lengths, (pair, ofY) => {
        dE[pair] = a![pair]! * (products[pair]! - means[ofY]!);
      });
      return [dE, dStates];
    },
  ) as Tensor3D;
}

/** softmax_s(e_t) over the valid states of each sequence, (T, S, B); 0 beyond a source's length. */
export function sharesOf(e: Tensor3D, lengths: Int32Array | null): Tensor3D {
  const [T, S, B] = e.shape;
  const sizes = { T, S, B };
  let a: Float32Array | null = null;
  return computed(
    [e],
    [T, S, B],
    e => {
      a = softmaxOverStates(e, sizes, lengths);
      return Float32Array.from(a);
    },
    da => {
      const means = new Float32Array(T * B);
      eachPair(sizes, lengths, (pair, step) => {
        means[step]! += a![pair]! * da[pair]!;
      });
      const dE = newFloats(T * S * B).fill(0);
      eachPair(sizes, lengths, (pair, step) => {
        dE[pair] = a![pair]! * (da[pair]! - means[step]!);
      });
      return [dE];
    },
  ) as Tensor3D;
}

/** Σ_s a_ts s_s: a (T, S, B), states (S, B, M) → (T, B, M). */
export function weighedSums(a: Tensor3D, states: Tensor3D): Tensor3D {
  const [T, S, B] = a.shape;
  const M = states.shape[2];
  const sizes = { T, S, B };
  return computed(
    [a, states],
    [T, B, M],
    (a, states) => {
      const y = newFloats(T * B * M).fill(0);
      eachPair(sizes, null, (pair, ofY, ofState) => {
        for (let j = 0, y0 = ofY * M, s0 = ofState * M; j < M; j++) y[y0 + j]! += a[pair]! * states[s0 + j]!;
      });
      return y;
    },
    (dy, a, states) => {
      const dStates = newFloats(S * B * M).fill(0);
      const dA = newFloats(T * S * B).fill(0);
      eachPair(sizes, null, (pair, ofY, ofState) => {
        for (let j = 0, y0 = ofY * M, s0 = ofState * M; j < M; j++) {
          dA[pair]! += dy[y0 + j]! * states[s0 + j]!;
          dStates[s0 + j]! += a[pair]! * dy[y0 + j]!;
        }
      });
      return [dA, dStates];
    },
  ) as Tensor3D;
}

interface Sizes {
  T: number;
  S: number;
  B: number;
}

/** Places of each step with each valid state of its sequence: in (T, S, B), (T, B) and (S, B). */
function eachPair(
  { T, S, B }: Sizes,
  lengths: Int32Array | null,
  visit: (pair: number, step: number, state: number) => void,
): void {
  for (let t = 0; t < T; t++)
    for (let s = 0; s < S; s++)
      for (let b = 0; b < B; b++)
        if (!lengths || s < lengths[b]!) visit((t * S + s) * B + b, t * B + b, s * B + b);
}

/** (T, S, B): over S; 0 beyond a source's length. */
function softmaxOverStates(e: Float32Array, sizes: Sizes, lengths: Int32Array | null): Float32Array {
  const { T, S, B } = sizes;
  const a = new Float32Array(T * S * B);
  const most = new Float32Array(T * B).fill(Number.NEGATIVE_INFINITY);
  eachPair(sizes, lengths, (pair, step) => {
    most[step] = Math.max(most[step]!, e[pair]!);
  });
  const total = new Float32Array(T * B);
  eachPair(sizes, lengths, (pair, step) => {
    a[pair] = Math.exp(e[pair]! - most[step]!);
    total[step]! += a[pair]!;
  });
  eachPair(sizes, lengths, (pair, step) => {
    a[pair]! /= total[step]!;
  });
  return a;
}

/** (T, S, B) → (B, T, S) */
function bySequence(a: Float32Array, { T, S, B }: Sizes): Float32Array {
  const turned = new Float32Array(a.length);
  for (let pair = 0; pair < T * S; pair++)
    for (let b = 0; b < B; b++) turned[b * T * S + pair] = a[pair * B + b]!;
  return turned;
}
