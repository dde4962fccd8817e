// One of our kernels made of TensorFlow's operations. Neither function is seen by a tape, and each runs in a scope of
// its own: what it makes on the way is gone afterwards.
import type { Tensor } from '@tensorflow/tfjs-core';

export interface TensorflowKernel {
  name: string;
  /** inputs that the gradient wants to see again */
  saved: readonly string[];
  run(inputs: Readonly<Record<string, Tensor | undefined>>, context: object): Tensor | Tensor[];
  /** thunks, of which only those are called whose gradient is needed; `dy` of a kernel with one output is no array */
  gradient(dy: Tensor & Tensor[], saved: readonly Tensor[], context: object): Record<string, () => Tensor>;
}
