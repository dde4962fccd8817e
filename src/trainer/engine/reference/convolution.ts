// Convolutions over time, dilated, strided and in groups. Each tap of the kernel is one matrix product over the steps of
// the output whose step of the input is there:
//
//   y_t = φ(b + Σ_j W_j x_{t·stride + ahead - j·dilation})        W_j = weight[:, :, kernelSize-1-j]
//
//   g_t = ∂L/∂y_t ⊙ φ'        ∂L/∂x_s = Σ W_jᵀ g_t and ∂L/∂W_j = Σ g_t x_sᵀ over all t, j with s = t·stride + ahead - j·dilation
import type { Convolution, ConvolutionBackward, ConvolutionShape, Slice } from '../provider.ts';
import { activation, activationBackward } from './element-wise.ts';
import { columnSums, gemm } from './gemm.ts';
import { clear } from './memory.ts';

/** One tap of one group: the steps of y that it adds to, each with the step of x that it reads. */
interface Tap {
  group: number;
  /** its number in the weight */
  tap: number;
  steps: readonly (readonly [ofY: number, ofX: number])[];
}

/** The latest step first. */
function tapsOf({ seqLen, outputLen, kernelSize, dilation, ahead, stride, groups }: ConvolutionShape): Tap[] {
  const taps: Tap[] = [];
  for (let group = 0; group < groups; group++)
    for (let back = 0; back < kernelSize; back++) {
      const steps = Array.from(
        { length: outputLen },
        (_, t) => [t, t * stride + ahead - back * dilation] as const,
      ).filter(([, s]) => s >= 0 && s < seqLen);
      if (steps.length > 0) taps.push({ group, tap: kernelSize - 1 - back, steps });
    }
  return taps;
}

function whole(data: Float32Array): Slice {
  return { data, offset: 0 };
}

/** Columns of a group of some steps of a sequence (…, B, width), as rows of their own. */
function gathered(
  from: Slice,
  steps: readonly number[],
  batch: number,
  width: number,
  group: number,
  size: number,
): Slice {
  const rows = new Float32Array(steps.length * batch * size);
  for (const [i, step] of steps.entries())
    for (let b = 0; b < batch; b++) {
      const at = from.offset + (step * batch + b) * width + group * size;
      rows.set(from.data.subarray(at, at + size), (i * batch + b) * size);
    }
  return whole(rows);
}

/** The way back: added to where they stand. */
function scattered(
  rows: Slice,
  to: Slice,
  steps: readonly number[],
  batch: number,
  width: number,
  group: number,
  size: number,
): void {
  for (const [i, step] of steps.entries())
    for (let b = 0; b < batch; b++) {
      const at = to.offset + (step * batch + b) * width + group * size;
      for (let j = 0; j < size; j++) to.data[at + j]! += rows.data[(i * batch + b) * size + j]!;
    }
}

/** A tap's matrix (outputs, inputs of a group), read from the weight or written to it. */
function tapMatrix({ inputSize, outputSize, kernelSize, groups }: ConvolutionShape, { group, tap }: Tap) {
  const [inputs, outputs] = [inputSize / groups, outputSize / groups];
  const place = (i: number) => (group * outputs * inputs + i) * kernelSize + tap;
  const count = outputs * inputs;
  return {
    inputs,
    outputs,
    read: ({ data, offset }: Slice) =>
      whole(Float32Array.from({ length: count }, (_, i) => data[offset + place(i)]!)),
    write({ data, offset }: Slice, matrix: Float32Array): void {
      for (let i = 0; i < count; i++) data[offset + place(i)] = matrix[i]!;
    },
  };
}

export function convolution(call: Convolution): void {
  const { outputLen, batch, inputSize, outputSize, x, bias, y } = call;
  const rows = outputLen * batch;
  for (let row = 0; row < rows; row++)
    y.data.set(bias.data.subarray(bias.offset, bias.offset + outputSize), y.offset + row * outputSize);
  for (const one of tapsOf(call)) {
    const { inputs, outputs, read } = tapMatrix(call, one);
    const [ofY, ofX] = [one.steps.map(([t]) => t), one.steps.map(([, s]) => s)];
    const sums = whole(new Float32Array(ofY.length * batch * outputs));
    gemm({
      m: ofY.length * batch,
      n: outputs,
      k: inputs,
      a: gathered(x, ofX, batch, inputSize, one.group, inputs),
      transA: false,
      b: read(call.weight),
      transB: true,
      bias: null,
      c: sums,
      accumulate: false,
    });
    scattered(sums, y, ofY, batch, outputSize, one.group, outputs);
  }
  if (call.activation) activation({ kind: call.activation, count: rows * outputSize, x: y, y });
}

export function convolutionBackward(call: ConvolutionBackward): void {
  const { seqLen, outputLen, batch, inputSize, outputSize, kernelSize, groups, x, dx, dWeight, dBias } = call;
  const g = sumGradient(call);
  clear(dWeight, (outputSize * inputSize * kernelSize) / groups);
  if (dx) clear(dx, seqLen * batch * inputSize);
  for (const one of tapsOf(call)) {
    const { inputs, outputs, read, write } = tapMatrix(call, one);
    const [ofY, ofX] = [one.steps.map(([t]) => t), one.steps.map(([, s]) => s)];
    const rows = ofY.length * batch;
    const gradients = gathered(g, ofY, batch, outputSize, one.group, outputs);
    const plain = { n: inputs, transB: false, bias: null, accumulate: false };
    const dW = new Float32Array(outputs * inputs);
    const readSteps = gathered(x, ofX, batch, inputSize, one.group, inputs);
    gemm({ ...plain, m: outputs, k: rows, a: gradients, transA: true, b: readSteps, c: whole(dW) });
    write(dWeight, dW);
    if (!dx) continue;
    const back = whole(new Float32Array(rows * inputs));
    gemm({ ...plain, m: rows, k: outputs, a: gradients, transA: false, b: read(call.weight), c: back });
    scattered(back, dx, ofX, batch, inputSize, one.group, inputs);
  }
  columnSums(outputLen * batch, outputSize, g, dBias);
}

/** Of the sums, before the activation. */
function sumGradient({ activation, outputLen, batch, outputSize, y, dy }: ConvolutionBackward): Slice {
  if (!activation) return dy;
  const count = outputLen * batch * outputSize;
  const g = whole(new Float32Array(count));
  activationBackward({ kind: activation, count, x: y, y, dy, dx: g });
  return g;
}
