// A layer of one level that runs as a simple recurrent cell, its recurrent matrix made anew for each pass.
import type { Tensor1D, Tensor2D, Tensor3D, Variable } from '@tensorflow/tfjs-core';
import type { Layer } from '../../experiment/layers/index.ts';
import type { Cell } from './cell.ts';
import { glorotUniform, type Initializer, uniform, zeros } from './initial.ts';
import type { BuiltLayer, Place } from './layer.ts';
import { ownLevel } from './linear-recurrence.ts';
import { runSequence } from './recurrent.ts';
import { matrixMap } from './state-maps.ts';

interface Elman {
  cell: Cell;
  weightIh: Variable & Tensor2D;
  bias: Variable & Tensor1D;
  /** (H, H), on the tape of the pass */
  weightHh(): Tensor2D;
}

/** Initial input weights and biases: PyTorch uniform ±1/√H; Keras and tfjs Glorot-uniform weights and zero biases. */
export function inputWeights(place: Place, units: number): Pick<Elman, 'weightIh' | 'bias'> {
  const pytorch = place.convention === 'pytorch';
  const spread: Initializer = uniform(1 / Math.sqrt(units));
  const inputs = place.input.width;
  return {
    weightIh: place.variable('weight_ih', [units, inputs], pytorch ? spread : glorotUniform) as Variable &
      Tensor2D,
    bias: place.variable('bias', [units], pytorch ? spread : zeros) as Variable & Tensor1D,
  };
}

export function elmanLayer(
  layer: Layer,
  place: Place,
  units: number,
  { cell, weightIh, bias, weightHh }: Elman,
): BuiltLayer {
  const state = `${place.name}.h`;
  return {
    output: { kind: 'vectors', width: units, learned: true },
    levels: ownLevel(layer, place, units),
    maps: [matrixMap(place.name, units, weightHh)],
    states: [{ name: state, size: units }],
    forward(x, pass) {
      const h = pass.state(state);
      const weights = { weightIh, weightHh: weightHh(), biasIh: bias, biasHh: null };
      const result = runSequence(cell, x as Tensor3D, weights, {
        lengths: pass.options.lengths,
        state: h && { h },
        inputGradient: place.input.learned,
        report: pass.report(place.name),
      });
      pass.keep(state, result.state.h);
      return result.y;
    },
  };
}
