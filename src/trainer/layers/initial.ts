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
  const vectors = Array.from({ length: short }, () =>
    Float64Array.from({ length: long }, () => random.normal()),
  );
  for (let i = 0; i < short; i++) {
    const q = vectors[i]!;
    const norm = Math.sqrt(dot(q, q));
    for (let k = 0; k < long; k++) q[k] = q[k]! / norm;
    for (let j = i + 1; j < short; j++) subtractProjection(vectors[j]!, q);
  }
  return filled(shape, at => {
    const [row, column] = [Math.floor(at / columns), at % columns];
    return rows >= columns ? vectors[column]![row]! : vectors[row]![column]!;
  });
};

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function subtractProjection(a: Float64Array, unit: Float64Array): void {
  const projection = dot(a, unit);
  for (let i = 0; i < a.length; i++) a[i] = a[i]! - projection * unit[i]!;
}

/** Initializers of a recurrent layer's kernels and biases. */
export function recurrentInitializers(convention: Convention, layer: RecurrentLayer) {
  const pytorch = convention === 'pytorch';
  const spread = uniform(1 / Math.sqrt(layer.units));
  const hidden = {
    default: pytorch ? spread : orthogonal,
    'glorot-uniform': glorotUniform,
    uniform: spread,
    orthogonal,
    identity: identityBlocks,
    zeros,
  }[layer.recurrentInit];
  return { input: pytorch ? spread : glorotUniform, hidden, bias: pytorch ? spread : zeros };
}
