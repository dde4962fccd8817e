// Dense: y = φ(W x + b) at every step. weight (O, I) and bias (O), PyTorch's layout; x (T, B, I) → (T, B, O).
// Initial values: PyTorch uniform ±1/√I for both; Keras and tfjs Glorot-uniform weights and zero biases.
// Tied (Press & Wolf, 2017, https://arxiv.org/abs/1608.05859): the weight is the embedding's, (vocabulary, I).
import type { Tensor, Tensor3D, Variable } from '@tensorflow/tfjs-core';
import type { Layer } from '../../experiment/schema.ts';
import { ModelError } from './errors.ts';
import { glorotUniform, uniform, zeros } from './initial.ts';
import type { BuiltLayer, Place } from './layer.ts';
import { activation, dense } from './operations.ts';

type DenseLayer = Extract<Layer, { type: 'dense' }>;

export function buildDense(layer: DenseLayer, place: Place): BuiltLayer {
  const inputs = place.input.width;
  const units = unitsOf(layer, place);
  const pytorch = place.convention === 'pytorch';
  const spread = uniform(1 / Math.sqrt(inputs));
  const weight = layer.tied
    ? embeddingOf(place, units)
    : place.variable('weight', [units, inputs], pytorch ? spread : glorotUniform);
  const bias = place.variable('bias', [units], pytorch ? spread : zeros);
  const sums = (x: Tensor) => dense(x as Tensor3D, weight, bias);
  const common = { output: { kind: 'vectors', width: units, learned: true } } as const;
  const kind = layer.activation;
  if (kind !== 'linear') return { ...common, forward: x => activation(kind, sums(x)) };
  const inputGradient = place.input.learned;
  return {
    ...common,
    forward: sums,
    head: x => ({ x: x as Tensor3D, weight, bias, inputGradient, applied: () => sums(x) }),
  };
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

/** @throws ModelError where its shape does not fit */
function embeddingOf({ embedding, index, input, isLast }: Place, units: number): Variable {
  const fail = (why: string) => {
    throw new ModelError(`Layer ${index + 1} is tied to the embedding, but ${why}.`, [
      'model',
      'layers',
      index,
      'tied',
    ]);
  };
  if (!isLast) fail('only the last layer can be');
  if (!embedding) return fail('the model has none');
  const [vocabulary, dim] = embedding.shape as [number, number];
  if (vocabulary !== units) fail(`that has ${vocabulary} symbols and the task asks for ${units} outputs`);
  if (dim !== input.width)
    fail(`that is ${dim} wide and this layer reads ${input.width} numbers; make them equal`);
  return embedding;
}
