// Element by element, and columns of matrices: activations with their gradients, sums, copies, dropout.
import { streamOf } from '../../random.ts';
import type {
  Activation,
  ActivationBackward,
  ActivationKind,
  CopyColumns,
  Dropout,
  Slice,
} from '../provider.ts';
import { sigmoid, tanh } from './activations.ts';

export function copyColumns({ rows, width, from, fromStride, to, toStride }: CopyColumns): void {
  for (let row = 0; row < rows; row++) {
    const source = from.offset + row * fromStride;
    const target = to.offset + row * toStride;
    for (let j = 0; j < width; j++) to.data[target + j] = from.data[source + j]!;
  }
}

export function add(count: number, a: Slice, b: Slice, out: Slice): void {
  for (let i = 0; i < count; i++) out.data[out.offset + i] = a.data[a.offset + i]! + b.data[b.offset + i]!;
}

/**
 * Φ(x) = (1 + erf(x/√2))/2 through erfc(z) of W. H. Press et al., Numerical Recipes, section 6.2: relative error of
 * erfc below 1.2e-7 everywhere.
 */
export function normalCdf(x: number): number {
  const z = Math.abs(x) / Math.SQRT2;
  const t = 1 / (1 + z / 2);
  let series = 0.17087277;
  for (const coefficient of ERFC) series = series * t + coefficient;
  const tail = (t * Math.exp(-z * z + series)) / 2;
  return x > 0 ? 1 - tail : tail;
}

const ERFC = [
  -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368,
  -1.26551223,
];

function normalDensity(x: number): number {
  return Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
}

const functions: Record<ActivationKind, (x: number) => number> = {
  // written so that NaN stays NaN
  relu: x => (x < 0 ? 0 : x),
  gelu: x => x * normalCdf(x),
  tanh,
  sigmoid,
};

const slopes: Record<ActivationKind, (x: number, y: number) => number> = {
  relu: (_, y) => (y > 0 ? 1 : y === 0 ? 0 : y),
  gelu: x => normalCdf(x) + x * normalDensity(x),
  tanh: (_, y) => 1 - y * y,
  sigmoid: (_, y) => y * (1 - y),
};

export function activation({ kind, count, x, y }: Activation): void {
  const phi = functions[kind];
  for (let i = 0; i < count; i++) y.data[y.offset + i] = phi(x.data[x.offset + i]!);
}

export function activationBackward({ kind, count, x, y, dy, dx }: ActivationBackward): void {
  const slope = slopes[kind];
  for (let i = 0; i < count; i++)
    dx.data[dx.offset + i] = dy.data[dy.offset + i]! * slope(x.data[x.offset + i]!, y.data[y.offset + i]!);
}

export function dropout({ count, rate, stream, x, y }: Dropout): void {
  const random = streamOf(stream);
  const kept = Math.fround(1 / (1 - rate));
  for (let i = 0; i < count; i++)
    y.data[y.offset + i] = x.data[x.offset + i]! * (random.uniform() < rate ? 0 : kept);
}
