// sLSTM: M. Beck et al., 2024 (xLSTM), https://arxiv.org/abs/2405.04517.
//
//   z = tanh(z̃),  i = exp(ĩ),  f = σ(f̃),  o = σ(õ)      each of W x_t + R h_{t-1} + b
//   c_t = f ⊙ c_{t-1} + i ⊙ z,  n_t = f ⊙ n_{t-1} + i
//   h_t = o ⊙ c_t / n_t
//
// c and n are kept divided by exp(m_t), m_t = max(log f + m_{t-1}, log i), which changes no h: m needs no gradient.
// Shapes: x_t (B, I), h, c, n, m (B, H), weight_ih (4H, I), weight_hh (4H, H), bias (4H), gates stacked i f z o, where
// the paper's R is block-diagonal. The gates read h, so the steps run one after the other, in plain tensor operations.
// Initial values: matrices as a dense layer of the convention, bias 0 but for the forget gate, 3.
import {
  add,
  div,
  exp,
  matMul,
  mul,
  neg,
  reshape,
  slice,
  stack,
  sub,
  type Tensor2D,
  type Tensor3D,
  tensor2d,
} from '@tensorflow/tfjs-core';
import type { LayerOf } from '../../experiment/layers/index.ts';
import { glance } from '../engine/storage.ts';
import { softplus } from './by-channel.ts';
import { glorotUniform, type Initializer, orthogonal, uniform } from './initial.ts';
import type { BuiltLayer, Pass, Place } from './layer.ts';
import { ownLevel } from './linear-recurrence.ts';
import { activation, dense } from './operations.ts';
import { stepTaps } from './recurrent.ts';
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
      return run(projected, weightHh as unknown as Tensor2D, units, place, pass);
    },
  };
}

const forgetsLittle: Initializer = ([size]) =>
  Float32Array.from({ length: size! }, (_, i) => (Math.floor((4 * i) / size!) === 1 ? FORGET_BIAS : 0));

interface Memory {
  h: Tensor2D;
  c: Tensor2D;
  n: Tensor2D;
  m: Float32Array;
}

function run(projected: Tensor3D, weightHh: Tensor2D, units: number, place: Place, pass: Pass): Tensor3D {
  const [T, B] = projected.shape;
  const { lengths } = pass.options;
  const begin = (part: string) =>
    tensor2d(pass.state(`${place.name}.${part}`) ?? new Float32Array(B * units), [B, units]);
  let state: Memory = {
    h: begin('h'),
    c: begin('c'),
    n: begin('n'),
    m: pass.state(`${place.name}.m`)?.slice() ?? new Float32Array(B * units).fill(Number.NEGATIVE_INFINITY),
  };
  const report = pass.report(place.name);
  const tapped = report && stepTaps(T, { lengths, report });
  const outputs: Tensor2D[] = [];
  for (let t = 0; t < T; t++) {
    const input = reshape(slice(projected, [t, 0, 0], [1, B, 4 * units]), [B, 4 * units]);
    const made = step(add(input, matMul(state.h, weightHh, false, true)), state, units);
    const next = tapped ? { ...made, h: tapped(made.h, t) } : made;
    outputs.push(next.h);
    state = lengths ? ended(state, next, lengths, t) : next;
  }
  for (const part of ['h', 'c', 'n'] as const)
    pass.keep(`${place.name}.${part}`, Float32Array.from(glance(state[part])));
  pass.keep(`${place.name}.m`, state.m);
  return stack(outputs) as Tensor3D;
}

/** gates (B, 4H): i f z o. */
function step(gates: Tensor2D, { c, n, m }: Memory, units: number): Memory {
  const B = gates.shape[0];
  const part = (index: number) => slice(gates, [0, index * units], [B, units]);
  const logInput = part(0);
  // log σ(a) = -softplus(-a)
  const logForget = neg(softplus(neg(part(1))));
  const [i, f] = [glance(logInput), glance(logForget)];
  const larger = m.map((before, at) => Math.max(f[at]! + before, i[at]!));
  const constant = (values: Float32Array) => tensor2d(values, [B, units]);
  const input = exp(sub<Tensor2D>(logInput, constant(larger)));
  const kept = exp(add<Tensor2D>(logForget, constant(m.map((before, at) => before - larger[at]!))));
  const z = activation('tanh', part(2) as unknown as Tensor3D) as unknown as Tensor2D;
  const o = activation('sigmoid', part(3) as unknown as Tensor3D) as unknown as Tensor2D;
  const cell: Tensor2D = add(mul(kept, c), mul(input, z));
  const norm: Tensor2D = add(mul(kept, n), input);
  return { h: mul(o, div(cell, norm)), c: cell, n: norm, m: larger };
}

/** A sequence that has ended keeps its state. */
function ended(last: Memory, next: Memory, lengths: Int32Array, t: number): Memory {
  const units = next.h.shape[1];
  const valid = tensor2d(
    Float32Array.from(lengths, length => Number(t < length)),
    [lengths.length, 1],
  );
  const blend = (a: Tensor2D, b: Tensor2D): Tensor2D => add(mul(a, valid), mul(b, sub(1, valid)));
  return {
    h: blend(next.h, last.h),
    c: blend(next.c, last.c),
    n: blend(next.n, last.n),
    m: next.m.map((value, at) => (t < lengths[Math.floor(at / units)]! ? value : last.m[at]!)),
  };
}
