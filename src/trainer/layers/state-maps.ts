// The linear maps by which layers hand a state on to the next step: recurrent matrices, and rates of decay.
import type { Tensor } from '@tensorflow/tfjs-core';
import { type Spectrum, spectrumOf, spectrumOfDiagonal } from '../engine/eigenvalues.ts';
import { numbersOf } from '../engine/numbers.ts';

export interface StateMap {
  /** "layers.1.0", of gates "layers.1.0 f" */
  name: string;
  /** rows of its matrix; 0: it is diagonal, and costs nothing */
  size: number;
  /** of the weights as they are now */
  spectrum(): Spectrum;
}

/** `read`: (blocks · size, size), of which it is the block at this place. */
export function matrixMap(name: string, size: number, read: () => Tensor, block = 0): StateMap {
  const take = () => numbersOf(read).subarray(block * size * size, (block + 1) * size * size);
  return { name, size, spectrum: () => spectrumOf(take(), size) };
}

/** `sizes`: absolute values of the diagonal. */
export function diagonalMap(name: string, sizes: () => ArrayLike<number>): StateMap {
  return { name, size: 0, spectrum: () => spectrumOfDiagonal(sizes()) };
}
