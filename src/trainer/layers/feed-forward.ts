// The dense parts of a Transformer's block: W_2 φ(W_1 x + b_1) + b_2, φ = gelu or relu, or with a gate
// W_2 (silu(W_g x + b_g) ⊙ (W_1 x + b_1)) + b_2: N. Shazeer, 2020, https://arxiv.org/abs/2002.05202. Variables
// <name>.linear1 (M, D), <name>.linear2 (D, M) and <name>.gate (M, D).
import { mul, type Tensor3D } from '@tensorflow/tfjs-core';
import { hiddenOf } from '../../experiment/layers/transformer.ts';
import { dropout } from './dropout.ts';
import { glorotUniform, uniform, zeros } from './initial.ts';
import type { Pass, Place } from './layer.ts';
import { silu } from './linear-recurrence.ts';
import { activation, dense } from './operations.ts';

interface FeedForward {
  hidden?: number | undefined;
  activation: 'gelu' | 'relu' | 'swiglu';
  dropout: number;
}

export type Part = (x: Tensor3D, pass: Pass) => Tensor3D;

/** Dropout stands after φ; what follows W_2 is the block's own. */
export function feedForward(layer: FeedForward, place: Place, name: string): Part {
  const { width } = place.input;
  const hidden = hiddenOf(layer, width);
  const linear1 = linear(place, `${name}.linear1.`, hidden, width, 'dense');
  const { activation: kind } = layer;
  const gate = kind === 'swiglu' ? linear(place, `${name}.gate.`, hidden, width, 'dense') : null;
  const linear2 = linear(place, `${name}.linear2.`, width, hidden, 'dense');
  const drop = dropping(layer, place, name);
  return (x, pass) => {
    const inner =
      kind === 'swiglu' ? (mul(silu(gate!(x)), linear1(x)) as Tensor3D) : activation(kind, linear1(x));
    return linear2(drop(inner, 'inner', pass));
  };
}

/** Dropout at a place of a block. */
export function dropping(layer: { dropout: number }, place: Place, name: string) {
  return (y: Tensor3D, where: string, pass: Pass) =>
    dropout(y, layer.dropout, place.seed, `${place.name}.${name}.${where}`, pass);
}

type Role = 'attention in' | 'attention out' | 'dense';

/** Initial values: PyTorch's of that role; Keras and tfjs Glorot-uniform weights and zero biases. */
export function linear(place: Place, prefix: string, outputs: number, inputs: number, role: Role) {
  const spread = uniform(1 / Math.sqrt(inputs));
  const pytorch = place.convention === 'pytorch';
  const ofWeight = pytorch && role !== 'attention in' ? spread : glorotUniform;
  const weight = place.variable(`${prefix}weight`, [outputs, inputs], ofWeight);
  const bias = place.variable(`${prefix}bias`, [outputs], pytorch && role === 'dense' ? spread : zeros);
  return (x: Tensor3D) => dense(x, weight, bias);
}
