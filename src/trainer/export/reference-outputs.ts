// What the run's own model says to a fixed input, so that an exported copy can check itself against it.
import { tensor, tidy } from '@tensorflow/tfjs-core';
import { stepsOf, traitsOf } from '../../experiment/models.ts';
import type { FinishedRun } from '../inference/finished-run.ts';
import type { Model } from '../layers/model.ts';
import { randomStream } from '../random.ts';
import { endsOnly } from './pytorch/module.ts';

export interface Reference {
  /** largest difference that counts as equal, relative to outputs larger than 1 */
  tolerance: number;
  /** (steps, batch) symbol ids, or (steps, batch, features) numbers, flat in this order */
  shape: number[];
  input: number[];
  /**
   * (steps, batch, outputs), flat: the outputs at every step (or the last ones, where the model gives no others), in
   * evaluation mode, from a state of zeros
   */
  outputs: number[];
  /** whether a sequence fed in two parts, with the states between, gives the same */
  parts: boolean;
}

const STEPS = 24;
const BATCH = 2;
const TOLERANCE = 1e-5;

export function referenceOf(model: Model, opened: FinishedRun): Reference {
  const { input: source } = opened.sizes;
  const random = randomStream(1, 'export/reference', 0);
  const symbols = source.kind === 'tokens';
  // learned positions end with the training sequence
  const steps = Math.min(STEPS, stepsOf(opened.run.experiment, opened.sizes));
  const each = symbols ? (source.each ?? 1) : source.features;
  const shape = symbols && each === 1 ? [steps, BATCH] : [steps, BATCH, each];
  const size = shape.reduce((product, length) => product * length, 1);
  const input = symbols
    ? Int32Array.from({ length: size }, () => random.int(source.vocabulary))
    : Float32Array.from({ length: size }, () => random.normal());
  const outputs = tidy(() => {
    const x = tensor(input, shape, symbols ? 'int32' : 'float32');
    const at = endsOnly(opened) ? ('last-step' as const) : ('every-step' as const);
    const options = { training: false, step: 0, lengths: null, state: null, outputs: at };
    return Array.from(model.forward(x, options).outputs.dataSync());
  });
  const { layers } = opened.run.experiment.model;
  const parts = layers.every(layer => traitsOf(layer).carries);
  return { tolerance: TOLERANCE, shape, input: Array.from(input), outputs, parts };
}
