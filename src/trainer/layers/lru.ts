// LRU: A. Orvieto et al., 2023, https://arxiv.org/abs/2303.06349.
//
//   λ = exp(-exp(nu_log) + i exp(theta_log))      |λ| < 1 whatever nu_log is
//   h_t = λ ⊙ h_{t-1} + exp(gamma_log) ⊙ (B x_t)
//   y_t = Re(C h_t) + D x_t, then GELU and a gated linear unit unless `glu` is false
//
// Shapes: x_t (B, I), h (B, N) complex, kept as N real parts and N imaginary ones; B_re, B_im (N, I), C_re, C_im (H, N),
// D (H, I), where the paper has a diagonal one for equal widths. Initial values: |λ|² uniform between rMin² and rMax²,
// the phase uniform up to maxPhase, gamma_log = log √(1 - |λ|²), so that white noise gives a state of unit variance;
// B normal with 1/(2·I), C with 1/N, D with 1/I as variances.
import { add, concat, exp, mul, neg, reshape, type Tensor, type Tensor3D } from '@tensorflow/tfjs-core';
import type { LayerOf } from '../../experiment/layers/index.ts';
import { stateSizeOf } from '../../experiment/layers/lru.ts';
import { scan } from '../engine/kernels/scan.ts';
import { glance } from '../engine/storage.ts';
import { complexExp } from './by-channel.ts';
import { initialValues, normal } from './initial.ts';
import type { BuiltLayer, Pass, Place } from './layer.ts';
import { gatedLinearUnit, keepState, ownLevel, stateIn } from './linear-recurrence.ts';
import { dense } from './operations.ts';
import { diagonalMap } from './state-maps.ts';

export function buildLru(layer: LayerOf<'lru'>, place: Place): BuiltLayer {
  const { units } = layer;
  const inputs = place.input.width;
  const N = stateSizeOf(layer);
  const begin = initialRing(layer, place, N);
  const nuLog = place.variable('nu_log', [N], () => begin.nuLog);
  const thetaLog = place.variable('theta_log', [N], () => begin.thetaLog);
  const gammaLog = place.variable('gamma_log', [N], () => begin.gammaLog);
  const matrix = (name: string, shape: number[], variance: number) =>
    place.variable(name, shape, normal(Math.sqrt(variance)));
  const [bRe, bIm] = [
    matrix('B_re', [N, inputs], 1 / (2 * inputs)),
    matrix('B_im', [N, inputs], 1 / (2 * inputs)),
  ];
  const [cRe, cIm] = [matrix('C_re', [units, N], 1 / N), matrix('C_im', [units, N], 1 / N)];
  const through = matrix('D', [units, inputs], 1 / inputs);
  const unit = layer.glu ? gatedLinearUnit(place, units) : null;
  return {
    output: { kind: 'vectors', width: units, learned: true },
    levels: ownLevel(layer, place, units),
    maps: [diagonalMap(place.name, () => glance(nuLog).map(nu => Math.exp(-Math.exp(nu))))],
    states: [{ name: `${place.name}.h`, size: 2 * N }],
    forward(input, pass) {
      const x = input as Tensor3D;
      const gamma = reshape(exp(gammaLog), [N, 1]);
      const system = {
        a: complexExp(neg(exp(nuLog)), exp(thetaLog)),
        b: concat([mul(bRe, gamma), mul(bIm, gamma)], 0),
        c: concat([cRe, neg(cIm)], 1),
        d: through,
      };
      const y = complexSystem(system, x, place, pass);
      return unit ? unit(y) : y;
    },
  };
}

/** y = Re(c h) + d x, h_t = a ⊙ h_{t-1} + b x_t: a (2N), b (2N, I) real before imaginary rows, c (H, 2N), d (H, I). */
export function complexSystem(
  { a, b, c, d }: Record<'a' | 'b' | 'c' | 'd', Tensor>,
  x: Tensor3D,
  place: Place,
  pass: Pass,
): Tensor3D {
  const name = `${place.name}.h`;
  const driven = dense(x, b, null);
  const h0 = stateIn(pass, name, driven.shape.slice(1));
  const { lengths } = pass.options;
  const { h, hN } = scan(
    { a, b: driven, ...(h0 && { h0 }) },
    { complex: true, lengths, onReport: pass.report(place.name) },
  );
  keepState(pass, name, hN);
  return add(dense(h, c, null), dense(x, d, null));
}

/** Eigenvalues on a ring (the paper, section 3.3). */
function initialRing({ rMin, rMax, maxPhase }: LayerOf<'lru'>, place: Place, N: number) {
  const drawn = (name: string, next: (uniform: number) => number) =>
    initialValues(place.seed, `${place.name}.${name}`, [N], (_, random) =>
      Float32Array.from({ length: N }, () => next(random.uniform() || 1e-9)),
    );
  const nuLog = drawn('nu_log', u => Math.log(-0.5 * Math.log(u * (rMax ** 2 - rMin ** 2) + rMin ** 2)));
  return {
    nuLog,
    thetaLog: drawn('theta_log', u => Math.log(maxPhase * u)),
    gammaLog: nuLog.map(nu => 0.5 * Math.log1p(-Math.exp(-2 * Math.exp(nu)))),
  };
}
