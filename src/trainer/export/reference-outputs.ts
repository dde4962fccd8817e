// What the run's own model says to a fixed input, so that an exported copy can check itself against it.
import { type Tensor, tensor, tidy } from '@tensorflow/tfjs-core';
import { stepsOf, traitsOf } from '../../experiment/models.ts';
import type { InputSize } from '../../experiment/sizes.ts';
import type { FinishedRun } from '../inference/finished-run.ts';
import type { Model } from '../layers/model.ts';
import { type RandomStream, randomStream } from '../random.ts';
import { endsOnly } from './pytorch/module.ts';

export interface Reference {
  /** largest difference that counts as equal, relative to outputs larger than 1 */
  tolerance: number;
  /** (steps, batch) symbol ids, or (steps, batch, features) numbers, flat in this order */
  shape: number[];
  input: number[];
  /** of a model with an encoder: what it reads, in the same form */
  source?: { shape: number[]; input: number[] };
  /**
   * (steps, batch, outputs), flat: the outputs at every step (or the last ones, where the model gives no others), in
   * evaluation mode, from a state of zeros
   */
  outputs: number[];
  /** whether a sequence fed in two parts, with the states between, gives the same */
  parts: boolean;
}

const STEPS = 24;
/** Other than those of the target. */
const SOURCE_STEPS = 17;
const BATCH = 2;
const TOLERANCE = 1e-5;

export function referenceOf(model: Model, opened: FinishedRun): Reference {
  const { run, sizes } = opened;
  const random = randomStream(1, 'export/reference', 0);
  // learned positions end with the training sequence
  const longest = stepsOf(run.experiment, sizes);
  const read = drawn(sizes.input, Math.min(STEPS, longest), random);
  const source = run.experiment.model.encoder
    ? drawn(sizes.source ?? sizes.input, Math.min(SOURCE_STEPS, longest), random)
    : null;
  const outputs = tidy(() => {
    const at = endsOnly(opened) ? ('last-step' as const) : ('every-step' as const);
    const options = { training: false, step: 0, lengths: null };
    const encoded = source && model.encode(tensorOf(source), options);
    const all = { ...options, state: null, outputs: at, encoded };
    return Array.from(model.forward(tensorOf(read), all).outputs.dataSync());
  });
  const parts = run.experiment.model.layers.every(layer => traitsOf(layer).carries);
  return {
    tolerance: TOLERANCE,
    shape: read.shape,
    input: Array.from(read.input),
    ...(source && { source: { shape: source.shape, input: Array.from(source.input) } }),
    outputs,
    parts,
  };
}

interface Drawn {
  shape: number[];
  input: Int32Array | Float32Array;
}

function drawn(from: InputSize, steps: number, random: RandomStream): Drawn {
  const symbols = from.kind === 'tokens';
  const each = symbols ? (from.each ?? 1) : from.features;
  const shape = symbols && each === 1 ? [steps, BATCH] : [steps, BATCH, each];
  const size = shape.reduce((product, length) => product * length, 1);
  const input = symbols
    ? Int32Array.from({ length: size }, () => random.int(from.vocabulary))
    : Float32Array.from({ length: size }, () => random.normal());
  return { shape, input };
}

function tensorOf({ shape, input }: Drawn): Tensor {
  return tensor(input, shape, input instanceof Int32Array ? 'int32' : 'float32');
}
