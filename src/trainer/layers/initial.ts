// Initial values of weights, by convention. All draws come from streams named after the variable, so that a
// change in one layer leaves the others' values as they were.
import type { Convention, RecurrentLayer } from '../../experiment/schema.ts';
import { type RandomStream, randomStream } from '../random.ts';

export type Initializer = (shape: readonly number[], random: RandomStream) => Float32Array;

export function initialValues(
  seed: number,
  name: string,
  shape: readonly number[],
  initializer: Initializer,
): Float32Array {
  return initializer(shape, randomStream(seed, `init/${name}`, 0));
}

function filled(shape: readonly number[], next: (index: number) => number): Float32Array {
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
  for (let i = 0; i < values.length; i++) values[i] = next(i);
  return values;
}

export const zeros: Initializer = shape => filled(shape, () => 0);

export const ones: Initializer = shape => filled(shape, () => 1);

export function uniform(limit: number): Initializer {
  return (shape, random) => filled(shape, () => (2 * random.uniform() - 1) * limit);
}

export function normal(deviation: number): Initializer {
  return (shape, random) => filled(shape, () => random.normal() * deviation);
}

export const standardNormal = normal(1);

/** X. Glorot, Y. Bengio, 2010, https://proceedings.mlr.press/v9/glorot10a.html, on a matrix (outputs, inputs). */
export const glorotUniform: Initializer = (shape, random) =>
  uniform(Math.sqrt(6 / (shape[0]! + shape[1]!)))(shape, random);

/** The same, normal: variance 2/(inputs + outputs). */
export const glorotNormal: Initializer = (shape, random) =>
  normal(Math.sqrt(2 / (shape[0]! + shape[1]!)))(shape, random);

/** K. He et al., 2015, https://arxiv.org/abs/1502.01852, on a matrix (outputs, inputs): variance 2/inputs, for ReLU. */
export const heUniform: Initializer = (shape, random) => uniform(Math.sqrt(6 / shape[1]!))(shape, random);

export const heNormal: Initializer = (shape, random) => normal(Math.sqrt(2 / shape[1]!))(shape, random);

/** Identity in each square block of rows: Q. Le, N. Jaitly, G. Hinton, 2015, https://arxiv.org/abs/1504.00941. */
export const identityBlocks: Initializer = shape => {
  const columns = shape[1]!;
  return filled(shape, i => (Math.floor(i / columns) % columns === i % columns ? 1 : 0));
};

/**
 * A random matrix with orthonormal columns (or rows, when it is wide): A. Saxe, J. McClelland, S. Ganguli, 2014,
 * https://arxiv.org/abs/1312.6120. Q of a normal matrix's QR factorization with a positive diagonal of R, by
 * modified Gram-Schmidt in float64. The gates' blocks are drawn as one matrix, as Keras and torch.nn.init do.
 */
export const orthogonal: Initializer = (shape, random) => {
  const [rows, columns] = shape as [number, number];
  const [long, short] = [Math.max(rows, columns), Math.min(rows, columns)];
  const vectors = new Float64Array(short * long);
  for (let i = 0; i < vectors.length; i++) vectors[i] = random.normal();
  const vector = (index: number) => vectors.subarray(index * long, (index + 1) * long);
  for (let first = 0; first < short; first += 4) {
    // four vectors stay in the nearest cache while all that are done pass by
    const inFour = first + 4 <= short;
    if (inFour) subtractFour(vectors, long, first);
    for (let j = first; j < Math.min(short, first + 4); j++) {
      for (let i = inFour ? first : 0; i < j; i++) subtractProjection(vector(i), vector(j));
      normalise(vector(j));
    }
  }
  return filled(shape, at => {
    const [row, column] = [Math.floor(at / columns), at % columns];
    return rows >= columns ? vectors[column * long + row]! : vectors[row * long + column]!;
  });
};

function normalise(a: Float64Array): void {
  let squares = 0;
  for (let k = 0; k < a.length; k++) squares += a[k]! * a[k]!;
  const norm = Math.sqrt(squares);
  for (let k = 0; k < a.length; k++) a[k] = a[k]! / norm;
}

function subtractProjection(unit: Float64Array, a: Float64Array): void {
  let projection = 0;
  for (let k = 0; k < unit.length; k++) projection += a[k]! * unit[k]!;
  for (let k = 0; k < unit.length; k++) a[k] = a[k]! - projection * unit[k]!;
}

/**
 * Of vectors j to j + 3, the projections on all before j: to the bits of one after the other. Four sums side by side do
 * not wait for each other's additions, and each pass also takes the products with the next vector.
 */
function subtractFour(vectors: Float64Array, long: number, j: number): void {
  const [a, b, c, d] = [0, 1, 2, 3].map(at => vectors.subarray((j + at) * long, (j + at + 1) * long)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  let [ofA, ofB, ofC, ofD] = [0, 0, 0, 0];
  for (let k = 0; k < long; k++) {
    const q = vectors[k]!;
    ofA += a[k]! * q;
    ofB += b[k]! * q;
    ofC += c[k]! * q;
    ofD += d[k]! * q;
  }
  for (let i = 0; i < j; i++) {
    // behind the last one stands a itself, whose products nobody asks for
    const [now, next] = [i * long, (i + 1) * long];
    let [nextA, nextB, nextC, nextD] = [0, 0, 0, 0];
    for (let k = 0; k < long; k++) {
      const q = vectors[now + k]!;
      const r = vectors[next + k]!;
      nextA += (a[k] = a[k]! - ofA * q) * r;
      nextB += (b[k] = b[k]! - ofB * q) * r;
      nextC += (c[k] = c[k]! - ofC * q) * r;
      nextD += (d[k] = d[k]! - ofD * q) * r;
    }
    [ofA, ofB, ofC, ofD] = [nextA, nextB, nextC, nextD];
  }
}

/**
 * log u with u uniform from 1 to T_max - 1: a forget gate of this bias keeps a state for about u steps. C. Tallec,
 * Y. Ollivier, 2018, https://arxiv.org/abs/1804.11188, equation 16.
 */
export function chronoBias(longest: number, random: RandomStream): number {
  return Math.log(1 + random.uniform() * (longest - 2));
}

/** Initializers of a recurrent layer's kernels and biases. */
export function recurrentInitializers(convention: Convention, layer: RecurrentLayer) {
  const pytorch = convention === 'pytorch';
  const spread = uniform(1 / Math.sqrt(layer.units));
  const named = {
    'glorot-uniform': glorotUniform,
    'glorot-normal': glorotNormal,
    'he-uniform': heUniform,
    'he-normal': heNormal,
    uniform: spread,
    orthogonal,
    identity: identityBlocks,
    zeros,
  };
  const { recurrentInit, inputInit = pytorch ? 'uniform' : 'glorot-uniform' } = layer;
  const usual = pytorch ? spread : orthogonal;
  return {
    input: named[inputInit],
    hidden: recurrentInit === 'default' ? usual : named[recurrentInit],
    bias: pytorch ? spread : zeros,
  };
}
