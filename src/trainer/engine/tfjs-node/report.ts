// The by-products of a backward pass, as the other engines give them: norms of the total gradients at each time, means
// and saturation of the gates. TensorFlow sums over units; what is left, (T, B), is averaged over sequences here.
import { abs, add, cast, greater, mul, sqrt, square, sub, sum, type Tensor } from '@tensorflow/tfjs-core';
import type { RecurrentReport } from '../kernels/recurrent.ts';
import { GATES, type RecurrentShape } from '../provider.ts';
import { stepAt } from '../reference/reading.ts';

type Lengths = Int32Array | null;

/** All (T, B, H), at their places in the input. */
export interface Observed {
  total: Tensor;
  gates: Tensor[];
  /** LSTM only: from ∂L/∂h_t to ∂L/∂c_t, (T, B, H), in step order */
  cellGradient: Tensor | null;
}

export function reportOf(shape: RecurrentShape, lengths: Lengths, observed: Observed): RecurrentReport {
  const { cell, seqLen } = shape;
  const report: RecurrentReport = { hiddenGradNorm: means(norms(observed.total), shape, lengths, 1) };
  if (observed.cellGradient) report.cellGradNorm = means(norms(observed.cellGradient), shape, lengths, 1);
  const names = GATES[cell];
  if (names.length === 0) return report;
  report.gateMean = new Float32Array(names.length * seqLen);
  report.gateSaturation = new Float32Array(names.length * seqLen);
  for (const [at, gate] of observed.gates.entries()) {
    // within 0.1 of an end of (-1, 1) or of (0, 1)
    const signed = names[at] === 'g' || names[at] === 'n';
    const [centre, reach] = signed ? [0, 0.9] : [0.5, 0.4];
    const beyond = cast(greater(abs(sub(gate, centre)), reach), 'float32');
    report.gateMean.set(means(sum(gate, 2), shape, lengths, shape.hiddenSize), at * seqLen);
    report.gateSaturation.set(means(sum(beyond, 2), shape, lengths, shape.hiddenSize), at * seqLen);
  }
  return report;
}

function norms(gradient: Tensor): Tensor {
  return sqrt(sum(square(gradient), 2));
}

/** (T, B) → (T): over the sequences that have the column, each divided by `share`; 0 where none has */
function means(
  values: Tensor,
  { seqLen, batch, reverse }: RecurrentShape,
  lengths: Lengths,
  share: number,
): Float32Array {
  const numbers = values.dataSync();
  const out = new Float32Array(seqLen);
  for (let column = 0; column < seqLen; column++) {
    let total = 0;
    let count = 0;
    for (let b = 0; b < batch; b++) {
      const t = stepAt(reverse, seqLen, lengths?.[b] ?? seqLen, column);
      if (t === null) continue;
      total += numbers[t * batch + b]!;
      count++;
    }
    out[column] = count > 0 ? total / count / share : 0;
  }
  return out;
}

/** ∂L/∂c_t = dc_t + ∂L/∂h_t o_t (1 - tanh² c_t) + ∂L/∂c_{t+1} f_{t+1}, from the last step to the first. */
export function cellGradients(
  total: Tensor,
  o: Tensor,
  tanhC: Tensor,
  f: Tensor,
  dc: Tensor | null,
): Float32Array {
  const throughH = mul(mul(total, o), sub(1, square(tanhC)));
  const gradient = Float32Array.from((dc ? add(throughH, dc) : throughH).dataSync());
  const [seqLen, batch, hiddenSize] = total.shape as [number, number, number];
  const forget = f.dataSync();
  const step = batch * hiddenSize;
  for (let at = (seqLen - 1) * step - 1; at >= 0; at--)
    gradient[at]! += gradient[at + step]! * forget[at + step]!;
  return gradient;
}
