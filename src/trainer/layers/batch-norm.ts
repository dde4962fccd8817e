// Batch normalisation over features: S. Ioffe, C. Szegedy, 2015, https://arxiv.org/abs/1502.03167.
//
//   y = (x - μ) / √(σ² + ε) ⊙ weight + bias
//
// In training μ and σ² (biased) are those of each feature over the N valid steps of all sequences, and the running ones
// move towards μ and σ² N/(N-1) by `momentum`, as in PyTorch. Else the running ones stand in for them. Padding is in no
// sum, and gives zeros.
// Shapes: x and y (T, B, D); weight, bias, running_mean and running_var (D), ones and zeros at first.
import type { Tensor3D } from '@tensorflow/tfjs-core';
import type { LayerOf } from '../../experiment/layers/index.ts';
import { newFloats } from '../engine/pool.ts';
import { floats } from '../engine/storage.ts';
import { computed } from './by-channel.ts';
import { ones, zeros } from './initial.ts';
import type { BuiltLayer, Place } from './layer.ts';

export function buildBatchNorm({ epsilon, momentum }: LayerOf<'batch-norm'>, place: Place): BuiltLayer {
  const { width } = place.input;
  const weight = place.variable('weight', [width], ones);
  const bias = place.variable('bias', [width], zeros);
  const runningMean = place.statistic('running_mean', [width], zeros);
  const runningVariance = place.statistic('running_var', [width], ones);
  return {
    output: { ...place.input, kind: 'vectors', learned: true },
    forward(input, pass) {
      const x = input as Tensor3D;
      const { training, lengths, observe } = pass.options;
      const rows = validRows(x.shape[0], x.shape[1], lengths);
      const moments: Moments = { mean: new Float64Array(width), inverse: new Float64Array(width) };
      const values = (x: Float32Array, weight: Float32Array, bias: Float32Array) => {
        if (!training) setFixed(moments, floats(runningMean), floats(runningVariance), epsilon);
        else {
          const variance = setMoments(moments, x, rows, epsilon);
          const unbiased = rows.length > 1 ? rows.length / (rows.length - 1) : 1;
          const told = (name: string, seen: Float64Array, by: number) =>
            observe?.({
              name: `${place.name}.${name}`,
              share: momentum,
              values: Float32Array.from(seen, value => value * by),
            });
          told('running_mean', moments.mean, 1);
          told('running_var', variance, unbiased);
        }
        return normalised(x, rows, moments, weight, bias);
      };
      return computed([x, weight, bias], x.shape, values, (dy, x, weight) =>
        gradients(dy, x, weight, rows, moments, training),
      ) as Tensor3D;
    },
  };
}

interface Moments {
  mean: Float64Array;
  /** 1/√(σ² + ε) */
  inverse: Float64Array;
}

/** Rows of (T·B) that stand inside their sequence. */
function validRows(steps: number, batch: number, lengths: Int32Array | null): Int32Array {
  const all = Int32Array.from({ length: steps * batch }, (_, row) => row);
  return lengths ? all.filter(row => Math.floor(row / batch) < lengths[row % batch]!) : all;
}

function setFixed(moments: Moments, mean: Float32Array, variance: Float32Array, epsilon: number): void {
  moments.mean.set(mean);
  for (let d = 0; d < variance.length; d++) moments.inverse[d] = 1 / Math.sqrt(variance[d]! + epsilon);
}

/** @returns the biased variance */
function setMoments(
  { mean, inverse }: Moments,
  x: Float32Array,
  rows: Int32Array,
  epsilon: number,
): Float64Array {
  const D = mean.length;
  const count = Math.max(1, rows.length);
  const variance = new Float64Array(D);
  for (const row of rows) for (let d = 0; d < D; d++) mean[d]! += x[row * D + d]!;
  for (let d = 0; d < D; d++) mean[d]! /= count;
  for (const row of rows) for (let d = 0; d < D; d++) variance[d]! += (x[row * D + d]! - mean[d]!) ** 2;
  for (let d = 0; d < D; d++) {
    variance[d]! /= count;
    inverse[d] = 1 / Math.sqrt(variance[d]! + epsilon);
  }
  return variance;
}

function normalised(
  x: Float32Array,
  rows: Int32Array,
  { mean, inverse }: Moments,
  weight: Float32Array,
  bias: Float32Array,
): Float32Array {
  const D = mean.length;
  const y = newFloats(x.length);
  if (rows.length * D < x.length) y.fill(0);
  for (const row of rows)
    for (let d = 0, at = row * D; d < D; d++, at++)
      y[at] = (x[at]! - mean[d]!) * inverse[d]! * weight[d]! + bias[d]!;
  return y;
}

/** Of x, weight and bias; the moments of a batch depend on x, running ones do not. */
function gradients(
  dy: Float32Array,
  x: Float32Array,
  weight: Float32Array,
  rows: Int32Array,
  { mean, inverse }: Moments,
  ofBatch: boolean,
): Float32Array[] {
  const D = mean.length;
  const [along, sums] = [new Float64Array(D), new Float64Array(D)];
  for (const row of rows)
    for (let d = 0, at = row * D; d < D; d++, at++) {
      sums[d]! += dy[at]!;
      along[d]! += dy[at]! * (x[at]! - mean[d]!) * inverse[d]!;
    }
  const dx = newFloats(x.length);
  if (rows.length * D < x.length) dx.fill(0);
  const share = ofBatch ? 1 / rows.length : 0;
  for (const row of rows)
    for (let d = 0, at = row * D; d < D; d++, at++) {
      const centred = (x[at]! - mean[d]!) * inverse[d]!;
      dx[at] = weight[d]! * inverse[d]! * (dy[at]! - share * (sums[d]! + centred * along[d]!));
    }
  return [dx, Float32Array.from(along), Float32Array.from(sums)];
}
