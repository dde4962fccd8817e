// The scan of a diagonal recurrence, h_t = a_t ⊙ h_{t-1} + b_t, real or complex, step by step. Backward, with g_t the
// total derivative of h_t and ¯ the conjugate:
//
//   g_t = ∂L/∂h_t + ā_{t+1} g_{t+1}      ∂L/∂b_t = g_t      ∂L/∂a_t = g_t h̄_{t-1}      ∂L/∂h_0 = ā_1 g_1
import type { Scan, ScanBackward } from '../recurrences.ts';
import { clear } from './memory.ts';
import { lengthOf, meanNorms, optionalView, placeOf, view } from './reading.ts';

export function scan(call: Scan): void {
  const { seqLen, batch, width, complex, constant, reverse, lengths } = call;
  const row = complex ? 2 * width : width;
  const count = seqLen * batch * row;
  const a = view(call.a, constant ? row : count);
  const b = view(call.b, count);
  const h0 = optionalView(call.h0, batch * row);
  const [h, hN] = [view(call.h, count), view(call.hN, batch * row)];
  h.fill(0);
  for (let sequence = 0; sequence < batch; sequence++) {
    const length = lengthOf(seqLen, lengths, sequence);
    for (let d = 0; d < width; d++) {
      const first = sequence * row + d;
      let [re, im] = [h0?.[first] ?? 0, complex ? (h0?.[first + width] ?? 0) : 0];
      for (let s = 0; s < length; s++) {
        const at = placeOf(reverse, length, s) * batch * row + first;
        const atA = constant ? d : at;
        if (complex) {
          const [aRe, aIm] = [a[atA]!, a[atA + width]!];
          [re, im] = [aRe * re - aIm * im + b[at]!, aRe * im + aIm * re + b[at + width]!];
          h[at + width] = im;
        } else re = a[atA]! * re + b[at]!;
        h[at] = re;
      }
      hN[first] = re;
      if (complex) hN[first + width] = im;
    }
  }
}

export function scanBackward(call: ScanBackward): void {
  const { seqLen, batch, width, complex, constant, reverse, lengths } = call;
  const row = complex ? 2 * width : width;
  const count = seqLen * batch * row;
  const a = view(call.a, constant ? row : count);
  const [h, dh, db] = [view(call.h, count), view(call.dh, count), view(call.db, count)];
  const [h0, dhN] = [optionalView(call.h0, batch * row), optionalView(call.dhN, batch * row)];
  const [da, dh0] = [optionalView(call.da, a.length), optionalView(call.dh0, batch * row)];
  const sums = new Float64Array(row);
  const squares = new Float64Array(seqLen * batch);
  clear(call.db, count);
  da?.fill(0);
  for (let sequence = 0; sequence < batch; sequence++) {
    const length = lengthOf(seqLen, lengths, sequence);
    for (let d = 0; d < width; d++) {
      const first = sequence * row + d;
      let [re, im] = [dhN?.[first] ?? 0, complex ? (dhN?.[first + width] ?? 0) : 0];
      for (let s = length - 1; s >= 0; s--) {
        const place = placeOf(reverse, length, s);
        const at = place * batch * row + first;
        const before = s > 0 ? placeOf(reverse, length, s - 1) * batch * row + first : first;
        const past = s > 0 ? h : h0;
        const atA = constant ? d : at;
        const [pastRe, pastIm] = [past?.[before] ?? 0, complex ? (past?.[before + width] ?? 0) : 0];
        const [aRe, aIm] = [a[atA]!, complex ? a[atA + width]! : 0];
        re += dh[at]!;
        db[at] = re;
        if (complex) {
          im += dh[at + width]!;
          db[at + width] = im;
        }
        squares[place * batch + sequence]! += re * re + im * im;
        const [dRe, dIm] = [re * pastRe + im * pastIm, im * pastRe - re * pastIm];
        if (constant) {
          sums[d]! += dRe;
          if (complex) sums[d + width]! += dIm;
        } else if (da) {
          da[at] = dRe;
          if (complex) da[at + width] = dIm;
        }
        [re, im] = complex ? [aRe * re + aIm * im, aRe * im - aIm * re] : [aRe * re, 0];
      }
      if (dh0) {
        dh0[first] = re;
        if (complex) dh0[first + width] = im;
      }
    }
  }
  if (constant) da?.set(sums);
  if (call.gradNorm) meanNorms(call.gradNorm, squares, call, lengths);
}
