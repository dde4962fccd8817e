// Hierarchical RNN: S. El Hihi, Y. Bengio, "Hierarchical recurrent neural networks for long-term dependencies", 1995.
//
//   h_t = tanh(W x_t + U h_{t-1} + V s_k + b)      in segment k; U h_{t-1} is left out at its first step
//   s_{k+1} = tanh(P h_{last step of segment k} + R s_k + c),  s_1 = 0
//
// What a segment knows of those before it comes through its summary alone, so that n steps are about 2 √n edges apart.
// Shapes: x_t (B, I), h and s (B, H), weight_ih (H, I), weight_hh U, weight_sh V, weight_hs P, weight_ss R (H, H), bias
// and bias_s (H). Initial values as the convention's recurrent layers. The steps run one after the other in plain tensor
// operations.
import {
  add,
  matMul,
  mul,
  reshape,
  slice,
  stack,
  sub,
  type Tensor2D,
  type Tensor3D,
  tensor2d,
  zeros as zerosOf,
} from '@tensorflow/tfjs-core';
import { segmentOf } from '../../experiment/layers/hierarchical.ts';
import type { LayerOf } from '../../experiment/layers/index.ts';
import { glance } from '../engine/storage.ts';
import { stepsInside } from './clockwork.ts';
import { inputWeights } from './elman.ts';
import { orthogonal, uniform, zeros } from './initial.ts';
import type { BuiltLayer, Place } from './layer.ts';
import { ownLevel } from './linear-recurrence.ts';
import { activation, dense } from './operations.ts';
import { stepTaps } from './recurrent.ts';
import { matrixMap } from './state-maps.ts';

export function buildHierarchical(layer: LayerOf<'hierarchical'>, place: Place): BuiltLayer {
  const { units } = layer;
  const segment = segmentOf(layer, place.seqLen);
  const pytorch = place.convention === 'pytorch';
  const spread = uniform(1 / Math.sqrt(units));
  const { weightIh, bias } = inputWeights(place, units);
  const matrix = (name: string) =>
    place.variable(name, [units, units], pytorch ? spread : orthogonal) as unknown as Tensor2D;
  const [U, V, P, R] = ['weight_hh', 'weight_sh', 'weight_hs', 'weight_ss'].map(matrix) as [
    Tensor2D,
    Tensor2D,
    Tensor2D,
    Tensor2D,
  ];
  const biasS = place.variable('bias_s', [units], pytorch ? spread : zeros);
  const names = { h: `${place.name}.h`, s: `${place.name}.s`, t: `${place.name}.t` };
  const through = (state: Tensor2D, weight: Tensor2D): Tensor2D => matMul(state, weight, false, true);
  const squashed = (sums: Tensor2D) => activation('tanh', sums as unknown as Tensor3D) as unknown as Tensor2D;

  return {
    output: { kind: 'vectors', width: units, learned: true },
    levels: ownLevel(layer, place, units),
    maps: [matrixMap(`${place.name} U`, units, () => U), matrixMap(`${place.name} R`, units, () => R)],
    states: [
      { name: names.h, size: units },
      { name: names.s, size: units },
      { name: names.t, size: 1 },
    ],
    forward(x, pass) {
      const projected = dense(x as Tensor3D, weightIh, bias);
      const [T, B] = projected.shape;
      const { lengths } = pass.options;
      const begin = (name: string): Tensor2D => {
        const values = pass.state(name);
        return values ? tensor2d(values, [B, units]) : zerosOf([B, units]);
      };
      let [h, s] = [begin(names.h), begin(names.s)];
      const place0 = pass.state(names.t) ?? new Float32Array(B);
      /** steps of its segment that the sequence has read before t; 0 in the first segment alone until its end */
      const report = pass.report(place.name);
      const tapped = report && stepTaps(T, { lengths, report });
      const outputs: Tensor2D[] = [];
      for (let t = 0; t < T; t++) {
        const inside = lengths && stepsInside(lengths, t);
        const ends = shareOf(
          B,
          row => t < (lengths?.[row] ?? T) && place0[row]! + t > 0 && (place0[row]! + t) % segment === 0,
        );
        if (ends) {
          const summary = squashed(add<Tensor2D>(add(through(h, P), through(s, R)), biasS));
          s = blended(ends, summary, s);
          h = blended(ends, zerosOf([B, units]), h);
        }
        const input = reshape(slice(projected, [t, 0, 0], [1, B, units]), [B, units]) as Tensor2D;
        const made = squashed(add<Tensor2D>(add(input, through(h, U)), through(s, V)));
        const next = inside ? blended(inside, made, h) : made;
        h = tapped ? tapped(next, t) : next;
        outputs.push(inside ? mul(h, inside) : h);
      }
      pass.keep(names.h, Float32Array.from(glance(h)));
      pass.keep(names.s, Float32Array.from(glance(s)));
      pass.keep(
        names.t,
        place0.map((steps, row) => stepsRead(steps + (lengths?.[row] ?? T), segment)),
      );
      return stack(outputs) as Tensor3D;
    },
  };
}

/** Steps read, whole turns of a segment left out; a segment that is full is not an empty one. */
function stepsRead(steps: number, segment: number): number {
  return steps > segment ? ((steps - 1) % segment) + 1 : steps;
}

/** (B, 1) of 0 and 1; null: no row is so. */
function shareOf(batch: number, isSo: (row: number) => boolean): Tensor2D | null {
  const rows = Float32Array.from({ length: batch }, (_, row) => Number(isSo(row)));
  return rows.some(row => row > 0) ? tensor2d(rows, [batch, 1]) : null;
}

function blended(share: Tensor2D, a: Tensor2D, b: Tensor2D): Tensor2D {
  return add(mul(a, share), mul(b, sub(1, share)));
}
