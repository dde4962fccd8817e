// A model's weights as plain arrays by name: what checkpoints hold.
import { tensor } from '@tensorflow/tfjs-core';
import type { Model } from './model.ts';

export interface NamedArray {
  shape: number[];
  data: Float32Array;
}

/** Copies, in the order of names. */
export function readWeights(model: Pick<Model, 'variables'>): Map<string, NamedArray> {
  const copies = [...model.variables].map(([name, variable]): [string, NamedArray] => [
    name,
    { shape: [...variable.shape], data: Float32Array.from(variable.dataSync()) },
  ]);
  return new Map(copies);
}

/** Sets all weights, from copies; nothing is changed when one is missing, unknown or of another shape. */
export function writeWeights(
  model: Pick<Model, 'variables'>,
  weights: ReadonlyMap<string, { shape: readonly number[]; data: Float32Array }>,
): void {
  for (const name of weights.keys())
    if (!model.variables.has(name))
      throw new Error(`The weights hold ${name}, which the model does not have.`);
  for (const [name, { shape }] of model.variables) {
    const given = weights.get(name);
    if (!given) throw new Error(`The weights lack ${name}, which the model needs.`);
    if (String(given.shape) !== String(shape))
      throw new Error(`The weights hold ${name} of shape [${given.shape}], but the model needs [${shape}].`);
  }
  for (const [name, variable] of model.variables) {
    const fresh = tensor(weights.get(name)!.data.slice(), variable.shape);
    variable.assign(fresh);
    fresh.dispose();
  }
}
