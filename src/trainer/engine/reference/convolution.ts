// The causal dilated convolution of a TCN: S. Bai, J. Z. Kolter, V. Koltun, 2018, https://arxiv.org/abs/1803.01271. Sequences
// are time-major, so that "n steps earlier" is one shift of the rows, and each tap of the kernel is one matrix product:
//
//   y_t = φ(b + Σ_k W_k x_{t-n_k})        n_k = (kernelSize - 1 - k) · dilation
//
//   g_t = ∂L/∂y_t ⊙ φ'                    ∂L/∂x_{t-n_k} += W_kᵀ g_t         ∂L/∂W_k = Σ_t g_t x_{t-n_k}ᵀ
import type { CausalConvolution, CausalConvolutionBackward, ConvolutionShape, Slice } from '../provider.ts';
import { activation, activationBackward } from './element-wise.ts';
import { columnSums, gemm } from './gemm.ts';

function at({ data, offset }: Slice, floats: number): Slice {
  return { data, offset: offset + floats };
}

function whole(data: Float32Array): Slice {
  return { data, offset: 0 };
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
  return whole(data);
}

export function causalConvolution(call: CausalConvolution): void {
  const { seqLen, batch, inputSize, outputSize, x, bias, y } = call;
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
  if (call.activation) activation({ kind: call.activation, count: seqLen * batch * outputSize, x: y, y });
}

export function causalConvolutionBackward(call: CausalConvolutionBackward): void {
  const { seqLen, batch, inputSize, outputSize, kernelSize, x, dx, dWeight, dBias } = call;
  const weights = byTaps(call, call.weight);
  const matrix = outputSize * inputSize;
  const dWeights = whole(new Float32Array(kernelSize * matrix));
  const g = sumGradient(call);
  for (const { tap, rows, earlier } of taps(call)) {
    const later = at(g, earlier * outputSize);
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
  columnSums(seqLen * batch, outputSize, g, dBias);
}

/** Of the sums, before the activation. */
function sumGradient({ activation, seqLen, batch, outputSize, y, dy }: CausalConvolutionBackward): Slice {
  if (!activation) return dy;
  const count = seqLen * batch * outputSize;
  const g = whole(new Float32Array(count));
  activationBackward({ kind: activation, count, x: y, y, dy, dx: g });
  return g;
}
