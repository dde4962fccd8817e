// A linear chain over the classes of a sequence: J. Lafferty, A. McCallum, F. Pereira, 2001 (conditional random fields). The
// score of classes y_1 … y_T is
//
//   start[y_1] + Σ_t logits_t[y_t] + Σ_t transitions[y_{t-1}][y_t] + end[y_T]
//
// and p(y) its exponential over the sum of those of all sequences. Forward and backward sums are scaled at every step, in
// float64 (L. Rabiner, 1989, https://doi.org/10.1109/5.18626), so that K² products a step take no exponential. Scores of one
// step may lie 700 nats apart.

export interface Chain {
  /** (K, K), from a class to the next one */
  transitions: ArrayLike<number>;
  /** (K) each */
  start: ArrayLike<number>;
  end: ArrayLike<number>;
}

export interface ChainCall extends Chain {
  seqLen: number;
  batch: number;
  classes: number;
  /** (T, B, K) */
  logits: ArrayLike<number>;
  /** (B) valid steps of each sequence; null: all T */
  lengths: ArrayLike<number> | null;
}

export interface ChainGradients {
  /** (T, B, K); zero beyond a length */
  logits: Float32Array;
  transitions: Float32Array;
  start: Float32Array;
  end: Float32Array;
}

/**
 * Σ -log p(targets), in nats. `targets` (T, B). Gradients of the sum, times `scale`, are added to `gradients`, where there
 * are any.
 */
export function chainLoss(
  call: ChainCall,
  targets: ArrayLike<number>,
  gradients: ChainGradients | null,
  scale = 1,
): number {
  const { classes: K, transitions } = call;
  const highest = mostOf(transitions);
  const weights = Float64Array.from(transitions, value => Math.exp(value - highest));
  let loss = 0;
  for (let b = 0; b < call.batch; b++) {
    const T = call.lengths?.[b] ?? call.seqLen;
    if (T === 0) continue;
    const at = (t: number) => (t * call.batch + b) * K;
    const target = (t: number) => targets[t * call.batch + b]!;
    const { log, alphas, shares, sums, last } = forward(call, weights, highest, T, at);
    loss += log - scoreOf(call, T, at, target);
    if (gradients) backward(call, { weights, alphas, shares, sums, last, T, at, target, scale }, gradients);
  }
  return loss;
}

function mostOf(values: ArrayLike<number>): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) if (values[i]! > most) most = values[i]!;
  return most;
}

function scoreOf(
  { classes: K, logits, transitions, start, end }: ChainCall,
  T: number,
  at: (t: number) => number,
  target: (t: number) => number,
): number {
  let score = start[target(0)]! + end[target(T - 1)]!;
  for (let t = 0; t < T; t++) {
    score += logits[at(t) + target(t)]!;
    if (t > 0) score += transitions[target(t - 1) * K + target(t)]!;
  }
  return score;
}

interface Sums {
  log: number;
  /** (T, K), each step adding up to 1 */
  alphas: Float64Array;
  /** (T, K) exponentials of the logits, the largest of a step being 1 */
  shares: Float64Array;
  /** (T) what each step was divided by */
  sums: Float64Array;
  /** (K) exponentials of `end`, over their sum weighted by the last alphas */
  last: Float64Array;
}

function forward(
  { classes: K, logits, start, end }: ChainCall,
  weights: Float64Array,
  highest: number,
  T: number,
  at: (t: number) => number,
): Sums {
  const [alphas, shares, sums] = [new Float64Array(T * K), new Float64Array(T * K), new Float64Array(T)];
  let log = (T - 1) * highest;
  for (let t = 0; t < T; t++) {
    let most = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < K; k++) {
      const own = logits[at(t) + k]! + (t === 0 ? start[k]! : 0);
      shares[t * K + k] = own;
      if (own > most || Number.isNaN(own)) most = own;
    }
    let sum = 0;
    for (let k = 0; k < K; k++) {
      const share = Math.exp(shares[t * K + k]! - most);
      shares[t * K + k] = share;
      let reached = t === 0 ? 1 : 0;
      if (t > 0) for (let j = 0; j < K; j++) reached += alphas[(t - 1) * K + j]! * weights[j * K + k]!;
      alphas[t * K + k] = share * reached;
      sum += share * reached;
    }
    for (let k = 0; k < K; k++) alphas[t * K + k]! /= sum;
    sums[t] = sum;
    log += most + Math.log(sum);
  }
  const most = mostOf(end);
  const last = Float64Array.from(end, value => Math.exp(value - most));
  const total = last.reduce((sum, value, k) => sum + value * alphas[(T - 1) * K + k]!, 0);
  return { log: log + most + Math.log(total), alphas, shares, sums, last: last.map(value => value / total) };
}

interface Backward extends Omit<Sums, 'log'> {
  weights: Float64Array;
  T: number;
  at(t: number): number;
  target(t: number): number;
  scale: number;
}

function backward(
  { classes: K }: ChainCall,
  { weights, alphas, shares, sums, last, T, at, target, scale }: Backward,
  gradients: ChainGradients,
): void {
  let beta = last;
  for (let t = T - 1; t >= 0; t--) {
    for (let k = 0; k < K; k++) {
      const share = alphas[t * K + k]! * beta[k]! - (k === target(t) ? 1 : 0);
      gradients.logits[at(t) + k]! += scale * share;
      if (t === 0) gradients.start[k]! += scale * share;
      if (t === T - 1) gradients.end[k]! += scale * share;
    }
    if (t === 0) break;
    const before = new Float64Array(K);
    for (let j = 0; j < K; j++)
      for (let k = 0; k < K; k++) {
        const way = (weights[j * K + k]! * shares[t * K + k]! * beta[k]!) / sums[t]!;
        before[j]! += way;
        gradients.transitions[j * K + k]! += scale * alphas[(t - 1) * K + j]! * way;
      }
    gradients.transitions[target(t - 1) * K + target(t)]! -= scale;
    beta = before;
  }
}

/** The classes of the highest score, by sequence (A. Viterbi, 1967). */
export function likeliestClasses(call: ChainCall): number[][] {
  const { classes: K, batch, seqLen, logits, lengths, transitions, start, end } = call;
  return Array.from({ length: batch }, (_, b) => {
    const T = lengths?.[b] ?? seqLen;
    if (T === 0) return [];
    let scores = Float64Array.from({ length: K }, (_, k) => start[k]! + logits[b * K + k]!);
    const came: Int32Array[] = [];
    for (let t = 1; t < T; t++) {
      const from = new Int32Array(K);
      scores = Float64Array.from({ length: K }, (_, k) => {
        let [winner, best] = [0, Number.NEGATIVE_INFINITY];
        for (let j = 0; j < K; j++) {
          const score = scores[j]! + transitions[j * K + k]!;
          if (score > best) [winner, best] = [j, score];
        }
        from[k] = winner;
        return best + logits[(t * batch + b) * K + k]!;
      });
      came.push(from);
    }
    let at = 0;
    for (let k = 1; k < K; k++) if (scores[k]! + end[k]! > scores[at]! + end[at]!) at = k;
    const path = [at];
    for (let t = T - 2; t >= 0; t--) {
      at = came[t]![at]!;
      path.push(at);
    }
    return path.reverse();
  });
}
