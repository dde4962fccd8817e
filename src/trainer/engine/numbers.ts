// Numbers of a tensor, out of a scope that disposes of it.
import { type Tensor, tidy } from '@tensorflow/tfjs-core';

/**
 * A copy of what `make` computes; its tensors are disposed. The numbers leave through a variable: `tidy` searches what it
 * returns for tensors, and makes a string and an entry of a set for every number of a typed array.
 */
export function numbersOf(make: () => Tensor): Float32Array {
  let numbers = new Float32Array();
  tidy(() => {
    numbers = (make().dataSync() as Float32Array).slice();
  });
  return numbers;
}
