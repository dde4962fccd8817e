// Connectionist temporal classification: A. Graves et al., 2006, https://doi.org/10.1145/1143844.1143891, in logarithms
// and float64. The equations are in kernels/ctc.h.
import type { Ctc } from '../provider.ts';

/** log(e^a + e^b) */
function join(a: number, b: number): number {
  if (a === Number.NEGATIVE_INFINITY) return b;
  if (b === Number.NEGATIVE_INFINITY) return a;
  return Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));
}

export function ctc(call: Ctc): void {
  for (let b = 0; b < call.batch; b++) call.losses.data[call.losses.offset + b] = ofSequence(call, b);
}

function ofSequence(call: Ctc, b: number): number {
  const {
    seqLen,
    batch,
    classes: C,
    maxLabels,
    logits,
    lengths,
    labels,
    labelLengths,
    dLogits,
    scale,
  } = call;
  const T = lengths ? lengths.data[lengths.offset + b]! : seqLen;
  const first = labels.offset + b * maxLabels;
  const label = labels.data.subarray(first, first + labelLengths.data[labelLengths.offset + b]!);
  const S = 2 * label.length + 1;
  const classAt = (s: number) => (s % 2 === 0 ? 0 : label[(s - 1) / 2]!);
  const row = (t: number) => (t * batch + b) * C;
  if (dLogits)
    for (let t = 0; t < seqLen; t++)
      dLogits.data.fill(0, dLogits.offset + row(t), dLogits.offset + row(t) + C);
  if (T === 0) return S === 1 ? 0 : Number.POSITIVE_INFINITY;
  const logY = Array.from({ length: T }, (_, t) => {
    const own = Float64Array.from(logits.data.subarray(logits.offset + row(t), logits.offset + row(t) + C));
    const most = own.reduce((a, c) => Math.max(a, c), Number.NEGATIVE_INFINITY);
    const total = most + Math.log(own.reduce((sum, logit) => sum + Math.exp(logit - most), 0));
    return own.map(logit => logit - total);
  });
  /** whether a path may go from s - 2 to s */
  const skips = (s: number) => s % 2 === 1 && s > 1 && classAt(s) !== classAt(s - 2);
  const at = (values: Float64Array, s: number) => (s >= 0 && s < S ? values[s]! : Number.NEGATIVE_INFINITY);

  const alphas: Float64Array[] = [];
  for (let t = 0; t < T; t++)
    alphas.push(
      Float64Array.from({ length: S }, (_, s) => {
        const before = alphas[t - 1];
        const reached = before
          ? join(
              join(at(before, s), at(before, s - 1)),
              skips(s) ? at(before, s - 2) : Number.NEGATIVE_INFINITY,
            )
          : s < 2
            ? 0
            : Number.NEGATIVE_INFINITY;
        return reached + logY[t]![classAt(s)]!;
      }),
    );
  const likelihood = join(at(alphas[T - 1]!, S - 1), at(alphas[T - 1]!, S - 2));
  if (likelihood === Number.NEGATIVE_INFINITY) return Number.POSITIVE_INFINITY;
  if (!dLogits) return -likelihood;

  let after: Float64Array | null = null;
  for (let t = T - 1; t >= 0; t--) {
    const beta: Float64Array = Float64Array.from({ length: S }, (_, s) => {
      if (!after) return s >= S - 2 ? 0 : Number.NEGATIVE_INFINITY;
      const far = s + 2 < S && skips(s + 2) ? at(after, s + 2) : Number.NEGATIVE_INFINITY;
      return join(join(at(after, s), at(after, s + 1)), far);
    });
    const d = dLogits.offset + row(t);
    const shares = new Float64Array(C);
    for (let s = 0; s < S; s++) {
      const share = Math.exp(alphas[t]![s]! + beta[s]! - likelihood);
      shares[classAt(s)] = shares[classAt(s)]! + share;
    }
    for (let k = 0; k < C; k++) dLogits.data[d + k] = scale * (Math.exp(logY[t]![k]!) - shares[k]!);
    after = beta.map((value, s) => value + logY[t]![classAt(s)]!);
  }
  return -likelihood;
}
