// Gradients by central differences: what those of the engine are held to.
import { type Scalar, type Tensor, tensor } from '@tensorflow/tfjs-core';

/** ∂loss/∂operand for every number of one of the operands, from two evaluations each, `2 h` apart. */
export function centralDifferences(
  loss: (...operands: Tensor[]) => Scalar,
  operands: readonly Tensor[],
  which: number,
  h: number,
): number[] {
  const { shape } = operands[which]!;
  const values = operands[which]!.dataSync();
  return Array.from(values, (_, i) => {
    const shifted = (by: number) => {
      const moved = Float32Array.from(values);
      moved[i]! += by;
      const all = operands.map((operand, k) => (k === which ? tensor(moved, shape) : operand));
      return loss(...all).dataSync()[0]!;
    };
    return (shifted(h) - shifted(-h)) / (2 * h);
  });
}
