// What S4D and S5 share: a complex diagonal, held for a step of Δ (zero-order hold), and its initial values.
import { add, concat, div, exp, mul, neg, slice, square, sub, type Tensor } from '@tensorflow/tfjs-core';
import { complexExp } from './by-channel.ts';
import type { Initializer } from './initial.ts';

/** Real and imaginary parts, of one shape. */
export interface Complex {
  re: Tensor;
  im: Tensor;
}

export function product(x: Complex, y: Complex): Complex {
  return {
    re: sub(mul(x.re, y.re), mul(x.im, y.im)),
    im: add(mul(x.re, y.im), mul(x.im, y.re)),
  };
}

/** |exp(ΔA)| of each pole: logRe (D · N), logDt (D). */
export function decays(logRe: Float32Array, logDt: Float32Array): Float32Array {
  const poles = logRe.length / logDt.length;
  return logRe.map((re, at) => Math.exp(-Math.exp(re) * Math.exp(logDt[Math.floor(at / poles)]!)));
}

/**
 * A = -exp(logRe) + i im over a step: `carried` (2·N) = exp(ΔA), real parts first, and `held` = (exp(ΔA) - 1) / A. All
 * operands are (N).
 */
export function zeroOrderHold(logRe: Tensor, im: Tensor, step: Tensor): { carried: Tensor; held: Complex } {
  const N = logRe.size;
  const re = neg(exp(logRe));
  const carried = complexExp(mul(step, re), mul(step, im));
  const above = { re: sub(slice(carried, [0], [N]), 1), im: slice(carried, [N], [N]) };
  // 1 / A = conj(A) / |A|²
  const squares = add(square(re), square(im));
  return { carried, held: product(above, { re: div(re, squares), im: neg(div(im, squares)) }) };
}

export function joinedParts({ re, im }: Complex, axis: number): Tensor {
  return concat([re, im], axis);
}

/** log 0.5: the real parts of S4D-Lin. */
export const logHalf: Initializer = shape => new Float32Array(sizeOf(shape)).fill(Math.log(0.5));

/** π n along the last axis: the frequencies of S4D-Lin. */
export const frequencies: Initializer = shape =>
  Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.PI * (i % shape.at(-1)!));

/** log of Δ, log-uniform in 0.001 … 0.1. */
export const logSteps: Initializer = (shape, random) =>
  Float32Array.from({ length: sizeOf(shape) }, () => Math.log(0.001) + random.uniform() * Math.log(100));

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, n) => size * n, 1);
}
