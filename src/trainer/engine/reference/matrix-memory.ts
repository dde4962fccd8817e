// The matrix memory of linear attention and the delta rule, step by step; recurrences.ts has its equations. Papers: linear
// attention, A. Katharopoulos et al., 2020, https://arxiv.org/abs/2006.16236; DeltaNet, S. Yang et al., 2024,
// https://arxiv.org/abs/2406.06484, gated: https://arxiv.org/abs/2412.06464; mLSTM, M. Beck et al., 2024,
// https://arxiv.org/abs/2405.04517; RWKV-6, B. Peng et al., 2024, https://arxiv.org/abs/2404.05892.
//
// The backward pass computes the states of a chunk again from the one kept before it. With G the total derivative of S_t,
// P = S_{t-1} diag(α), w = v - P k of `delta`, c = S_{t-1} a of `general`:
//
//   add      ∂v = γ G k    ∂k = γ Gᵀ v              ∂γ = v·G k    ∂P = G
//   delta    ∂v = γ G k    ∂k = γ Gᵀ w - Pᵀ ∂v      ∂γ = w·G k    ∂P = G - ∂v kᵀ
//   general  as add, and   ∂b = Gᵀ c    ∂c = G b    ∂a = S_{t-1}ᵀ ∂c
//
//   ∂α = Σ over rows of ∂P ⊙ S_{t-1}      ∂S_{t-1} = ∂P diag(α), and + ∂c aᵀ of `general`
import type { MatrixMemory, MatrixMemoryBackward } from '../recurrences.ts';
import { lengthOf, meanNorms, optionalView, placeOf, view } from './reading.ts';

type Array64 = Float64Array;

/** One step's numbers of one head. */
interface Step {
  q: Float32Array;
  k: Float32Array;
  /** (R): ends in 1 when normalised */
  v: Array64;
  /** (K) */
  decay: Array64;
  strength: number;
  a: Float32Array | null;
  b: Float32Array | null;
  floor: number;
}

function sizesOf(call: MatrixMemory | MatrixMemoryBackward) {
  const { seqLen, batch, heads, keySize: K, valueSize: V, normalised, chunk } = call;
  const R = normalised ? V + 1 : V;
  const rows = seqLen * batch * heads;
  return { K, V, R, rows, state: R * K, states: batch * heads * R * K, chunks: Math.ceil(seqLen / chunk) };
}

/** Reads the step of a row (t, b, head). */
function stepReader(call: MatrixMemory | MatrixMemoryBackward): (row: number) => Step {
  const { decayOf, normalised } = call;
  const { K, V, R, rows } = sizesOf(call);
  const [q, k, v] = [view(call.q, rows * K), view(call.k, rows * K), view(call.v, rows * V)];
  const decays = optionalView(call.decay, decayOf === 'channel' ? rows * K : rows);
  const [strengths, floors] = [optionalView(call.strength, rows), optionalView(call.floor, rows)];
  const [a, b] = [optionalView(call.a, rows * K), optionalView(call.b, rows * K)];
  const keys = (array: Float32Array, row: number) => array.subarray(row * K, (row + 1) * K);
  const decay = new Float64Array(K);
  const value = new Float64Array(R).fill(1);
  return row => {
    for (let j = 0; j < K; j++) decay[j] = decays ? decays[decayOf === 'channel' ? row * K + j : row]! : 1;
    for (let i = 0; i < V; i++) value[i] = v[row * V + i]!;
    return {
      q: keys(q, row),
      k: keys(k, row),
      v: value,
      decay,
      strength: strengths ? strengths[row]! : 1,
      a: a && keys(a, row),
      b: b && keys(b, row),
      floor: normalised && floors ? floors[row]! : 1,
    };
  };
}

/** out (R) = state · by, whose columns are weighted if weights are given. */
function times(state: Array64, by: ArrayLike<number>, weights: Array64 | null, out: Array64): Array64 {
  const K = by.length;
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (let j = 0; j < K; j++) sum += state[i * K + j]! * by[j]! * (weights ? weights[j]! : 1);
    out[i] = sum;
  }
  return out;
}

/** out (K) += factor · stateᵀ · by */
function addTransposed(out: Array64, factor: number, state: Array64, by: ArrayLike<number>): void {
  const K = out.length;
  for (let i = 0; i < state.length / K; i++)
    for (let j = 0; j < K; j++) out[j]! += factor * state[i * K + j]! * by[i]!;
}

/** state += factor · column rowᵀ */
function addOuter(state: Array64, factor: number, column: Array64, row: ArrayLike<number>): void {
  const K = row.length;
  for (let i = 0; i < column.length; i++)
    for (let j = 0; j < K; j++) state[i * K + j]! += factor * column[i]! * row[j]!;
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>, size = a.length): number {
  let sum = 0;
  for (let i = 0; i < size; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** What is written in a step: w of `delta`, v of the others. (R) */
function writtenBy(call: MatrixMemory | MatrixMemoryBackward, before: Array64, step: Step): Array64 {
  if (call.update !== 'delta') return step.v;
  const found = times(before, step.k, step.decay, new Float64Array(step.v.length));
  return found.map((each, i) => step.v[i]! - each);
}

/** after = the state that follows `before`; they may be the same array. */
function advance(
  call: MatrixMemory | MatrixMemoryBackward,
  before: Array64,
  step: Step,
  after: Array64,
): void {
  const { k, decay, a, b } = step;
  const written = writtenBy(call, before, step);
  const turned = a && times(before, a, null, new Float64Array(step.v.length));
  for (let i = 0; i < before.length; i++) after[i] = before[i]! * decay[i % k.length]!;
  if (turned) addOuter(after, 1, turned, b!);
  addOuter(after, step.strength, written, k);
}

/** Σ u ⊙ q ⊙ k of a head. */
function bonusOf(bonus: Float32Array, { q, k }: Step): number {
  return q.reduce((sum, each, j) => sum + bonus[j]! * each * k[j]!, 0);
}

export function matrixMemory(call: MatrixMemory): void {
  const { seqLen, batch, heads, normalised, reverse, chunk, lengths } = call;
  const { K, V, R, rows, state, states, chunks } = sizesOf(call);
  const [o, sN] = [view(call.o, rows * V), view(call.sN, states)];
  const [s0, kept] = [optionalView(call.s0, states), optionalView(call.kept, chunks * states)];
  const bonus = optionalView(call.bonus, heads * K);
  const read = stepReader(call);
  const found = new Float64Array(R);
  o.fill(0);
  kept?.fill(0);
  for (let sequence = 0; sequence < batch; sequence++) {
    const length = lengthOf(seqLen, lengths, sequence);
    for (let head = 0; head < heads; head++) {
      const first = (sequence * heads + head) * state;
      const S = new Float64Array(state);
      if (s0) S.set(s0.subarray(first, first + state));
      for (let s = 0; s < length; s++) {
        if (s % chunk === 0) kept?.set(S, (s / chunk) * states + first);
        const row = (placeOf(reverse, length, s) * batch + sequence) * heads + head;
        const step = read(row);
        const out = o.subarray(row * V, (row + 1) * V);
        if (bonus) {
          const own = step.strength * bonusOf(bonus.subarray(head * K, (head + 1) * K), step);
          times(S, step.q, null, found);
          out.set(found.map((each, i) => each + own * step.v[i]!));
        }
        advance(call, S, step, S);
        if (bonus) continue;
        times(S, step.q, null, found);
        const divisor = normalised ? Math.max(Math.abs(found[V]!), step.floor) : 1;
        for (let i = 0; i < V; i++) out[i] = found[i]! / divisor;
      }
      sN.set(S, first);
    }
  }
}

export function matrixMemoryBackward(call: MatrixMemoryBackward): void {
  const { seqLen, batch, heads, update, decayOf, reverse, chunk, lengths } = call;
  const { K, V, R, rows, state, states, chunks } = sizesOf(call);
  const kept = view(call.kept, chunks * states);
  const dOut = view(call.do, rows * V);
  const [dsN, ds0] = [optionalView(call.dsN, states), optionalView(call.ds0, states)];
  const [dq, dk, dv] = [view(call.dq, rows * K), view(call.dk, rows * K), view(call.dv, rows * V)];
  const dDecay = optionalView(call.dDecay, decayOf === 'channel' ? rows * K : rows);
  const dStrength = optionalView(call.dStrength, rows);
  const [da, db] = [optionalView(call.da, rows * K), optionalView(call.db, rows * K)];
  const bonus = optionalView(call.bonus, heads * K);
  const dBonus = new Float64Array(heads * K);
  for (const gradient of [dq, dk, dv, dDecay, dStrength, da, db]) gradient?.fill(0);
  const read = stepReader(call);
  const squares = new Float64Array(seqLen * batch);
  const S = Array.from({ length: chunk + 1 }, () => new Float64Array(state));

  /** One step back: G is the derivative of the state after it, and becomes that of the state before it. */
  function back(row: number, head: number, before: Array64, after: Array64, G: Array64): void {
    const step = read(row);
    const { q, k, decay, strength, a, b } = step;
    const dOutput = new Float64Array(R);
    dOutput.set(dOut.subarray(row * V, (row + 1) * V));
    const [ofQ, ofK, ofDecay] = [new Float64Array(K), new Float64Array(K), new Float64Array(K)];
    if (!bonus) {
      if (call.normalised) throughDivisor(dOutput, times(after, q, null, new Float64Array(R)), step.floor);
      addTransposed(ofQ, 1, after, dOutput);
      addOuter(G, 1, dOutput, q);
    }
    squares[Math.floor(row / heads)]! += dot(G, G, V * K);
    const written = writtenBy(call, before, step);
    const ofWritten = times(G, k, null, new Float64Array(R));
    let ofStrength = dot(written, ofWritten);
    for (let i = 0; i < R; i++) ofWritten[i]! *= strength;
    addTransposed(ofK, strength, G, written);
    const ofTurned = new Float64Array(R);
    if (a && b) {
      const turned = times(before, a, null, new Float64Array(R));
      times(G, b, null, ofTurned);
      const [ofA, ofB] = [new Float64Array(K), new Float64Array(K)];
      addTransposed(ofB, 1, G, turned);
      addTransposed(ofA, 1, before, ofTurned);
      da?.set(ofA, row * K);
      db?.set(ofB, row * K);
    }
    if (update === 'delta') {
      const found = new Float64Array(K);
      addTransposed(found, 1, before, ofWritten);
      for (let j = 0; j < K; j++) ofK[j]! -= decay[j]! * found[j]!;
      addOuter(G, -1, ofWritten, k);
    }
    for (let i = 0; i < state; i++) {
      ofDecay[i % K]! += G[i]! * before[i]!;
      G[i]! *= decay[i % K]!;
    }
    if (a) addOuter(G, 1, ofTurned, a);
    const ofV = ofWritten;
    if (bonus) {
      const along = dot(dOutput, step.v);
      const u = bonus.subarray(head * K, (head + 1) * K);
      const own = bonusOf(u, step);
      addTransposed(ofQ, 1, before, dOutput);
      addOuter(G, 1, dOutput, q);
      ofStrength += own * along;
      for (let i = 0; i < V; i++) ofV[i]! += strength * own * dOutput[i]!;
      for (let j = 0; j < K; j++) {
        ofQ[j]! += strength * along * u[j]! * k[j]!;
        ofK[j]! += strength * along * u[j]! * q[j]!;
        dBonus[head * K + j]! += strength * along * q[j]! * k[j]!;
      }
    }
    dq.set(ofQ, row * K);
    dk.set(ofK, row * K);
    dv.set(ofV.subarray(0, V), row * V);
    if (dStrength) dStrength[row] = ofStrength;
    if (decayOf === 'channel') dDecay?.set(ofDecay, row * K);
    else if (dDecay) dDecay[row] = ofDecay.reduce((sum, each) => sum + each, 0);
  }

  for (let sequence = 0; sequence < batch; sequence++) {
    const length = lengthOf(seqLen, lengths, sequence);
    for (let head = 0; head < heads; head++) {
      const first = (sequence * heads + head) * state;
      const rowOf = (s: number) => (placeOf(reverse, length, s) * batch + sequence) * heads + head;
      const G = new Float64Array(state);
      if (dsN) G.set(dsN.subarray(first, first + state));
      for (let from = (Math.ceil(length / chunk) - 1) * chunk; from >= 0; from -= chunk) {
        const steps = Math.min(chunk, length - from);
        const place = (from / chunk) * states + first;
        S[0]!.set(kept.subarray(place, place + state));
        for (let i = 0; i < steps; i++) advance(call, S[i]!, read(rowOf(from + i)), S[i + 1]!);
        for (let i = steps - 1; i >= 0; i--) back(rowOf(from + i), head, S[i]!, S[i + 1]!, G);
      }
      ds0?.set(G, first);
    }
  }
  optionalView(call.dBonus, heads * K)?.set(dBonus);
  if (call.gradNorm) meanNorms(call.gradNorm, squares, call, lengths);
}

/** From ∂L/∂(found / divisor) to ∂L/∂found; the last number of `found` is n·q. */
function throughDivisor(gradient: Array64, found: Array64, floor: number): void {
  const V = gradient.length - 1;
  const divisor = Math.max(Math.abs(found[V]!), floor);
  const ofDivisor = -dot(gradient, found, V) / divisor ** 2;
  for (let i = 0; i < V; i++) gradient[i]! /= divisor;
  gradient[V] = Math.abs(found[V]!) > floor ? Math.sign(found[V]!) * ofDivisor : 0;
}
