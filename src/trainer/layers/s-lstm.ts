// sLSTM: M. Beck et al., 2024 (xLSTM), https://arxiv.org/abs/2405.04517.
//
//   z = tanh(z̃),  i = exp(ĩ),  f = σ(f̃),  o = σ(õ)      each of W x_t + R h_{t-1} + b
//   c_t = f ⊙ c_{t-1} + i ⊙ z,  n_t = f ⊙ n_{t-1} + i
//   h_t = o ⊙ c_t / n_t
//
// c and n are kept divided by exp(m_t), m_t = max(log f + m_{t-1}, log i), which changes no h: m needs no gradient.
// Shapes: x_t (B, I), h, c, n, m (B, H), weight_ih (4H, I), weight_hh (4H, H), bias (4H), gates stacked i f z o, where
// the paper's R is block-diagonal. The gates read h, so the steps run one after the other: in the recurrent kernel or, on a
// provider without it, of each a product by gate and a formula, whose gradients are taken here.
// Initial values: matrices as a dense layer of the convention, bias 0 but for the forget gate, 3.
import { type Tensor, type Tensor3D, tensor } from '@tensorflow/tfjs-core';
import type { LayerOf } from '../../experiment/layers/index.ts';
import { type Expression, f, formula, type Program } from '../engine/formula.ts';
import { stepNorms } from '../engine/kernels/tap.ts';
import { variant, variantRuns } from '../engine/kernels/variant.ts';
import { operations } from '../engine/operations.ts';
import { newFloats } from '../engine/pool.ts';
import type { Slice } from '../engine/provider.ts';
import { glance, provider, whole } from '../engine/storage.ts';
import { computed } from './by-channel.ts';
import { glorotUniform, type Initializer, orthogonal, uniform } from './initial.ts';
import type { BuiltLayer, Pass, Place } from './layer.ts';
import { keepState, ownLevel, stateIn } from './linear-recurrence.ts';
import { dense } from './operations.ts';
import { matrixMap } from './state-maps.ts';

const FORGET_BIAS = 3;

export function buildSLstm(layer: LayerOf<'s-lstm'>, place: Place): BuiltLayer {
  const { units } = layer;
  const inputs = place.input.width;
  const spread = uniform(1 / Math.sqrt(units));
  const pytorch = place.convention === 'pytorch';
  const weightIh = place.variable('weight_ih', [4 * units, inputs], pytorch ? spread : glorotUniform);
  const weightHh = place.variable('weight_hh', [4 * units, units], pytorch ? spread : orthogonal);
  const bias = place.variable('bias', [4 * units], forgetsLittle);
  const parts = ['h', 'c', 'n', 'm'] as const;
  return {
    output: { kind: 'vectors', width: units, learned: true },
    levels: ownLevel(layer, place, units),
    maps: ['i', 'f', 'z', 'o'].map((gate, at) =>
      matrixMap(`${place.name} ${gate}`, units, () => weightHh, at),
    ),
    states: parts.map(part => ({ name: `${place.name}.${part}`, size: units })),
    forward(x, pass) {
      const projected = dense(x as Tensor3D, weightIh, bias);
      return variantRuns('s-lstm')
        ? fused(projected, weightHh, units, place, pass)
        : recurrence(projected, weightHh, units, place, pass);
    },
  };
}

const forgetsLittle: Initializer = ([size]) =>
  Float32Array.from({ length: size! }, (_, i) => (Math.floor((4 * i) / size!) === 1 ? FORGET_BIAS : 0));

const PARTS = ['c', 'n', 'm'] as const;

/** The recurrent kernel, whose cell state is c, n and m side by side. */
function fused(projected: Tensor3D, weightHh: Tensor, units: number, place: Place, pass: Pass): Tensor3D {
  const batch = projected.shape[1];
  const cell = new Float32Array(3 * batch * units);
  PARTS.forEach((part, at) => {
    const values = pass.state(`${place.name}.${part}`);
    for (let b = 0; b < batch; b++) {
      const to = cell.subarray((3 * b + at) * units, (3 * b + at + 1) * units);
      if (values) to.set(values.subarray(b * units, (b + 1) * units));
      else to.fill(part === 'm' ? Number.NEGATIVE_INFINITY : 0);
    }
  });
  const { y, hN, cN } = variant(
    {
      projected,
      weightHh,
      h0: stateIn(pass, `${place.name}.h`, [batch, units]),
      c0: tensor(cell, [batch, 3 * units]),
    },
    {
      ...{ stateMask: null, updateMask: null, zoneoutH: null, zoneoutC: null, zoneout: 0 },
      cell: 's-lstm',
      reverse: false,
      lengths: pass.options.lengths,
      onReport: pass.report(place.name),
    },
  );
  keepState(pass, `${place.name}.h`, hN);
  const last = glance(cN!);
  PARTS.forEach((part, at) => {
    const values = new Float32Array(batch * units);
    for (let b = 0; b < batch; b++)
      values.set(last.subarray((3 * b + at) * units, (3 * b + at + 1) * units), b * units);
    pass.keep(`${place.name}.${part}`, values);
  });
  return y;
}

const GATES = 4;

/** log σ(a) = -softplus(-a) */
const logSigmoid = (a: Expression) => f.neg(f.softplus(f.neg(a)));

/** m_t = max(log f + m_{t-1}, log i) */
const limits = formula(3, (i, forget, m) => [f.add(i, f.relu(f.sub(f.add(logSigmoid(forget), m), i)))]);

/** h, c and n of a step, from its gates, c, n and m before it, and m of it. */
const step = formula(8, (i, forget, z, o, c, n, before, m) => {
  const input = f.exp(f.sub(i, m));
  const kept = f.exp(f.sub(f.add(logSigmoid(forget), before), m));
  const cell = f.add(f.mul(kept, c), f.mul(input, f.tanh(z)));
  const norm = f.add(f.mul(kept, n), input);
  return [f.mul(f.sigmoid(o), f.div(cell, norm)), cell, norm];
});

function apply(program: Program, count: number, inputs: readonly Slice[], outputs: readonly Slice[]): void {
  const given = inputs.map(slice => ({ slice, row: false }));
  operations().formula({ program, count, width: count, inputs: given, outputs });
}

/** Columns of a gate in (T·B, 4 H), and its own (T·B, H). */
function copyGate(all: Float32Array, gate: number, own: Float32Array, units: number, into: boolean): void {
  const [wide, narrow] = [{ data: all, offset: gate * units }, whole(own)];
  const [ofAll, ofOwn] = [GATES * units, units];
  operations().copyColumns({
    rows: own.length / units,
    width: units,
    from: into ? narrow : wide,
    fromStride: into ? ofOwn : ofAll,
    to: into ? wide : narrow,
    toStride: into ? ofAll : ofOwn,
  });
}

/** What the forward pass leaves: gates (T, B, H) before their activations, states (T + 1, B, H), the first one before any step. */
interface Kept {
  gates: Float32Array[];
  h: Float32Array;
  c: Float32Array;
  n: Float32Array;
  m: Float32Array;
}

function recurrence(
  projected: Tensor3D,
  weightHh: Tensor,
  units: number,
  place: Place,
  pass: Pass,
): Tensor3D {
  const [T, B] = projected.shape;
  const { lengths } = pass.options;
  const size = B * units;
  const at = (data: Float32Array, t: number): Slice => ({ data, offset: t * size });
  const hasEnded = (b: number, t: number) => lengths !== null && t >= lengths[b]!;
  const product = (a: Slice, matrix: Slice, transB: boolean, c: Slice, accumulate: boolean) =>
    provider().gemm({
      m: B,
      n: units,
      k: units,
      a,
      transA: false,
      b: matrix,
      transB,
      bias: null,
      c,
      accumulate,
    });
  const matrixOf = (data: Float32Array, gate: number): Slice => ({ data, offset: gate * units * units });
  /** Places of the sequences that have ended before step t, in a row of (B, H). */
  const ended = (t: number) =>
    Array.from({ length: lengths ? B : 0 }, (_, b) => b)
      .filter(b => hasEnded(b, t))
      .map(b => [b * units, (b + 1) * units] as const);
  let kept: Kept | null = null;

  function forward(projected: Float32Array, matrices: Float32Array): Float32Array {
    const begin = (part: string, otherwise: number) => {
      const states = newFloats((T + 1) * size);
      states.set(pass.state(`${place.name}.${part}`) ?? new Float32Array(size).fill(otherwise));
      return states;
    };
    const [h, c, n, m] = [begin('h', 0), begin('c', 0), begin('n', 0), begin('m', Number.NEGATIVE_INFINITY)];
    const gates = Array.from({ length: GATES }, () => newFloats(T * size));
    gates.forEach((own, gate) => {
      copyGate(projected, gate, own, units, false);
    });
    kept = { gates, h, c, n, m };
    for (let t = 0; t < T; t++) {
      gates.forEach((own, gate) => {
        product(at(h, t), matrixOf(matrices, gate), true, at(own, t), true);
      });
      const own = gates.map(gate => at(gate, t));
      apply(limits.forward, size, [own[0]!, own[1]!, at(m, t)], [at(m, t + 1)]);
      const states = [at(c, t), at(n, t), at(m, t), at(m, t + 1)];
      apply(step.forward, size, [...own, ...states], [at(h, t + 1), at(c, t + 1), at(n, t + 1)]);
      for (const [from, to] of ended(t))
        for (const states of [h, c, n, m])
          states.copyWithin((t + 1) * size + from, t * size + from, t * size + to);
    }
    for (const [part, states] of Object.entries({ h, c, n, m }))
      pass.keep(`${place.name}.${part}`, states.slice(T * size));
    const y = newFloats(T * size);
    y.set(h.subarray(size));
    for (let t = 0; t < T; t++) for (const [from, to] of ended(t)) y.fill(0, t * size + from, t * size + to);
    return y;
  }

  function backward(dy: Float32Array, matrices: Float32Array): Float32Array[] {
    const { gates, h, c, n, m } = kept!;
    const [dGates, dh] = [gates.map(() => newFloats(T * size)), newFloats(T * size)];
    const none = [newFloats(size), newFloats(size)].map(whole);
    let [carried, dc, dn] = [newFloats(size).fill(0), newFloats(size).fill(0), newFloats(size).fill(0)];
    for (let t = T - 1; t >= 0; t--) {
      operations().add(size, at(dy, t), whole(carried), at(dh, t));
      const standing = ended(t).map(([from, to]) => ({
        from,
        parts: [carried, dc, dn].map(part => part.slice(from, to)),
        still: [dh.subarray(t * size + from, t * size + to), dc.subarray(from, to), dn.subarray(from, to)],
      }));
      for (const { still } of standing) for (const part of still) part.fill(0);
      const own = gates.map(gate => at(gate, t));
      const states = [at(c, t), at(n, t), at(m, t), at(m, t + 1)];
      const before = [newFloats(size), newFloats(size), newFloats(size)] as const;
      const made = [...dGates.map(gate => at(gate, t)), whole(before[1]), whole(before[2]), ...none];
      apply(step.backward(), size, [...own, ...states, at(dh, t), whole(dc), whole(dn)], made);
      dGates.forEach((gate, index) => {
        product(at(gate, t), matrixOf(matrices, index), false, whole(before[0]), index > 0);
      });
      // a sequence that has ended hands on what came to its state
      for (const { from, parts } of standing)
        parts.forEach((part, index) => {
          before[index]!.set(part, from);
        });
      [carried, dc, dn] = before;
    }
    pass.report(place.name)?.({ hiddenGradNorm: stepNorms(dh, T, B, lengths) });
    const [dProjected, dMatrices] = [newFloats(GATES * T * size), newFloats(GATES * units * units)];
    dGates.forEach((gate, index) => {
      copyGate(dProjected, index, gate, units, true);
      provider().gemm({
        m: units,
        n: units,
        k: T * B,
        a: whole(gate),
        transA: true,
        b: whole(h),
        transB: false,
        bias: null,
        c: matrixOf(dMatrices, index),
        accumulate: false,
      });
    });
    return [dProjected, dMatrices];
  }

  return computed([projected, weightHh], [T, B, units], forward, (dy, _projected, matrices) =>
    backward(dy, matrices!),
  ) as Tensor3D;
}
