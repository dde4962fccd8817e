// The causal dilated convolution of a TCN: S. Bai, J. Z. Kolter, V. Koltun, 2018, https://arxiv.org/abs/1803.01271. Sequences
// are time-major, so that "n steps earlier" is one shift of the rows, and each tap of the kernel is one matrix product:
//
//   y_t = b + Σ_k W_k x_{t-n_k}           n_k = (kernelSize - 1 - k) · dilation
//   ∂L/∂x_{t-n_k} += W_kᵀ ∂L/∂y_t         ∂L/∂W_k = Σ_t ∂L/∂y_t x_{t-n_k}ᵀ
import type {
  CausalConvolution,
  CausalConvolutionBackward,
  ConvolutionShape,
  Provider,
  Slice,
} from '../provider.ts';

/** The products that these convolutions are made of: any provider's. */
export type Products = Pick<Provider, 'gemm' | 'columnSums'>;

function at({ data, offset }: Slice, floats: number): Slice {
  return { data, offset: offset + floats };
}

/** For each tap its number, the rows of the product, and how many steps earlier it looks. */
function taps({ seqLen, batch, kernelSize, dilation }: ConvolutionShape) {
  // the present first: it has all rows, and makes what the others add to
  return Array.from({ length: kernelSize }, (_, back) => {
    const [tap, shift] = [kernelSize - 1 - back, back * dilation];
    return { tap, rows: Math.max(0, seqLen - shift) * batch, earlier: shift * batch };
  }).filter(({ rows }) => rows > 0);
}

/** weight (O, I, K) → (K, O, I): each tap's matrix in one piece. */
function byTaps({ inputSize, outputSize, kernelSize }: ConvolutionShape, weight: Slice): Slice {
  const data = new Float32Array(kernelSize * outputSize * inputSize);
  for (let i = 0; i < outputSize * inputSize; i++)
    for (let tap = 0; tap < kernelSize; tap++)
      data[tap * outputSize * inputSize + i] = weight.data[weight.offset + i * kernelSize + tap]!;
  return { data, offset: 0 };
}

export function convolutionsOf({ gemm, columnSums }: Products) {
  return {
    causalConvolution(call: CausalConvolution): void {
      const { inputSize, outputSize, x, bias, y } = call;
      const weights = byTaps(call, call.weight);
      for (const { tap, rows, earlier } of taps(call)) {
        gemm({
          m: rows,
          n: outputSize,
          k: inputSize,
          a: x,
          transA: false,
          b: at(weights, tap * outputSize * inputSize),
          transB: true,
          bias: earlier === 0 ? bias : null,
          c: at(y, earlier * outputSize),
          accumulate: earlier > 0,
        });
      }
    },

    causalConvolutionBackward(call: CausalConvolutionBackward): void {
      const { seqLen, batch, inputSize, outputSize, kernelSize, x, dy, dx, dWeight, dBias } = call;
      const weights = byTaps(call, call.weight);
      const matrix = outputSize * inputSize;
      const dWeights = { data: new Float32Array(kernelSize * matrix), offset: 0 };
      for (const { tap, rows, earlier } of taps(call)) {
        const later = at(dy, earlier * outputSize);
        const plain = { transB: false, bias: null };
        const dW = at(dWeights, tap * matrix);
        gemm({
          ...plain,
          m: outputSize,
          n: inputSize,
          k: rows,
          a: later,
          transA: true,
          b: x,
          c: dW,
          accumulate: false,
        });
        if (!dx) continue;
        const b = at(weights, tap * matrix);
        gemm({
          ...plain,
          m: rows,
          n: inputSize,
          k: outputSize,
          a: later,
          transA: false,
          b,
          c: dx,
          accumulate: earlier > 0,
        });
      }
      for (let i = 0; i < matrix; i++)
        for (let tap = 0; tap < kernelSize; tap++)
          dWeight.data[dWeight.offset + i * kernelSize + tap] = dWeights.data[tap * matrix + i]!;
      columnSums(seqLen * batch, outputSize, dy, dBias);
    },
  };
}
