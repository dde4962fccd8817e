// Diagonal state spaces of single channels: the equations of kernels/channel_states.h. All states of a pass are kept.
import type { ChannelStates, ChannelStatesBackward, ChannelStatesShape } from '../recurrences.ts';
import { meanNorms } from './reading.ts';

export function channelStatesKept({ seqLen, batch, width, states }: ChannelStatesShape): number {
  return seqLen * batch * 2 * width * states;
}

export function channelStates({ seqLen: T, batch: B, width: D, states: N, ...call }: ChannelStates): void {
  const { u, a, c, lengths, h0, y, hN, kept } = call;
  const half = D * N;
  const [re, im] = [new Float64Array(half), new Float64Array(half)];
  for (let b = 0; b < B; b++) {
    for (let i = 0; i < half; i++) {
      re[i] = h0 ? h0.data[h0.offset + b * 2 * half + i]! : 0;
      im[i] = h0 ? h0.data[h0.offset + b * 2 * half + half + i]! : 0;
    }
    const length = lengths ? lengths.data[lengths.offset + b]! : T;
    for (let t = 0; t < T; t++) {
      const row = (t * B + b) * D;
      for (let d = 0; d < D; d++) {
        let sum = 0;
        for (let i = d * N; t < length && i < (d + 1) * N; i++) {
          const [aRe, aIm] = [a.data[a.offset + i]!, a.data[a.offset + half + i]!];
          if (kept) kept.data.set([re[i]!, im[i]!], kept.offset + ((t * B + b) * half + i) * 2);
          const next = aRe * re[i]! - aIm * im[i]! + u.data[u.offset + row + d]!;
          im[i] = aRe * im[i]! + aIm * re[i]!;
          re[i] = next;
          sum += c.data[c.offset + i]! * re[i]! + c.data[c.offset + half + i]! * im[i]!;
        }
        y.data[y.offset + row + d] = sum;
      }
    }
    hN.data.set(re, hN.offset + b * 2 * half);
    hN.data.set(im, hN.offset + b * 2 * half + half);
  }
}

export function channelStatesBackward(call: ChannelStatesBackward): void {
  const { seqLen: T, batch: B, width: D, states: N, u, a, c, lengths, kept, dy, du, gradNorm } = call;
  const half = D * N;
  const [da, dc] = [new Float64Array(2 * half), new Float64Array(2 * half)];
  const ofSteps = new Float64Array(T * B);
  for (let b = 0; b < B; b++) {
    const length = lengths ? lengths.data[lengths.offset + b]! : T;
    const g = new Float64Array(2 * half);
    for (let t = T - 1; t >= 0; t--) {
      const row = (t * B + b) * D;
      let squares = 0;
      for (let d = 0; d < D; d++) {
        let sum = 0;
        const given = dy.data[dy.offset + row + d]!;
        for (let i = d * N; t < length && i < (d + 1) * N; i++) {
          const [aRe, aIm] = [a.data[a.offset + i]!, a.data[a.offset + half + i]!];
          const place = kept.offset + ((t * B + b) * half + i) * 2;
          const [re, im] = [kept.data[place]!, kept.data[place + 1]!];
          const gRe = g[i]! + given * c.data[c.offset + i]!;
          const gIm = g[half + i]! + given * c.data[c.offset + half + i]!;
          sum += gRe;
          squares += gRe * gRe + gIm * gIm;
          dc[i]! += given * (aRe * re - aIm * im + u.data[u.offset + row + d]!);
          dc[half + i]! += given * (aRe * im + aIm * re);
          da[i]! += gRe * re + gIm * im;
          da[half + i]! += gIm * re - gRe * im;
          g[i] = aRe * gRe + aIm * gIm;
          g[half + i] = aRe * gIm - aIm * gRe;
        }
        du.data[du.offset + row + d] = sum;
      }
      ofSteps[t * B + b] = squares;
    }
  }
  call.da.data.set(da, call.da.offset);
  call.dc.data.set(dc, call.dc.offset);
  if (gradNorm) meanNorms(gradNorm, ofSteps, { seqLen: T, batch: B, reverse: false }, lengths);
}
