// What the layers of linear recurrences share: projections, states by name, their row in the gradient heatmap.
import { type Tensor, type Tensor3D, tensor, type Variable } from '@tensorflow/tfjs-core';
import { kindOf, type Layer } from '../../experiment/layers/index.ts';
import { f, formula } from '../engine/formula.ts';
import { applied } from '../engine/kernels/formula.ts';
import { glance } from '../engine/storage.ts';
import { convolvedByChannel, times } from './by-channel.ts';
import { glorotUniform, type Initializer, uniform, zeros } from './initial.ts';
import type { BuiltLayer, Pass, Place } from './layer.ts';
import { activation, dense } from './operations.ts';

export type Sequence = (x: Tensor3D) => Tensor3D;

interface ProjectionOptions {
  bias?: boolean;
  /** what the weight is multiplied by, which takes no pass over all steps; without a bias */
  scale?: number;
  /** of the bias; left out: as PyTorch's Linear, zeros in Keras and tfjs */
  initialBias?: Initializer;
}

/**
 * W x + b at every step with variables <name>.weight (O, I) and <name>.bias (O). Initial values: PyTorch uniform ±1/√I;
 * Keras and tfjs Glorot-uniform weights and zero biases.
 */
export function projection(
  place: Place,
  name: string,
  outputs: number,
  inputs: number,
  { bias = true, scale, initialBias }: ProjectionOptions = {},
): Sequence {
  const spread = uniform(1 / Math.sqrt(inputs));
  const pytorch = place.convention === 'pytorch';
  const weight = place.variable(`${name}.weight`, [outputs, inputs], pytorch ? spread : glorotUniform);
  const ofBias = initialBias ?? (pytorch ? spread : zeros);
  const added = bias ? place.variable(`${name}.bias`, [outputs], ofBias) : null;
  const scaled = scale === undefined ? null : times(scale);
  return x => dense(x, scaled ? scaled(weight) : weight, added);
}

/** y = (W_1 gelu(x) + b_1) ⊙ σ(W_2 gelu(x) + b_2), as S4D, LRU and S5 stand in their papers' blocks. */
export function gatedLinearUnit(place: Place, units: number): Sequence {
  const value = projection(place, 'glu.value', units, units);
  const gate = projection(place, 'glu.gate', units, units);
  return x => {
    const activated = activation('gelu', x);
    return sigmoidGated(value(activated), gate(activated));
  };
}

const sigmoidGate = formula(2, (x, gate) => [f.mul(x, f.sigmoid(gate))]);
const siluGate = formula(2, (x, gate) => [f.mul(x, f.silu(gate))]);
const ofSilu = formula(1, x => [f.silu(x)]);

/** x ⊙ σ(gate) */
export function sigmoidGated(x: Tensor3D, gate: Tensor3D): Tensor3D {
  return applied<Tensor3D>(sigmoidGate, [x, gate])[0]!;
}

/** x ⊙ silu(gate), silu(a) = a σ(a). */
export function siluGated(x: Tensor3D, gate: Tensor3D): Tensor3D {
  return applied<Tensor3D>(siluGate, [x, gate])[0]!;
}

export function silu(x: Tensor3D): Tensor3D {
  return applied<Tensor3D>(ofSilu, [x])[0]!;
}

/** The state that the pass begins in, as a tensor; undefined: zeros. */
export function stateIn(pass: Pass, name: string, shape: number[]): Tensor | undefined {
  const values = pass.state(name);
  return values ? tensor(values, shape) : undefined;
}

export function keepState(pass: Pass, name: string, state: Tensor): void {
  pass.keep(name, Float32Array.from(glance(state)));
}

/** The one row of a layer in the pictures of a run, named by its place. */
export function ownLevel(layer: Layer, place: Place, units: number): BuiltLayer['levels'] {
  const { family, title } = kindOf(layer);
  return [{ name: place.name, family, title, units, gates: [], keeps: null }];
}

/**
 * A short causal convolution of each channel by itself, with SiLU behind it; variables <name>.weight (D, K) and
 * <name>.bias (D), and the last K-1 inputs as the state "<layer>.<name>", (B, K-1, D). Null where K is 1.
 */
export function shortConvolution(place: Place, name: string, width: number, size: number) {
  if (size === 1) return null;
  const initial = uniform(1 / Math.sqrt(size));
  const weight = place.variable(`${name}.weight`, [width, size], initial);
  const bias = place.variable(`${name}.bias`, [width], place.convention === 'pytorch' ? initial : zeros);
  const stateName = `${place.name}.${name}`;
  return {
    state: { name: stateName, size: (size - 1) * width },
    convolve: (x: Tensor3D, pass: Pass) => convolveOn(x, { weight, bias }, stateName, pass),
  };
}

function convolveOn(
  x: Tensor3D,
  { weight, bias }: { weight: Variable; bias: Variable },
  stateName: string,
  pass: Pass,
): Tensor3D {
  const [seqLen, batch, width] = x.shape;
  const earlier = weight.shape[1]! - 1;
  const before = new Float32Array(earlier * batch * width);
  const state = pass.state(stateName);
  if (state)
    for (let b = 0; b < batch; b++)
      for (let s = 0; s < earlier; s++)
        before.set(rowOf(state, b * earlier + s, width), (s * batch + b) * width);
  const kept = new Float32Array(before.length);
  const values = glance(x);
  for (let b = 0; b < batch; b++)
    for (let s = 0; s < earlier; s++) {
      const t = (pass.options.lengths?.[b] ?? seqLen) - earlier + s;
      const row =
        t < 0 ? rowOf(before, (t + earlier) * batch + b, width) : rowOf(values, t * batch + b, width);
      kept.set(row, (b * earlier + s) * width);
    }
  pass.keep(stateName, kept);
  return convolvedByChannel(x, weight, bias, before);
}

function rowOf(values: Float32Array, row: number, width: number): Float32Array {
  return values.subarray(row * width, (row + 1) * width);
}
