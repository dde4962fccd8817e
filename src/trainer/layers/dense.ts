// Dense: y = φ(W x + b) at every step. weight (O, I) and bias (O), PyTorch's layout; x (T, B, I) → (T, B, O).
// Initial values: PyTorch uniform ±1/√I for both; Keras and tfjs Glorot-uniform weights and zero biases.
import { add, matMul, relu, reshape, sigmoid, type Tensor, type Tensor3D, tanh } from '@tensorflow/tfjs-core';
import type { Layer } from '../../experiment/schema.ts';
import { dense as denseKernel } from '../engine/kernels/dense.ts';
import { fusedKernels } from '../engine/storage.ts';
import { ModelError } from './errors.ts';
import { glorotUniform, uniform, zeros } from './initial.ts';
import type { BuiltLayer, Place } from './layer.ts';

type DenseLayer = Extract<Layer, { type: 'dense' }>;

const activations = {
  linear: (x: Tensor3D) => x,
  tanh: (x: Tensor3D) => tanh(x),
  relu: (x: Tensor3D) => relu(x),
  sigmoid: (x: Tensor3D) => sigmoid(x),
};

export function buildDense(layer: DenseLayer, place: Place): BuiltLayer {
  const inputs = place.input.width;
  const units = unitsOf(layer, place);
  const pytorch = place.convention === 'pytorch';
  const spread = uniform(1 / Math.sqrt(inputs));
  const weight = place.variable('weight', [units, inputs], pytorch ? spread : glorotUniform);
  const bias = place.variable('bias', [units], pytorch ? spread : zeros);
  const activation = activations[layer.activation];
  return {
    output: { kind: 'vectors', width: units, learned: true },
    recurrent: [],
    forward: x =>
      activation(fusedKernels() ? denseKernel(x as Tensor3D, weight, bias) : unfused(x, weight, bias)),
  };
}

function unfused(x: Tensor, weight: Tensor, bias: Tensor): Tensor3D {
  const [steps, batch, width] = x.shape as [number, number, number];
  const rows = matMul(reshape(x, [steps * batch, width]), weight, false, true);
  return reshape(add(rows, bias), [steps, batch, weight.shape[0]!]);
}

function unitsOf(layer: DenseLayer, place: Place): number {
  const path = ['model', 'layers', place.index, 'units'];
  if (layer.units === undefined && !place.isLast)
    throw new ModelError(
      `Layer ${place.index + 1} is a dense layer without units; only the last layer may leave them out. Give it units.`,
      path,
    );
  if (layer.units !== undefined && place.isLast && layer.units !== place.outputs)
    throw new ModelError(
      `The last dense layer has ${layer.units} units, but the task needs ${place.outputs} outputs; leave units out to get them.`,
      path,
    );
  return layer.units ?? place.outputs;
}
