// WaveNet: A. van den Oord et al., 2016, https://arxiv.org/abs/1609.03499. Of each block, with its dilation d:
//
//   z = tanh(W_f ∗ x + b_f) ⊙ σ(W_g ∗ x + b_g)      causal, kernelSize taps d steps apart
//   x ← x + W_r z + b_r                              residual
//   s ← s + W_s z + b_s                              skip
//   y = relu(W_o relu(s) + b_o)                      after all blocks
//
// x begins as W_i input + b_i. Dilations are 1, 2 … 2^(layers-1), `stacks` times, so that a step sees
// 1 + (kernelSize-1) stacks (2^layers - 1) steps. The paper's last matrix is the dense layer behind this one; the last
// block has no residual, which nothing would read. Conditioning on other inputs is left out.
// Shapes: input (T, B, I), x (T, B, C), y (T, B, U); filter and gate weight (C, C, kernelSize), PyTorch's Conv1d layout
// with the last tap at the present. The state holds the inputs that each block's convolution still needs.
// Initial values: PyTorch uniform ±1/√(fan in) for weights and biases; Keras and tfjs Glorot-uniform weights, zero biases.
import { add, concat, slice, type Tensor3D, type Variable } from '@tensorflow/tfjs-core';
import type { LayerOf } from '../../experiment/layers/index.ts';
import { channelsOf, dilationsOf } from '../../experiment/layers/wavenet.ts';
import { newFloats } from '../engine/pool.ts';
import type { ActivationKind } from '../engine/provider.ts';
import { computed } from './by-channel.ts';
import { uniform, zeros } from './initial.ts';
import type { BuiltLayer, Pass, Place } from './layer.ts';
import { activation, convolution, dense } from './operations.ts';
import { lastSteps, timeMajor } from './tails.ts';

type Weights = readonly [weight: Variable, bias: Variable];

export function buildWavenet(layer: LayerOf<'wavenet'>, place: Place): BuiltLayer {
  const { units, kernelSize } = layer;
  const channels = channelsOf(layer);
  const made = (name: string, shape: number[]): Weights => {
    const pytorch = place.convention === 'pytorch';
    const [outputs, inputs, taps = 1] = shape as [number, number, number?];
    const spread = uniform(1 / Math.sqrt(inputs * taps));
    const glorot = uniform(Math.sqrt(6 / ((inputs + outputs) * taps)));
    return [
      place.variable(`${name}.weight`, shape, pytorch ? spread : glorot),
      place.variable(`${name}.bias`, [outputs], pytorch ? spread : zeros),
    ];
  };
  const input = made('input', [channels, place.input.width]);
  const dilations = dilationsOf(layer);
  const blocks = dilations.map((dilation, index) => ({
    dilation,
    tail: (kernelSize - 1) * dilation,
    state: `${place.name}.blocks.${index}`,
    filter: made(`blocks.${index}.filter`, [channels, channels, kernelSize]),
    gate: made(`blocks.${index}.gate`, [channels, channels, kernelSize]),
    skip: made(`blocks.${index}.skip`, [units, channels]),
    residual: index < dilations.length - 1 ? made(`blocks.${index}.residual`, [channels, channels]) : null,
  }));
  const output = made('output', [units, units]);

  const gated = (
    x: Tensor3D,
    { dilation, tail, state, filter, gate }: (typeof blocks)[number],
    pass: Pass,
  ) => {
    const before = pass.state(state);
    const whole = before ? (concat([timeMajor(before, tail, x), x], 0) as Tensor3D) : x;
    pass.keep(state, lastSteps(whole, tail, x.shape[0], pass));
    const half = (kind: ActivationKind & ('tanh' | 'sigmoid'), weights: Weights) => {
      const y = convolution(whole, ...weights, { dilation, activation: kind, inputGradient: true });
      return before ? (slice(y, [tail, 0, 0], x.shape) as Tensor3D) : y;
    };
    return product(half('tanh', filter), half('sigmoid', gate));
  };

  return {
    output: { kind: 'vectors', width: units, learned: true },
    states: blocks.map(({ state, tail }) => ({ name: state, size: tail * channels })),
    forward(read, pass) {
      let x = dense(read as Tensor3D, ...input);
      let skips: Tensor3D | null = null;
      for (const block of blocks) {
        const z = gated(x, block, pass);
        const skip = dense(z, ...block.skip);
        skips = skips ? (add(skips, skip) as Tensor3D) : skip;
        if (block.residual) x = add(x, dense(z, ...block.residual));
      }
      return activation('relu', dense(activation('relu', skips!), ...output));
    },
  };
}

/** a ⊙ b of equal shapes. */
function product(a: Tensor3D, b: Tensor3D): Tensor3D {
  const times = (a: Float32Array, b: Float32Array) => {
    const y = newFloats(a.length);
    for (let i = 0; i < a.length; i++) y[i] = a[i]! * b[i]!;
    return y;
  };
  return computed([a, b], a.shape, times, (dy, a, b) => [times(dy, b), times(dy, a)]) as Tensor3D;
}
