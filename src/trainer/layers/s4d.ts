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
import { add, exp, mul, neg, ones, reshape, stack, type Tensor, type Tensor3D } from '@tensorflow/tfjs-core';
import type { LayerOf } from '../../experiment/layers/index.ts';
import { operations } from '../engine/operations.ts';
import { newFloats } from '../engine/pool.ts';
import { glance, tapeIsOn, whole } from '../engine/storage.ts';
import { product as byChannel, computed } from './by-channel.ts';
import { normal, standardNormal } from './initial.ts';
import type { BuiltLayer, Pass, Place } from './layer.ts';
import { gatedLinearUnit, ownLevel, projection } from './linear-recurrence.ts';
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
      const read = mul(reshape(stack([re, neg(im)]), [2, H, N]), 2);
      const y: Tensor3D = add(channels(u, carried, read, place, pass), byChannel(u, through));
      return unit ? unit(y) : y;
    },
  };
}

/** The kernel with the state "<layer>.h" (B, 2, H, N) and the layer's row in the heatmap: a (2·H·N), c (2, H, N). */
function channels(u: Tensor3D, a: Tensor, c: Tensor, place: Place, pass: Pass): Tensor3D {
  const name = `${place.name}.h`;
  const [seqLen, batch, width] = u.shape;
  const shape = { seqLen, batch, width, states: a.size / (2 * width) };
  const { lengths } = pass.options;
  const ofLengths = lengths && { data: lengths, offset: 0 };
  let kept: Float32Array | null = null;
  return computed(
    [u, a, c],
    u.shape,
    (u, a, c) => {
      const [y, hN] = [newFloats(u.length), new Float32Array(batch * a.length)];
      const h0 = pass.state(name);
      kept = tapeIsOn() ? newFloats(operations().channelStatesKept(shape)) : null;
      operations().channelStates({
        ...shape,
        u: whole(u),
        a: whole(a),
        c: whole(c),
        lengths: ofLengths,
        h0: h0 ? whole(h0) : null,
        y: whole(y),
        hN: whole(hN),
        kept: kept && whole(kept),
      });
      pass.keep(name, hN);
      return y;
    },
    (dy, u, a, c) => {
      const [du, da, dc] = [newFloats(u.length), newFloats(a.length), newFloats(c.length)];
      const hiddenGradNorm = new Float32Array(seqLen);
      operations().channelStatesBackward({
        ...shape,
        u: whole(u),
        a: whole(a),
        c: whole(c),
        lengths: ofLengths,
        kept: whole(kept!),
        dy: whole(dy),
        du: whole(du),
        da: whole(da),
        dc: whole(dc),
        gradNorm: whole(hiddenGradNorm),
      });
      pass.report(place.name)?.({ hiddenGradNorm });
      return [du, da, dc];
    },
  ) as Tensor3D;
}
