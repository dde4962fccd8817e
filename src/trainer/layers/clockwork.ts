// Clockwork RNN: J. Koutník et al., 2014, https://arxiv.org/abs/1402.3511.
//
//   module g of period T_g, t counted from 0 at a sequence's beginning:
//   t mod T_g = 0:  h_g(t) = tanh(W_g x_t + Σ_{j ≥ g} U_gj h_j(t-1) + b_g)
//   else:           h_g(t) = h_g(t-1)
//
// Shapes: x_t (B, I), h (B, H), G modules of K = H / G units, fastest first; weight_ih (H, I), weight_hh_<g> (K, K (G-g)):
// what module g reads of itself and the slower ones; bias (H). Initial values as the convention's recurrent layers. The
// steps run one after the other in plain tensor operations; each computes all modules, of which those due are taken.
import {
  add,
  concat,
  matMul,
  mul,
  reshape,
  slice,
  stack,
  sub,
  type Tensor2D,
  type Tensor3D,
  tensor2d,
  type Variable,
  zeros as zerosOf,
} from '@tensorflow/tfjs-core';
import { moduleSize } from '../../experiment/layers/clockwork.ts';
import type { LayerOf } from '../../experiment/layers/index.ts';
import { glance } from '../engine/storage.ts';
import { inputWeights } from './elman.ts';
import { orthogonal, uniform } from './initial.ts';
import type { BuiltLayer, Place } from './layer.ts';
import { ownLevel } from './linear-recurrence.ts';
import { activation, dense } from './operations.ts';
import { stepTaps } from './recurrent.ts';
import { matrixMap } from './state-maps.ts';

export function buildClockwork(layer: LayerOf<'clockwork'>, place: Place): BuiltLayer {
  const { units, periods } = layer;
  const size = moduleSize(layer);
  const { weightIh, bias } = inputWeights(place, units);
  const hidden = place.convention === 'pytorch' ? uniform(1 / Math.sqrt(units)) : orthogonal;
  const modules = periods.map((_, g) =>
    place.variable(`weight_hh_${g}`, [size, size * (periods.length - g)], hidden),
  );
  const cycle = periods.reduce(leastCommonMultiple, 1);
  const names = { h: `${place.name}.h`, t: `${place.name}.t` };
  return {
    output: { kind: 'vectors', width: units, learned: true },
    levels: ownLevel(layer, place, units),
    maps: [matrixMap(place.name, units, () => blockTriangular(modules, size))],
    states: [
      { name: names.h, size: units },
      { name: names.t, size: 1 },
    ],
    forward(x, pass) {
      const projected = dense(x as Tensor3D, weightIh, bias);
      const [T, B] = projected.shape;
      const { lengths } = pass.options;
      const matrix = blockTriangular(modules, size);
      const before = pass.state(names.h);
      let h: Tensor2D = before ? tensor2d(before, [B, units]) : zerosOf([B, units]);
      const read = pass.state(names.t) ?? new Float32Array(B);
      const report = pass.report(place.name);
      const tapped = report && stepTaps(T, { lengths, report });
      const outputs: Tensor2D[] = [];
      for (let t = 0; t < T; t++) {
        const input = reshape(slice(projected, [t, 0, 0], [1, B, units]), [B, units]) as Tensor2D;
        const sums: Tensor2D = add(input, matMul(h, matrix, false, true));
        const made = activation('tanh', sums as unknown as Tensor3D) as unknown as Tensor2D;
        const isDue = (row: number, unit: number) =>
          t < (lengths?.[row] ?? T) && (read[row]! + t) % periods[Math.floor(unit / size)]! === 0;
        const due = tensor2d(
          Float32Array.from({ length: B * units }, (_, at) =>
            Number(isDue(Math.floor(at / units), at % units)),
          ),
          [B, units],
        );
        const next: Tensor2D = add(mul(made, due), mul(h, sub(1, due)));
        h = tapped ? tapped(next, t) : next;
        outputs.push(lengths ? mul(h, stepsInside(lengths, t)) : h);
      }
      pass.keep(names.h, Float32Array.from(glance(h)));
      pass.keep(
        names.t,
        read.map((steps, row) => (steps + (lengths?.[row] ?? T)) % cycle),
      );
      return stack(outputs) as Tensor3D;
    },
  };
}

/** (B, 1): 1 where a sequence has step t. */
export function stepsInside(lengths: Int32Array, t: number): Tensor2D {
  return tensor2d(
    Float32Array.from(lengths, length => Number(t < length)),
    [lengths.length, 1],
  );
}

/** (H, H) of (K, K (G-g)) for each module g, with zeros where a module does not read a faster one. */
function blockTriangular(modules: readonly Variable[], size: number): Tensor2D {
  const rows = modules.map((own, g) =>
    g === 0
      ? (own as unknown as Tensor2D)
      : concat([zerosOf([size, size * g]) as Tensor2D, own as unknown as Tensor2D], 1),
  );
  return concat(rows, 0);
}

function leastCommonMultiple(a: number, b: number): number {
  let [larger, smaller] = [a, b];
  while (smaller > 0) [larger, smaller] = [smaller, larger % smaller];
  return (a / larger) * b;
}
