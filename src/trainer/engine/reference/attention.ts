// Attention: A. Vaswani et al., 2017, https://arxiv.org/abs/1706.03762, one row of scores at a time, as M. N. Rabe and
// C. Staats, 2021, https://arxiv.org/abs/2112.05682, and T. Dao et al., 2022, https://arxiv.org/abs/2205.14135: memory is
// linear in T, and the backward pass computes the scores again from log Σ exp.
//
//   s_ti = q_t · k_i / √d      p_ti = exp(s_ti - L_t), L_t = log Σ_i exp s_ti      o_t = Σ_i p_ti v_i
//
//   ∂L/∂v_i = Σ_t p_ti ∂L/∂o_t      ∂L/∂s_ti = p_ti (∂L/∂o_t · v_i - ∂L/∂o_t · o_t) = δ_ti
//   ∂L/∂q_t = Σ_i δ_ti k_i / √d     ∂L/∂k_i = Σ_t δ_ti q_t / √d
import { seesKey } from '../attention-mask.ts';
import type {
  Attention,
  AttentionBackward,
  AttentionShape,
  AttentionTerms,
  IntSlice,
  Slice,
} from '../provider.ts';

type Operands = AttentionTerms & Pick<Attention, 'q' | 'kv' | 'lengths'>;

/** Where one head of one sequence stands. */
function placesOf(shape: AttentionShape, b: number, head: number) {
  const { batch, heads, kvHeads, headSize, qStride, kvStride } = shape;
  const width = heads * headSize;
  const at = head * headSize;
  const ofKey = Math.floor((head * kvHeads) / heads) * headSize;
  return {
    query: (t: number) => (t * batch + b) * qStride + at,
    key: (s: number) => (s * batch + b) * kvStride + ofKey,
    value: (s: number) => (s * batch + b) * kvStride + kvHeads * headSize + ofKey,
    out: (t: number) => (t * batch + b) * width + at,
    distance: (distance: number) => distance * width + at,
  };
}

/** The keys of sequence b that query t sees, in order. */
function seenKeys(call: AttentionShape & Operands, b: number, t: number): number[] {
  const seen: number[] = [];
  const start = lengthOf(call.starts, b, 0);
  const length = lengthOf(call.lengths, b, call.keys);
  for (let s = start; s < length; s++) if (seesKey(call, call.offset + t, s)) seen.push(s);
  return seen;
}

/** s_ti of key s. */
function scoreOf(call: AttentionShape & Operands, b: number, head: number, t: number, s: number): number {
  const { q, kv, headSize, slopes, qRelative, relative } = call;
  const places = placesOf(call, b, head);
  const apart = call.offset + t - s;
  let product = dot(q, places.query(t), kv, places.key(s), headSize);
  if (relative) product += dot(qRelative!, places.out(t), relative, places.distance(apart), headSize);
  const slope = slopes ? slopes.data[slopes.offset + head]! : 0;
  return product / Math.sqrt(headSize) - slope * Math.abs(apart);
}

function lengthOf(lengths: IntSlice | null, b: number, most: number): number {
  return lengths ? lengths.data[lengths.offset + b]! : most;
}

function dot(a: Slice, atA: number, b: Slice, atB: number, size: number): number {
  let sum = 0;
  for (let j = 0; j < size; j++) sum += a.data[a.offset + atA + j]! * b.data[b.offset + atB + j]!;
  return sum;
}

/** f(sequence, head, number of the row of logSumExp, query) for every query, also those beyond a sequence's length. */
function eachQuery(
  { batch, heads, queries }: AttentionShape,
  f: (b: number, head: number, row: number, t: number) => void,
) {
  for (let b = 0; b < batch; b++)
    for (let head = 0; head < heads; head++)
      for (let t = 0; t < queries; t++) f(b, head, (b * heads + head) * queries + t, t);
}

export function attention(call: Attention): void {
  const { queries, keys, headSize, kv, queryLengths, out, logSumExp, weights } = call;
  const scores = new Float64Array(keys);
  const sums = new Float64Array(headSize);
  eachQuery(call, (b, head, row, t) => {
    const places = placesOf(call, b, head);
    const valid = t < lengthOf(queryLengths, b, queries);
    const seen = valid ? seenKeys(call, b, t) : [];
    let max = Number.NEGATIVE_INFINITY;
    for (const s of seen) {
      scores[s] = scoreOf(call, b, head, t, s);
      if (scores[s]! > max) max = scores[s]!;
    }
    let total = 0;
    sums.fill(0);
    for (const s of seen) {
      const p = Math.exp(scores[s]! - max);
      scores[s] = p;
      total += p;
      const value = kv.offset + places.value(s);
      for (let j = 0; j < headSize; j++) sums[j] = sums[j]! + p * kv.data[value + j]!;
    }
    if (seen.length === 0) total = 1;
    for (let j = 0; j < headSize; j++) out.data[out.offset + places.out(t) + j] = sums[j]! / total;
    if (logSumExp) logSumExp.data[logSumExp.offset + row] = seen.length > 0 ? max + Math.log(total) : 0;
    if (!weights) return;
    const first = weights.offset + row * keys;
    weights.data.fill(0, first, first + keys);
    for (const s of seen) weights.data[first + s] = scores[s]! / total;
  });
}

export function attentionBackward(call: AttentionBackward): void {
  const { queries, keys, batch, heads, kvHeads, headSize, q, kv, queryLengths } = call;
  const { qRelative, relative, out, logSumExp, dOut, dQ, dKv, dQRelative, dRelative } = call;
  const width = heads * headSize;
  clearRows(dQ, queries * batch, call.qStride, width);
  clearRows(dKv, keys * batch, call.kvStride, 2 * kvHeads * headSize);
  if (dQRelative) clearRows(dQRelative, queries * batch, width, width);
  if (dRelative) clearRows(dRelative, batch * keys, width, width);
  const scale = 1 / Math.sqrt(headSize);
  eachQuery(call, (b, head, row, t) => {
    if (t >= lengthOf(queryLengths, b, queries)) return;
    const places = placesOf(call, b, head);
    const logSum = logSumExp.data[logSumExp.offset + row]!;
    const throughSum = dot(dOut, places.out(t), out, places.out(t), headSize);
    for (const s of seenKeys(call, b, t)) {
      const p = Math.exp(scoreOf(call, b, head, t, s) - logSum);
      const delta = p * (dot(dOut, places.out(t), kv, places.value(s), headSize) - throughSum) * scale;
      addScaled(dQ, places.query(t), delta, kv, places.key(s), headSize);
      addScaled(dKv, places.key(s), delta, q, places.query(t), headSize);
      addScaled(dKv, places.value(s), p, dOut, places.out(t), headSize);
      if (!dQRelative || !dRelative) continue;
      const distance = places.distance(call.offset + t - s);
      addScaled(dQRelative, places.out(t), delta, relative!, distance, headSize);
      addScaled(dRelative, b * keys * width + distance, delta, qRelative!, places.out(t), headSize);
    }
  });
}

/** The first `width` numbers of each row; between them may stand another operand. */
function clearRows({ data, offset }: Slice, rows: number, stride: number, width: number): void {
  for (let row = 0; row < rows; row++) data.fill(0, offset + row * stride, offset + row * stride + width);
}

function addScaled(to: Slice, atTo: number, factor: number, from: Slice, atFrom: number, size: number): void {
  for (let j = 0; j < size; j++) {
    const at = to.offset + atTo + j;
    to.data[at] = to.data[at]! + factor * from.data[from.offset + atFrom + j]!;
  }
}
