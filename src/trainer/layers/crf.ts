// Linear-chain conditional random field: J. Lafferty, A. McCallum, F. Pereira, 2001. Logits W x + b at every step, weight
// (K, I) and bias (K), and a chain over the classes of a sequence: transitions (K, K) from a class to the next one, start
// (K), end (K). The loss is -log p of all classes of a sequence, a mean over its steps; the outputs are the logits, and
// `likeliestClasses` of engine/chain.ts decodes them. Initial values: as a dense layer's; the chain uniform ±0.1.
import type { Tensor, Tensor3D } from '@tensorflow/tfjs-core';
import type { Layer } from '../../experiment/schema.ts';
import type { Chain } from '../engine/chain.ts';
import { chainOf } from '../engine/kernels/chain.ts';
import { ModelError } from './errors.ts';
import { glorotUniform, uniform, zeros } from './initial.ts';
import type { BuiltLayer, Place } from './layer.ts';
import type { Model } from './model.ts';
import { dense } from './operations.ts';

const [TRANSITIONS, START, END] = ['chain.transitions', 'chain.start', 'chain.end'] as const;

export function buildCrf(_: Extract<Layer, { type: 'crf' }>, place: Place): BuiltLayer {
  const { outputs: classes, input, index } = place;
  if (!place.isLast)
    throw new ModelError(`Layer ${index + 1} is a CRF and not the last layer.`, ['model', 'layers', index]);
  const pytorch = place.convention === 'pytorch';
  const spread = uniform(1 / Math.sqrt(input.width));
  const weight = place.variable('weight', [classes, input.width], pytorch ? spread : glorotUniform);
  const bias = place.variable('bias', [classes], pytorch ? spread : zeros);
  const chain = {
    transitions: place.variable(TRANSITIONS, [classes, classes], uniform(0.1)),
    start: place.variable(START, [classes], uniform(0.1)),
    end: place.variable(END, [classes], uniform(0.1)),
  };
  const logits = (x: Tensor) => dense(x as Tensor3D, weight, bias);
  return {
    output: { kind: 'vectors', width: classes, learned: true },
    forward: logits,
    head: x => ({
      applied: () => logits(x),
      classes,
      rows: x.size / input.width,
      crossEntropy: (targets, weights) =>
        chainOf(logits(x), chain, targets, weights && lengthsOf(weights, x.shape[1]!)),
    }),
  };
}

/** The chain of a model that ends in one; null: it ends in another layer. */
export function chainIn({ variables }: Pick<Model, 'variables'>): Chain | null {
  const named = (suffix: string) =>
    [...variables].find(([name]) => name.endsWith(`.${suffix}`))?.[1].dataSync() as Float32Array | undefined;
  const [transitions, start, end] = [named(TRANSITIONS), named(START), named(END)];
  return transitions && start && end ? { transitions, start, end } : null;
}

/** `mask` (T, B): 1 inside each sequence, 0 behind its end. */
export function lengthsOf(mask: Float32Array, batch: number): Int32Array {
  const lengths = new Int32Array(batch);
  mask.forEach((weight, at) => {
    if (weight !== 0) lengths[at % batch] = lengths[at % batch]! + 1;
  });
  return lengths;
}
