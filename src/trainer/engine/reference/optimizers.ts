// One update of one parameter, as torch.optim defines it (provider.ts has the equations).
// Adam: D. Kingma, J. Ba, 2015, https://arxiv.org/abs/1412.6980; AdamW: I. Loshchilov, F. Hutter, 2019,
// https://arxiv.org/abs/1711.05101; Nesterov momentum: I. Sutskever et al., 2013,
// https://proceedings.mlr.press/v28/sutskever13.html; RMSProp: G. Hinton, lecture 6 of "Neural networks for
// machine learning", 2012.
import type { AdamStep, RmspropStep, SgdStep, Slice } from '../provider.ts';

export function adamStep(call: AdamStep): number {
  const { count, parameter, gradient, firstMoment, secondMoment, beta1, beta2, epsilon } = call;
  const [p, g, m, v] = [parameter.data, gradient.data, firstMoment.data, secondMoment.data];
  const decay = 1 - call.learningRate * call.weightDecay;
  const stepSize = call.learningRate / (1 - beta1 ** call.step);
  const rootCorrection = Math.sqrt(1 - beta2 ** call.step);
  for (let i = 0; i < count; i++) {
    const gi = g[gradient.offset + i]!;
    const mi = (m[firstMoment.offset + i] = beta1 * m[firstMoment.offset + i]! + (1 - beta1) * gi);
    const vi = (v[secondMoment.offset + i] = beta2 * v[secondMoment.offset + i]! + (1 - beta2) * gi * gi);
    const at = parameter.offset + i;
    p[at] = p[at]! * decay - (stepSize * mi) / (Math.sqrt(vi) / rootCorrection + epsilon);
  }
  return sizeOf(count, parameter);
}

export function sgdStep(call: SgdStep): number {
  const { count, parameter, gradient, momentumBuffer: buffer, momentum, nesterov, learningRate } = call;
  for (let i = 0; i < count; i++) {
    const g = gradient.data[gradient.offset + i]!;
    let update = g;
    if (buffer) {
      const b = (buffer.data[buffer.offset + i] = momentum * buffer.data[buffer.offset + i]! + g);
      update = nesterov ? g + momentum * b : b;
    }
    parameter.data[parameter.offset + i]! -= learningRate * update;
  }
  return sizeOf(count, parameter);
}

export function rmspropStep(call: RmspropStep): number {
  const { count, parameter, gradient, squareAverage, momentumBuffer: buffer, learningRate } = call;
  const { decay, momentum, epsilon } = call;
  const s = squareAverage.data;
  for (let i = 0; i < count; i++) {
    const g = gradient.data[gradient.offset + i]!;
    const at = squareAverage.offset + i;
    const si = (s[at] = decay * s[at]! + (1 - decay) * g * g);
    let update = g / (Math.sqrt(si) + epsilon);
    if (buffer) update = buffer.data[buffer.offset + i] = momentum * buffer.data[buffer.offset + i]! + update;
    parameter.data[parameter.offset + i]! -= learningRate * update;
  }
  return sizeOf(count, parameter);
}

/** Σ |p| */
function sizeOf(count: number, { data, offset }: Slice): number {
  let size = 0;
  for (let i = offset; i < offset + count; i++) size += Math.abs(data[i]!);
  return size;
}

export function sumOfSquares(count: number, a: Slice): number {
  let sum = 0;
  for (let i = a.offset; i < a.offset + count; i++) sum += a.data[i]! * a.data[i]!;
  return sum;
}

export function scale(count: number, a: Slice, factor: number): void {
  for (let i = a.offset; i < a.offset + count; i++) a.data[i] = a.data[i]! * factor;
}
