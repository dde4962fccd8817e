// S4D: A. Gu, A. Gupta, K. Goel, C. Ré, 2022, https://arxiv.org/abs/2206.11893. It stands for S4, whose full form is not
// built. Of each channel, with A = -exp(log_A_real) + i A_imag and Δ = exp(log_dt):
//
//   u = W x_t + b
//   h_t = exp(ΔA) h_{t-1} + (exp(ΔA) - 1) / A · u
//   y = 2 Re(C h_t) + D u, then GELU and a gated linear unit unless `glu` is false
//
// Shapes: x_t (B, I), u (B, H), h (B, H, N) complex, of which the conjugates are left out; log_dt, D (H), the others
// (H, N). Initial values (S4D-Lin): A = -1/2 + i π n, Δ log-uniform in 0.001 … 0.1, C normal with variance 1/2 of each
// part, D normal with 1.
import { add, exp, mul, neg, ones, reshape, stack, type Tensor3D, zeros } from '@tensorflow/tfjs-core';
import type { LayerOf } from '../../experiment/layers/index.ts';
import { scan } from '../engine/kernels/scan.ts';
import { glance } from '../engine/storage.ts';
import { product as byChannel, gathered, spread } from './by-channel.ts';
import { normal, standardNormal } from './initial.ts';
import type { BuiltLayer, Place } from './layer.ts';
import { gatedLinearUnit, keepState, ownLevel, projection, stateIn } from './linear-recurrence.ts';
import { diagonalMap } from './state-maps.ts';
import { decays, frequencies, logHalf, logSteps, product, zeroOrderHold } from './state-space.ts';

export function buildS4d(layer: LayerOf<'s4d'>, place: Place): BuiltLayer {
  const { units: H, stateSize: N } = layer;
  const input = projection(place, 'input', H, place.input.width);
  const logDt = place.variable('log_dt', [H], logSteps);
  const logReal = place.variable('log_A_real', [H, N], logHalf);
  const imaginary = place.variable('A_imag', [H, N], frequencies);
  const [cRe, cIm] = ['C_re', 'C_im'].map(name => place.variable(name, [H, N], normal(Math.SQRT1_2)));
  const through = place.variable('D', [H], standardNormal);
  const unit = layer.glu ? gatedLinearUnit(place, H) : null;
  const name = `${place.name}.h`;
  return {
    output: { kind: 'vectors', width: H, learned: true },
    levels: ownLevel(layer, place, H),
    maps: [diagonalMap(place.name, () => decays(glance(logReal), glance(logDt)))],
    states: [{ name, size: 2 * H * N }],
    forward(x, pass) {
      const u = input(x as Tensor3D);
      const flat = (values: typeof logReal) => reshape(values, [H * N]);
      const step = flat(mul(reshape(exp(logDt), [H, 1]), ones([H, N])) as typeof logReal);
      const { carried, held } = zeroOrderHold(flat(logReal), flat(imaginary), step);
      const { re, im } = product({ re: flat(cRe!), im: flat(cIm!) }, held);
      const b = spread(u, stack([ones([H, N]), zeros([H, N])]));
      const h0 = stateIn(pass, name, b.shape.slice(1));
      const { lengths } = pass.options;
      const { h, hN } = scan(
        { a: carried, b, ...(h0 && { h0 }) },
        { complex: true, lengths, onReport: pass.report(place.name) },
      );
      keepState(pass, name, hN);
      const read = mul(reshape(stack([re, neg(im)]), [2, H, N]), 2);
      const y: Tensor3D = add(gathered(h, read), byChannel(u, through));
      return unit ? unit(y) : y;
    },
  };
}
