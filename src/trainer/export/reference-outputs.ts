// What the run's own model says to a fixed input, so that an exported copy can check itself against it.
import { tensor, tidy } from '@tensorflow/tfjs-core';
import type { FinishedRun } from '../inference/finished-run.ts';
import type { Model } from '../layers/model.ts';
import { randomStream } from '../random.ts';

export interface Reference {
  /** largest difference that counts as equal, relative to outputs larger than 1 */
  tolerance: number;
  /** (steps, batch) symbol ids, or (steps, batch, features) numbers, flat in this order */
  shape: number[];
  input: number[];
  /** (steps, batch, outputs), flat: the outputs at every step, in evaluation mode, from a state of zeros */
  outputs: number[];
}

const STEPS = 24;
const BATCH = 2;
const TOLERANCE = 1e-5;

export function referenceOf(model: Model, { sizes: { input: source } }: FinishedRun): Reference {
  const random = randomStream(1, 'export/reference', 0);
  const symbols = source.kind === 'tokens';
  const shape = symbols ? [STEPS, BATCH] : [STEPS, BATCH, source.features];
  const size = shape.reduce((product, length) => product * length, 1);
  const input = symbols
    ? Int32Array.from({ length: size }, () => random.int(source.vocabulary))
    : Float32Array.from({ length: size }, () => random.normal());
  const outputs = tidy(() => {
    const x = tensor(input, shape, symbols ? 'int32' : 'float32');
    const options = { training: false, step: 0, lengths: null, state: null, outputs: 'every-step' as const };
    return Array.from(model.forward(x, options).outputs.dataSync());
  });
  return { tolerance: TOLERANCE, shape, input: Array.from(input), outputs };
}
