// The selective scan of Mamba (A. Gu and T. Dao, 2023, https://arxiv.org/abs/2312.00752), step by step: for a channel with
// its N states, x and Δ being numbers, a, b, c and h rows of N,
//
//   A = exp(Δ a)      h_t = A ⊙ h_{t-1} + Δ x b      y = h_t · c + skip x
//
// The backward pass computes the states of a chunk again from the one kept before it. With g_t the total derivative of h_t:
//
//   g_t = ∂L/∂y_t c_t + A_{t+1} ⊙ g_{t+1}      ∂c = ∂y h_t      ∂b = Δ x g      ∂x = Δ (g·b) + skip ∂y
//   ∂Δ = Σ_n g a A h_{t-1} + x (g·b)           ∂a = Δ g A h_{t-1}
import type { SelectiveScan, SelectiveScanBackward } from '../recurrences.ts';
import { lengthOf, meanNorms, optionalView, placeOf, view } from './reading.ts';

function operandsOf(call: SelectiveScan | SelectiveScanBackward) {
  const { seqLen, batch, width, states } = call;
  const [ofChannels, ofStates] = [seqLen * batch * width, seqLen * batch * states];
  return {
    x: view(call.x, ofChannels),
    delta: view(call.delta, ofChannels),
    a: view(call.a, width * states),
    b: view(call.b, ofStates),
    c: view(call.c, ofStates),
    skip: optionalView(call.skip, width),
  };
}

export function selectiveScan(call: SelectiveScan): void {
  const { seqLen, batch, width, states: N, reverse, chunk, lengths } = call;
  const { x, delta, a, b, c, skip } = operandsOf(call);
  const size = batch * width * N;
  const [h0, kept] = [optionalView(call.h0, size), optionalView(call.kept, Math.ceil(seqLen / chunk) * size)];
  const [y, hN] = [view(call.y, seqLen * batch * width), view(call.hN, size)];
  y.fill(0);
  kept?.fill(0);
  const h = new Float64Array(N);
  for (let sequence = 0; sequence < batch; sequence++) {
    const length = lengthOf(seqLen, lengths, sequence);
    for (let d = 0; d < width; d++) {
      const first = (sequence * width + d) * N;
      for (let n = 0; n < N; n++) h[n] = h0?.[first + n] ?? 0;
      for (let s = 0; s < length; s++) {
        if (s % chunk === 0) kept?.set(h, (s / chunk) * size + first);
        const row = placeOf(reverse, length, s) * batch + sequence;
        const [at, ofStates] = [row * width + d, row * N];
        const [step, input] = [delta[at]!, delta[at]! * x[at]!];
        let sum = skip ? skip[d]! * x[at]! : 0;
        for (let n = 0; n < N; n++) {
          h[n] = Math.exp(step * a[d * N + n]!) * h[n]! + input * b[ofStates + n]!;
          sum += h[n]! * c[ofStates + n]!;
        }
        y[at] = sum;
      }
      hN.set(h, first);
    }
  }
}

export function selectiveScanBackward(call: SelectiveScanBackward): void {
  const { seqLen, batch, width, states: N, reverse, chunk, lengths } = call;
  const { x, delta, a, b, c, skip } = operandsOf(call);
  const size = batch * width * N;
  const ofChannels = seqLen * batch * width;
  const kept = view(call.kept, Math.ceil(seqLen / chunk) * size);
  const [dy, dx, dDelta] = [
    view(call.dy, ofChannels),
    view(call.dx, ofChannels),
    view(call.dDelta, ofChannels),
  ];
  const [dhN, dh0] = [optionalView(call.dhN, size), optionalView(call.dh0, size)];
  const [da, dSkip] = [new Float64Array(width * N), new Float64Array(width)];
  const [db, dc] = [new Float64Array(seqLen * batch * N), new Float64Array(seqLen * batch * N)];
  const squares = new Float64Array(seqLen * batch);
  dx.fill(0);
  dDelta.fill(0);
  const g = new Float64Array(N);
  const h = new Float64Array((chunk + 1) * N);
  for (let sequence = 0; sequence < batch; sequence++) {
    const length = lengthOf(seqLen, lengths, sequence);
    const rowOf = (s: number) => placeOf(reverse, length, s) * batch + sequence;
    for (let d = 0; d < width; d++) {
      const first = (sequence * width + d) * N;
      for (let n = 0; n < N; n++) g[n] = dhN?.[first + n] ?? 0;
      for (let from = (Math.ceil(length / chunk) - 1) * chunk; from >= 0; from -= chunk) {
        const steps = Math.min(chunk, length - from);
        // 1. the states of the chunk, h[0] being the one before it
        for (let n = 0; n < N; n++) h[n] = kept[(from / chunk) * size + first + n]!;
        for (let i = 0; i < steps; i++) {
          const row = rowOf(from + i);
          const step = delta[row * width + d]!;
          const input = step * x[row * width + d]!;
          for (let n = 0; n < N; n++)
            h[(i + 1) * N + n] = Math.exp(step * a[d * N + n]!) * h[i * N + n]! + input * b[row * N + n]!;
        }
        // 2. back through it
        for (let i = steps - 1; i >= 0; i--) {
          const row = rowOf(from + i);
          const at = row * width + d;
          const [step, input] = [delta[at]!, x[at]!];
          let [alongB, ofStep] = [0, 0];
          for (let n = 0; n < N; n++) {
            const decay = Math.exp(step * a[d * N + n]!);
            dc[row * N + n]! += dy[at]! * h[(i + 1) * N + n]!;
            const total = g[n]! + dy[at]! * c[row * N + n]!;
            squares[row]! += total * total;
            alongB += total * b[row * N + n]!;
            db[row * N + n]! += step * input * total;
            const ofExponent = total * decay * h[i * N + n]!;
            ofStep += ofExponent * a[d * N + n]!;
            da[d * N + n]! += ofExponent * step;
            g[n] = total * decay;
          }
          dx[at] = step * alongB + (skip ? skip[d]! * dy[at]! : 0);
          dDelta[at] = ofStep + input * alongB;
          dSkip[d]! += input * dy[at]!;
        }
      }
      dh0?.set(g, first);
    }
  }
  view(call.da, da.length).set(da);
  view(call.db, db.length).set(db);
  view(call.dc, dc.length).set(dc);
  optionalView(call.dSkip, width)?.set(dSkip);
  if (call.gradNorm) meanNorms(call.gradNorm, squares, call, lengths);
}
