// What a training step will take, before it runs: memory, and multiply-adds that know the sequence length.
import { totalmem } from 'node:os';
import process from 'node:process';
import {
  countModel,
  countRecurrent,
  hiddenOf,
  type ModelSizes,
  type SizedLayer,
  shapeOf,
  trainingSeqLen,
  withWidths,
} from './parameters.ts';
import type { Experiment, Optimizer } from './schema.ts';
import { directionsOf, isRecurrent, seesOtherSteps } from './schema.ts';

const FLOAT = 4;
/** Node, the engine and its code: 80 MB with the native engine, 90 MB with WASM. */
const PROCESS = 90e6;
/**
 * Numbers that a unit keeps of each (sequence, step): its gates (a GRU also the recurrent part of n), the LSTM's cell,
 * the output and the output's gradient.
 */
const KEPT_PER_UNIT = { rnn: 1 + 2, gru: 4 + 2, lstm: 5 + 2 } as const;

export interface MemoryPrediction {
  bytes: number;
  parts: { name: string; bytes: number }[];
}

/** What training may take: the machine's memory, or the container's where there is a limit. */
export function machineMemory(): number {
  const limit = process.constrainedMemory?.() ?? 0;
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/** Whether the loss is taken at every step of the sequence or at its end. */
export function lossAtEveryStep(experiment: Experiment): boolean {
  return experiment.data.task === 'char-lm';
}

/** Whether the last layer is a dense one that is computed together with the loss, so that a step keeps no logits. */
function lossTakesHead({ data, model }: Experiment): boolean {
  const last = model.layers.at(-1)!;
  const crossEntropy = data.task === 'char-lm' || data.task === 'temporal-order';
  return crossEntropy && last.type === 'dense' && last.activation === 'linear';
}

export function predictMemory(experiment: Experiment, sizes: ModelSizes): MemoryPrediction {
  const { total } = countModel(experiment, sizes);
  const { batchSize, bptt } = experiment.training;
  const seqLen = trainingSeqLen(experiment);
  // what is kept for the way back is one window's
  const keptSteps = Math.min(seqLen, bptt.window ?? seqLen);
  const rows = batchSize * keptSteps;
  const layers = withWidths(experiment.model.layers, sizes);
  const fused = lossTakesHead(experiment);
  const kept = (layer: SizedLayer, index: number) =>
    // of such a head its input's gradient
    fused && index === layers.length - 1 ? layer.inputSize : keptPerRow(layer);
  const activations = layers.reduce((sum, layer, index) => sum + kept(layer, index), 0) * rows * FLOAT;
  const outputRows = lossAtEveryStep(experiment) ? rows : batchSize;
  const parts = [
    { name: 'program', bytes: PROCESS },
    { name: 'weights', bytes: total * FLOAT },
    { name: 'gradients', bytes: total * FLOAT },
    { name: 'optimizer', bytes: total * FLOAT * moments(experiment.training.optimizer) },
    { name: 'checkpoint', bytes: total * FLOAT * (1 + moments(experiment.training.optimizer)) },
    { name: 'activations', bytes: activations },
    { name: 'data', bytes: batchSize * (seqLen - keptSteps) * numbersPerStep(sizes) * FLOAT },
    // where the loss takes the head, those of validation alone
    { name: 'outputs', bytes: outputRows * sizes.outputs * FLOAT * (fused ? 1 : 3) },
  ];
  return { bytes: parts.reduce((sum, part) => sum + part.bytes, 0), parts };
}

/** What a batch holds of each (sequence, step): what is read and what should be said. */
function numbersPerStep({ input }: ModelSizes): number {
  return input.kind === 'tokens' ? 2 : input.features + 1;
}

/** Arrays as long as the weights that the optimizer keeps. */
function moments(optimizer: Optimizer): number {
  switch (optimizer.type) {
    case 'adam':
    case 'adamw':
      return 2;
    case 'sgd':
      return optimizer.momentum > 0 ? 1 : 0;
    case 'rmsprop':
      return optimizer.momentum > 0 ? 2 : 1;
  }
}

/** Numbers that a layer keeps of each (sequence, step) for the way back, its output and that output's gradient. */
function keptPerRow({ layer, inputSize, outputSize }: SizedLayer): number {
  if (layer.type === 'transformer') {
    // a block: two norms, queries, keys and values, attention, three results of D, the dense parts' M twice; and one
    // block's gradients at a time
    const M = hiddenOf(layer, inputSize);
    const dropped = layer.dropout > 0 ? 4 * inputSize + 2 * M : 0;
    return layer.layers * (10 * inputSize + 2 * M + dropped) + 4 * inputSize + 2 * M;
  }
  if (layer.type === 'tcn') {
    // a block: two convolutions with their activations, the residual, what comes out of it, and two gradients
    const dropped = layer.dropout > 0 ? 4 * outputSize : 0;
    return layer.layers * (6 * outputSize + dropped) + inputSize + 3 * outputSize;
  }
  if (!isRecurrent(layer)) return layer.type === 'embedding' ? 2 * outputSize : inputSize + 2 * outputSize;
  // both directions' states once more, side by side
  const joined = layer.bidirectional ? 2 * outputSize : 0;
  const kept = directionsOf(layer) * KEPT_PER_UNIT[layer.type] * layer.units;
  return layer.layers * (kept + joined) + inputSize;
}

export interface MultiplyAdds {
  /** one sequence, forward, biases and element-wise work left out */
  forward: number;
  /** one training step: the batch, forward and twice as much backward */
  step: number;
}

export function multiplyAdds(experiment: Experiment, sizes: ModelSizes): MultiplyAdds {
  const steps = trainingSeqLen(experiment);
  const layers = withWidths(experiment.model.layers, sizes);
  const lastAcross = layers.findLastIndex(({ layer }) => seesOtherSteps(layer));
  let forward = 0;
  for (const [index, { layer, inputSize, outputSize }] of layers.entries()) {
    if (isRecurrent(layer)) {
      const { input, recurrent } = countRecurrent(shapeOf(layer, inputSize, 'tfjs'));
      forward += steps * (input + recurrent);
    } else if (layer.type === 'dense') {
      const once = index > lastAcross && !lossAtEveryStep(experiment);
      forward += (once ? 1 : steps) * inputSize * outputSize;
    } else if (layer.type === 'transformer') {
      const D = inputSize;
      const seen = Math.min(layer.window ?? steps, steps);
      // a step sees half of the steps on average, the ones before it; scores and values take D each
      const across = 2 * D * (seen - (seen * (seen - 1)) / (2 * steps));
      forward += steps * layer.layers * (4 * D * D + 2 * D * hiddenOf(layer, D) + across);
    } else if (layer.type === 'tcn') {
      const { units: O, kernelSize: K, layers: L } = layer;
      const change = inputSize === O ? 0 : inputSize * O;
      forward += steps * (K * O * (inputSize + O) + change + (L - 1) * 2 * K * O * O);
    }
  }
  return { forward, step: 3 * experiment.training.batchSize * forward };
}

export { trainingSeqLen } from './parameters.ts';
export { formatBytes } from './words.ts';
