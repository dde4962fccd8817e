// Convolution over time: A. Waibel et al., 1989, https://doi.org/10.1109/29.21701.
//
//   y_t = φ(b + Σ_k W_k x_{t·stride + ahead - (K-1-k)·dilation})
//
// With R = (K-1)·dilation, ahead is 0 for causal padding, where zeros stand before the first step, ⌈R/2⌉ for "same", with
// zeros on both sides, and R for "valid", where only whole windows count: T_out = ⌈T'/stride⌉, T' = T - R for "valid",
// else T. A sequence that fills no window has zeros behind it, and gives one step.
//
// Shapes: x (T, B, I), y (T, B, O), weight (O, I/groups, K), bias (O): torch.nn.Conv1d's layout, the last tap of a causal
// one at the present. Where it looks ahead it reads zeros behind a sequence's end. Causal with stride 1, the last R inputs
// are its state.
// Initial values: PyTorch uniform ±1/√(I/groups·K) for both; Keras and tfjs Glorot-uniform weights and zero biases.
import { concat, mul, slice, type Tensor3D, zeros as zeroTensor } from '@tensorflow/tfjs-core';
import type { LayerOf } from '../../experiment/layers/index.ts';
import { aheadOf, tailOf } from '../../experiment/layers/windows.ts';
import { uniform, zeros } from './initial.ts';
import type { BuiltLayer, Place } from './layer.ts';
import { activation, convolution } from './operations.ts';
import { insideOf, lastSteps, timeMajor } from './tails.ts';

export function buildConv1d(layer: LayerOf<'conv1d'>, place: Place): BuiltLayer {
  const { units, kernelSize, groups, dilation, stride, padding } = layer;
  const inputs = place.input.width / groups;
  const pytorch = place.convention === 'pytorch';
  const spread = uniform(1 / Math.sqrt(inputs * kernelSize));
  const glorot = uniform(Math.sqrt(6 / ((inputs + units) * kernelSize)));
  const weight = place.variable('weight', [units, inputs, kernelSize], pytorch ? spread : glorot);
  const bias = place.variable('bias', [units], pytorch ? spread : zeros);
  const options = { dilation, groups, stride, padding, activation: null, inputGradient: place.input.learned };
  const sums = (x: Tensor3D) => convolution(x, weight, bias, options);
  const phi = (y: Tensor3D) => (layer.activation === 'linear' ? y : activation(layer.activation, y));
  const tail = padding === 'causal' && stride === 1 ? tailOf(layer) : 0;
  const name = `${place.name}.tail`;
  return {
    output: { kind: 'vectors', width: units, learned: true },
    states: tail > 0 ? [{ name, size: tail * place.input.width }] : [],
    forward(input, pass) {
      const x = input as Tensor3D;
      const { lengths } = pass.options;
      if (aheadOf(layer) > 0)
        return phi(sums(filled(lengths ? mul(x, insideOf(x.shape[0], lengths)) : x, layer)));
      if (tail === 0) return phi(sums(x));
      const before = pass.state(name);
      const whole = before ? (concat([timeMajor(before, tail, x), x], 0) as Tensor3D) : x;
      pass.keep(name, lastSteps(whole, tail, x.shape[0], pass));
      const y = sums(whole);
      return phi(before ? slice(y, [tail, 0, 0], [x.shape[0], x.shape[1], units]) : y);
    },
  };
}

/** Zeros behind a batch whose longest sequence fills no window. */
function filled(x: Tensor3D, layer: LayerOf<'conv1d'>): Tensor3D {
  const [steps, batch, width] = x.shape;
  const missing = layer.padding === 'valid' ? tailOf(layer) + 1 - steps : 0;
  return missing > 0 ? (concat([x, zeroTensor([missing, batch, width])], 0) as Tensor3D) : x;
}
