// Attention: A. Vaswani et al., 2017, https://arxiv.org/abs/1706.03762, one row of scores at a time, as M. N. Rabe and
// C. Staats, 2021, https://arxiv.org/abs/2112.05682, and T. Dao et al., 2022, https://arxiv.org/abs/2205.14135: memory is
// linear in T, and the backward pass computes the scores again from log Σ exp.
//
//   s_ti = q_t · k_i / √d      p_ti = exp(s_ti - L_t), L_t = log Σ_i exp s_ti      o_t = Σ_i p_ti v_i
//
//   ∂L/∂v_i = Σ_t p_ti ∂L/∂o_t      ∂L/∂s_ti = p_ti (∂L/∂o_t · v_i - ∂L/∂o_t · o_t) = δ_ti
//   ∂L/∂q_t = Σ_i δ_ti k_i / √d     ∂L/∂k_i = Σ_t δ_ti q_t / √d
import type { Attention, AttentionBackward, AttentionShape, IntSlice, Slice } from '../provider.ts';
import { clear } from './memory.ts';

/** Where one head of one sequence stands: step t of its part p (0 queries, 1 keys, 2 values). */
function placesOf({ batch, heads, headSize }: AttentionShape, b: number, head: number) {
  const width = heads * headSize;
  return {
    inQkv: (t: number, part: number) => ((t * batch + b) * 3 + part) * width + head * headSize,
    inOut: (t: number) => (t * batch + b) * width + head * headSize,
  };
}

/** The first and the last step that step t looks at. */
function reach({ causal, window }: AttentionShape, length: number, t: number): [number, number] {
  const back = window > 0 ? Math.max(0, t - window + 1) : 0;
  const ahead = window > 0 ? Math.min(length - 1, t + window - 1) : length - 1;
  return [back, causal ? t : ahead];
}

function lengthOf({ seqLen }: AttentionShape, lengths: IntSlice | null, b: number): number {
  return lengths ? lengths.data[lengths.offset + b]! : seqLen;
}

function dot(a: Slice, atA: number, b: Slice, atB: number, size: number): number {
  let sum = 0;
  for (let j = 0; j < size; j++) sum += a.data[a.offset + atA + j]! * b.data[b.offset + atB + j]!;
  return sum;
}

export function attention(call: Attention): void {
  const { seqLen, batch, heads, headSize, qkv, lengths, out, logSumExp } = call;
  clear(out, seqLen * batch * heads * headSize);
  if (logSumExp) clear(logSumExp, batch * heads * seqLen);
  const scores = new Float64Array(seqLen);
  const sums = new Float64Array(headSize);
  for (let b = 0; b < batch; b++) {
    const length = lengthOf(call, lengths, b);
    for (let head = 0; head < heads; head++) {
      const { inQkv, inOut } = placesOf(call, b, head);
      for (let t = 0; t < length; t++) {
        const [first, last] = reach(call, length, t);
        let max = Number.NEGATIVE_INFINITY;
        for (let s = first; s <= last; s++) {
          scores[s] = dot(qkv, inQkv(t, 0), qkv, inQkv(s, 1), headSize) / Math.sqrt(headSize);
          if (scores[s]! > max) max = scores[s]!;
        }
        let total = 0;
        sums.fill(0);
        for (let s = first; s <= last; s++) {
          const p = Math.exp(scores[s]! - max);
          total += p;
          const value = qkv.offset + inQkv(s, 2);
          for (let j = 0; j < headSize; j++) sums[j] = sums[j]! + p * qkv.data[value + j]!;
        }
        for (let j = 0; j < headSize; j++) out.data[out.offset + inOut(t) + j] = sums[j]! / total;
        if (logSumExp)
          logSumExp.data[logSumExp.offset + (b * heads + head) * seqLen + t] = max + Math.log(total);
      }
    }
  }
}

export function attentionBackward(call: AttentionBackward): void {
  const { seqLen, batch, heads, headSize, qkv, lengths, out, logSumExp, dOut, dQkv } = call;
  clear(dQkv, 3 * seqLen * batch * heads * headSize);
  const scale = 1 / Math.sqrt(headSize);
  for (let b = 0; b < batch; b++) {
    const length = lengthOf(call, lengths, b);
    for (let head = 0; head < heads; head++) {
      const { inQkv, inOut } = placesOf(call, b, head);
      for (let t = 0; t < length; t++) {
        const [first, last] = reach(call, length, t);
        const logSum = logSumExp.data[logSumExp.offset + (b * heads + head) * seqLen + t]!;
        const throughSum = dot(dOut, inOut(t), out, inOut(t), headSize);
        for (let s = first; s <= last; s++) {
          const score = dot(qkv, inQkv(t, 0), qkv, inQkv(s, 1), headSize) * scale;
          const p = Math.exp(score - logSum);
          const delta = p * (dot(dOut, inOut(t), qkv, inQkv(s, 2), headSize) - throughSum) * scale;
          addScaled(dQkv, inQkv(t, 0), delta, qkv, inQkv(s, 1), headSize);
          addScaled(dQkv, inQkv(s, 1), delta, qkv, inQkv(t, 0), headSize);
          addScaled(dQkv, inQkv(s, 2), p, dOut, inOut(t), headSize);
        }
      }
    }
  }
}

function addScaled(to: Slice, atTo: number, factor: number, from: Slice, atFrom: number, size: number): void {
  for (let j = 0; j < size; j++) {
    const at = to.offset + atTo + j;
    to.data[at] = to.data[at]! + factor * from.data[from.offset + atFrom + j]!;
  }
}
