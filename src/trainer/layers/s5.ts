// S5: J. T. H. Smith, A. Warrington, S. W. Linderman, 2023, https://arxiv.org/abs/2208.04933.
// With A = -exp(log_A_real) + i A_imag and Δ = exp(log_dt):
//
//   h_t = exp(ΔA) ⊙ h_{t-1} + (exp(ΔA) - 1) / A ⊙ (B x_t)
//   y_t = 2 Re(C h_t) + D x_t, then GELU and a gated linear unit unless `glu` is false
//
// Shapes: x_t (B, I), h (B, N) complex, of which the conjugates are left out; log_A_real, A_imag, log_dt (N), B_re, B_im
// (N, I), C_re, C_im (H, N), D (H, I), where the paper has a diagonal one for equal widths. Initial values: A as in
// S4D-Lin, -1/2 + i π n, where the paper takes the eigenvalues of HiPPO-N; Δ log-uniform in 0.001 … 0.1; B, C, D normal
// with the variances 1/(2·I), 1/(2·N) and 1/I.
import { concat, exp, mul, neg, reshape, type Tensor3D } from '@tensorflow/tfjs-core';
import type { LayerOf } from '../../experiment/layers/index.ts';
import { stateSizeOf } from '../../experiment/layers/lru.ts';
import { glance } from '../engine/storage.ts';
import { normal } from './initial.ts';
import type { BuiltLayer, Place } from './layer.ts';
import { gatedLinearUnit, ownLevel } from './linear-recurrence.ts';
import { complexSystem } from './lru.ts';
import { diagonalMap } from './state-maps.ts';
import {
  decays,
  frequencies,
  joinedParts,
  logHalf,
  logSteps,
  product,
  zeroOrderHold,
} from './state-space.ts';

export function buildS5(layer: LayerOf<'s5'>, place: Place): BuiltLayer {
  const { units } = layer;
  const inputs = place.input.width;
  const N = stateSizeOf(layer);
  const logReal = place.variable('log_A_real', [N], logHalf);
  const imaginary = place.variable('A_imag', [N], frequencies);
  const logDt = place.variable('log_dt', [N], logSteps);
  const drawn = (name: string, shape: number[], variance: number) =>
    place.variable(name, shape, normal(Math.sqrt(variance)));
  const [bRe, bIm] = ['B_re', 'B_im'].map(name => drawn(name, [N, inputs], 1 / (2 * inputs)));
  const [cRe, cIm] = ['C_re', 'C_im'].map(name => drawn(name, [units, N], 1 / (2 * N)));
  const through = drawn('D', [units, inputs], 1 / inputs);
  const unit = layer.glu ? gatedLinearUnit(place, units) : null;
  return {
    output: { kind: 'vectors', width: units, learned: true },
    levels: ownLevel(layer, place, units),
    maps: [diagonalMap(place.name, () => decays(glance(logReal), glance(logDt)))],
    states: [{ name: `${place.name}.h`, size: 2 * N }],
    forward(input, pass) {
      const { carried, held } = zeroOrderHold(logReal, imaginary, exp(logDt));
      const column = { re: reshape(held.re, [N, 1]), im: reshape(held.im, [N, 1]) };
      const system = {
        a: carried,
        b: joinedParts(product(column, { re: bRe!, im: bIm! }), 0),
        c: mul(concat([cRe!, neg(cIm!)], 1), 2),
        d: through,
      };
      const y = complexSystem(system, input as Tensor3D, place, pass);
      return unit ? unit(y) : y;
    },
  };
}
