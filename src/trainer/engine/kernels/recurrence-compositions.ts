// Linear recurrences in plain tensor operations, a loop over time: what backends without our kernels run, and what the
// kernels are tested against. Memory is that of every step's tensors.
import {
  abs,
  add,
  concat,
  div,
  exp,
  matMul,
  maximum,
  mul,
  reshape,
  slice,
  sub,
  sum,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  tensor,
  zeros,
} from '@tensorflow/tfjs-core';
import type {
  MemoryInputs,
  MemoryOptions,
  RecurrenceOptions,
  ScanInputs,
  ScanOptions,
  SelectiveScanInputs,
} from './recurrence-operands.ts';

/** Step t of a (T, B, …) sequence, without its first axis. */
function at(sequence: Tensor, t: number): Tensor {
  const [, ...rest] = sequence.shape;
  return reshape(slice(sequence, [t, ...rest.map(() => 0)], [1, ...rest]), rest);
}

/**
 * The loop over time: `step` gives the next state and the output of step t. Where a sequence has no step t, its state
 * stays and its output is zero.
 */
function overTime(
  seqLen: number,
  batch: number,
  start: Tensor,
  { reverse = false, lengths }: RecurrenceOptions,
  step: (state: Tensor, t: number) => { state: Tensor; out: Tensor },
): { out: Tensor; state: Tensor } {
  const outs: Tensor[] = [];
  let state = start;
  for (let s = 0; s < seqLen; s++) {
    const t = reverse ? seqLen - 1 - s : s;
    const next = step(state, t);
    const inside = lengths ? Float32Array.from(lengths, length => (t < length ? 1 : 0)) : null;
    const masked = (value: Tensor, mask: Float32Array) =>
      mul(value, tensor(mask, [batch, ...value.shape.slice(1).map(() => 1)]));
    state = inside
      ? add(
          masked(next.state, inside),
          masked(
            state,
            inside.map(each => 1 - each),
          ),
        )
      : next.state;
    outs[t] = reshape(inside ? masked(next.out, inside) : next.out, [1, ...next.out.shape]);
  }
  return { out: concat(outs, 0), state };
}

export function scanComposition(
  { a, b, h0 }: ScanInputs,
  options: ScanOptions,
): { h: Tensor3D; hN: Tensor2D } {
  const [seqLen, batch, row] = b.shape;
  const half = (value: Tensor, second: boolean) => {
    const lead = value.shape.slice(0, -1);
    return slice(value, [...lead.map(() => 0), second ? row / 2 : 0], [...lead, row / 2]);
  };
  const product = (x: Tensor, y: Tensor) => {
    if (!options.complex) return mul(x, y);
    const [xRe, xIm, yRe, yIm] = [half(x, false), half(x, true), half(y, false), half(y, true)];
    return concat([sub(mul(xRe, yRe), mul(xIm, yIm)), add(mul(xRe, yIm), mul(xIm, yRe))], y.rank - 1);
  };
  const { out, state } = overTime(seqLen, batch, h0 ?? zeros([batch, row]), options, (h, t) => {
    const next = add(product(a.rank === 1 ? a : at(a, t), h), at(b, t));
    return { state: next, out: next };
  });
  return { h: out as Tensor3D, hN: state as Tensor2D };
}

export function selectiveScanComposition(
  { x, delta, a, b, c, skip, h0 }: SelectiveScanInputs,
  options: RecurrenceOptions,
): { y: Tensor3D; hN: Tensor3D } {
  const [seqLen, batch, width] = x.shape;
  const states = a.shape[1]!;
  const start = h0 ?? zeros([batch, width, states]);
  const { out, state } = overTime(seqLen, batch, start, options, (h, t) => {
    const [xT, step] = [at(x, t), at(delta, t)];
    const decay = exp(mul(reshape(step, [batch, width, 1]), reshape(a, [1, width, states])));
    const input = mul(reshape(mul(step, xT), [batch, width, 1]), reshape(at(b, t), [batch, 1, states]));
    const next = add(mul(decay, h), input);
    const read = sum(mul(next, reshape(at(c, t), [batch, 1, states])), 2);
    return { state: next, out: skip ? add(read, mul(skip, xT)) : read };
  });
  return { y: out as Tensor3D, hN: state as Tensor3D };
}

/** The state is (B, H, R, K); gates come as numbers, not as logarithms. */
export function memoryComposition(
  { q, k, v, decay, strength, a, b, bonus, s0 }: Omit<MemoryInputs, 'm0'>,
  { heads, update = 'add', ...options }: MemoryOptions,
  floor: Tensor | null,
): { o: Tensor3D; sN: Tensor } {
  const [seqLen, batch, width] = q.shape;
  const [K, V] = [width / heads, v.shape[2] / heads];
  const R = floor ? V + 1 : V;
  const row = (value: Tensor, t: number) => reshape(at(value, t), [batch, heads, 1, K]);
  const column = (value: Tensor) => reshape(value, [batch, heads, value.size / (batch * heads), 1]);
  const dotRows = (state: Tensor, by: Tensor) => matMul(state, by, false, true);
  const start = s0 ?? zeros([batch, heads, R, K]);
  const { out, state } = overTime(seqLen, batch, start, options, (S, t) => {
    const [qT, kT] = [row(q, t), row(k, t)];
    const vT = column(at(v, t));
    const gate = strength ? reshape(at(strength, t), [batch, heads, 1, 1]) : null;
    const decayT = decay && reshape(at(decay, t), [batch, heads, 1, decay.shape[2] === heads ? 1 : K]);
    const weighted = (value: Tensor) => (gate ? mul(gate, value) : value);
    const P = decayT ? mul(S, decayT) : S;
    const value = floor
      ? concat([vT, tensor(new Float32Array(batch * heads).fill(1), [batch, heads, 1, 1])], 2)
      : vT;
    const written = update === 'delta' ? sub(value, dotRows(P, kT)) : value;
    let next = add(P, matMul(weighted(written), kT));
    if (a && b) next = add(next, matMul(dotRows(S, row(a, t)), row(b, t)));
    const flat = (value: Tensor) => reshape(value, [batch, heads * V]);
    if (bonus) {
      const own = sum(mul(mul(qT, kT), reshape(bonus, [1, heads, 1, K])), 3, true);
      return { state: next, out: flat(add(dotRows(S, qT), weighted(mul(own, vT)))) };
    }
    const found = dotRows(next, qT);
    if (!floor) return { state: next, out: flat(found) };
    const divisor = maximum(
      abs(slice(found, [0, 0, V, 0], [batch, heads, 1, 1])),
      reshape(at(floor, t), [batch, heads, 1, 1]),
    );
    return { state: next, out: flat(div(slice(found, [0, 0, 0, 0], [batch, heads, V, 1]), divisor)) };
  });
  return { o: out as Tensor3D, sN: state };
}
