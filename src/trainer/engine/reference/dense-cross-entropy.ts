// The last dense layer and the cross-entropy of its logits, as the composition that the fused kernels are held to.
import type { DenseCrossEntropy, Slice } from '../provider.ts';
import { columnSums, gemm } from './gemm.ts';
import { softmaxCrossEntropy } from './softmax-cross-entropy.ts';

export function denseCrossEntropy(call: DenseCrossEntropy): number {
  const { rows, inputs, outputs, weight, bias, targets, weights, labelSmoothing, dx, dWeight, dBias } = call;
  const x = seenRows(call);
  const product = { transA: false, transB: false, bias: null, accumulate: false };
  const logits = { data: new Float32Array(rows * outputs), offset: 0 };
  gemm({ ...product, m: rows, n: outputs, k: inputs, a: x, b: weight, transB: true, bias, c: logits });
  const dLogits = dx || dWeight || dBias ? { data: new Float32Array(rows * outputs), offset: 0 } : null;
  const common = { rows, classes: outputs, targets, weights, labelSmoothing };
  const loss = softmaxCrossEntropy({ ...common, logits, dLogits });
  if (!dLogits) return loss;
  if (dx) {
    gemm({ ...product, m: rows, n: inputs, k: outputs, a: dLogits, b: weight, c: dx });
    clearUnseen(call, dx);
  }
  if (dWeight)
    gemm({ ...product, m: outputs, n: inputs, k: rows, a: dLogits, transA: true, b: x, c: dWeight });
  if (dBias) columnSums(rows, outputs, dLogits, dBias);
  return loss;
}

/** x with zeros in the rows of weight 0, since 0 times NaN is NaN. */
function seenRows(call: DenseCrossEntropy): Slice {
  const { rows, inputs, x, weights } = call;
  if (!weights) return x;
  const copy = { data: x.data.slice(x.offset, x.offset + rows * inputs), offset: 0 };
  clearUnseen(call, copy);
  return copy;
}

function clearUnseen({ rows, inputs, weights }: DenseCrossEntropy, { data, offset }: Slice): void {
  for (let row = 0; weights && row < rows; row++)
    if (weights.data[weights.offset + row] === 0)
      data.fill(0, offset + row * inputs, offset + (row + 1) * inputs);
}
