// Updates of optimizers that the engines have no kernel for, in plain loops: the same bits on every engine.
//
//   AMSGrad   S. J. Reddi et al., 2018, https://arxiv.org/abs/1904.09237: Adam over the largest v̂ so far
//   NAdam     T. Dozat, 2016, https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ, with torch.optim.NAdam's schedule of μ
//   Adagrad   J. Duchi, E. Hazan, Y. Singer, 2011, https://jmlr.org/papers/v12/duchi11a.html
//   Lion      X. Chen et al., 2023, https://arxiv.org/abs/2302.06675
//
// Moments have the names and meanings of PyTorch's. Each returns Σ |p| after the update.
import type { Optimizer } from '../../experiment/schema.ts';

type Spec<T extends Optimizer['type']> = Extract<Optimizer, { type: T }>;

/** Numbers of one variable, and what belongs to the step at hand. */
export interface Numbers {
  p: Float32Array;
  g: Float32Array;
  learningRate: number;
  /** counted from 1 */
  step: number;
}

export function amsgrad(
  { beta1, beta2, epsilon, ...spec }: Spec<'adam'> | Spec<'adamw'>,
  { p, g, learningRate, step }: Numbers,
  m: Float32Array,
  v: Float32Array,
  largest: Float32Array,
): number {
  const decay = 1 - learningRate * ('weightDecay' in spec ? spec.weightDecay : 0);
  const rate = learningRate / (1 - beta1 ** step);
  const deviation = Math.sqrt(1 - beta2 ** step);
  let size = 0;
  for (let i = 0; i < p.length; i++) {
    m[i] = beta1 * m[i]! + (1 - beta1) * g[i]!;
    v[i] = beta2 * v[i]! + (1 - beta2) * g[i]! * g[i]!;
    largest[i] = Math.max(largest[i]!, v[i]!);
    p[i] = p[i]! * decay - (rate * m[i]!) / (Math.sqrt(largest[i]!) / deviation + epsilon);
    size += Math.abs(p[i]!);
  }
  return size;
}

/** μ_t and the product of all up to it; `known` is that of the last step asked for. */
export function nadamMomenta({ beta1, momentumDecay }: Spec<'nadam'>) {
  const at = (step: number) => beta1 * (1 - 0.5 * 0.96 ** (step * momentumDecay));
  let known = { step: 0, product: 1 };
  return (step: number): { now: number; next: number; product: number } => {
    if (step < known.step) known = { step: 0, product: 1 };
    while (known.step < step) known = { step: known.step + 1, product: known.product * at(known.step + 1) };
    return { now: at(step), next: at(step + 1), product: known.product };
  };
}

export function nadam(
  { beta1, beta2, epsilon }: Spec<'nadam'>,
  { p, g, learningRate, step }: Numbers,
  { now, next, product }: { now: number; next: number; product: number },
  m: Float32Array,
  v: Float32Array,
): number {
  const ofGradient = (learningRate * (1 - now)) / (1 - product);
  const ofMomentum = (learningRate * next) / (1 - product * next);
  const correction = 1 - beta2 ** step;
  let size = 0;
  for (let i = 0; i < p.length; i++) {
    m[i] = beta1 * m[i]! + (1 - beta1) * g[i]!;
    v[i] = beta2 * v[i]! + (1 - beta2) * g[i]! * g[i]!;
    const deviation = Math.sqrt(v[i]! / correction) + epsilon;
    p[i] = p[i]! - (ofGradient * g[i]! + ofMomentum * m[i]!) / deviation;
    size += Math.abs(p[i]!);
  }
  return size;
}

export function adagrad(
  { epsilon, learningRateDecay }: Spec<'adagrad'>,
  { p, g, learningRate, step }: Numbers,
  squares: Float32Array,
): number {
  const rate = learningRate / (1 + (step - 1) * learningRateDecay);
  let size = 0;
  for (let i = 0; i < p.length; i++) {
    squares[i] = squares[i]! + g[i]! * g[i]!;
    p[i] = p[i]! - (rate * g[i]!) / (Math.sqrt(squares[i]!) + epsilon);
    size += Math.abs(p[i]!);
  }
  return size;
}

export function lion(
  { beta1, beta2, weightDecay }: Spec<'lion'>,
  { p, g, learningRate }: Numbers,
  m: Float32Array,
): number {
  let size = 0;
  for (let i = 0; i < p.length; i++) {
    const direction = Math.sign(beta1 * m[i]! + (1 - beta1) * g[i]!);
    p[i] = p[i]! - learningRate * (direction + weightDecay * p[i]!);
    m[i] = beta2 * m[i]! + (1 - beta2) * g[i]!;
    size += Math.abs(p[i]!);
  }
  return size;
}
