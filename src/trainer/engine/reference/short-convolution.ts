// A short causal convolution of each channel by itself: the equations of kernels/short_convolution.h.
import type {
  ShortConvolution,
  ShortConvolutionBackward,
  ShortConvolutionShape,
  Slice,
} from '../provider.ts';
import { sigmoid } from './activations.ts';

/** Places of x and `before` as one sequence: the value of channel i of (B, D) at step t. */
function reader({ batch, width, kernelSize }: ShortConvolutionShape, x: Slice, before: Slice) {
  const row = batch * width;
  return (t: number, i: number) =>
    t < 0 ? before.data[before.offset + (t + kernelSize - 1) * row + i]! : x.data[x.offset + t * row + i]!;
}

/** visit(step, channel of (B, D), channel, sum before the activation) */
function eachSum(
  call: ShortConvolutionShape & { x: Slice; before: Slice; weight: Slice; bias: Slice },
  visit: (t: number, i: number, d: number, sum: number) => void,
): void {
  const { seqLen, batch, width, kernelSize: K, weight, bias } = call;
  const at = reader(call, call.x, call.before);
  for (let t = 0; t < seqLen; t++)
    for (let i = 0; i < batch * width; i++) {
      const d = i % width;
      let sum = bias.data[bias.offset + d]!;
      for (let k = 0; k < K; k++) sum += weight.data[weight.offset + d * K + k]! * at(t - K + 1 + k, i);
      visit(t, i, d, sum);
    }
}

export function shortConvolution(call: ShortConvolution): void {
  const { y, silu } = call;
  const row = call.batch * call.width;
  eachSum(call, (t, i, _, sum) => {
    y.data[y.offset + t * row + i] = silu ? sum * sigmoid(sum) : sum;
  });
}

export function shortConvolutionBackward(call: ShortConvolutionBackward): void {
  const { seqLen, batch, width, kernelSize: K, silu, weight, dy, dx, dWeight, dBias } = call;
  const row = batch * width;
  const at = reader(call, call.x, call.before);
  const [weights, biases, inputs] = [width * K, width, seqLen * row].map(size => new Float64Array(size)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  eachSum(call, (t, i, d, sum) => {
    const share = sigmoid(sum);
    const given = dy.data[dy.offset + t * row + i]! * (silu ? share * (1 + sum * (1 - share)) : 1);
    biases[d]! += given;
    for (let k = 0; k < K; k++) {
      const s = t - K + 1 + k;
      weights[d * K + k]! += given * at(s, i);
      if (s >= 0) inputs[s * row + i]! += given * weight.data[weight.offset + d * K + k]!;
    }
  });
  dx.data.set(inputs, dx.offset);
  dWeight.data.set(weights, dWeight.offset);
  dBias.data.set(biases, dBias.offset);
}
