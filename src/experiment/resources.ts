// What a training step will take, before it runs: memory, and multiply-adds that know the sequence length.
import { totalmem } from 'node:os';
import process from 'node:process';
import {
  countModel,
  countRecurrent,
  GATE_BLOCKS,
  type ModelSizes,
  type SizedLayer,
  shapeOf,
  withWidths,
} from './parameters.ts';
import type { Experiment, Optimizer } from './schema.ts';
import { directionsOf, isRecurrent } from './schema.ts';

const FLOAT = 4;
/** Node, the engine and its code, measured on an idle worker. */
const PROCESS = 120e6;

export interface MemoryPrediction {
  bytes: number;
  parts: { name: string; bytes: number }[];
}

/** What training may take: the machine's memory, or the container's where there is a limit. */
export function machineMemory(): number {
  const limit = process.constrainedMemory?.() ?? 0;
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/** Steps of a training sequence. */
export function trainingSeqLen(experiment: Experiment): number {
  const { data, training } = experiment;
  switch (data.task) {
    case 'char-lm':
      return training.seqLen;
    case 'forecast':
      return data.window;
    case 'adding':
    case 'temporal-order':
      return data.length;
  }
}

/** Whether the loss is taken at every step of the sequence or at its end. */
export function lossAtEveryStep(experiment: Experiment): boolean {
  return experiment.data.task === 'char-lm';
}

export function predictMemory(experiment: Experiment, sizes: ModelSizes): MemoryPrediction {
  const { total } = countModel(experiment, sizes);
  const rows = experiment.training.batchSize * trainingSeqLen(experiment);
  const layers = withWidths(experiment.model.layers, sizes);
  const activations = layers.reduce((sum, layer) => sum + keptPerRow(layer), 0) * rows * FLOAT;
  const outputRows = lossAtEveryStep(experiment) ? rows : experiment.training.batchSize;
  const parts = [
    { name: 'program', bytes: PROCESS },
    { name: 'weights', bytes: total * FLOAT },
    { name: 'gradients', bytes: total * FLOAT },
    { name: 'optimizer', bytes: total * FLOAT * moments(experiment.training.optimizer) },
    { name: 'checkpoint', bytes: total * FLOAT * (1 + moments(experiment.training.optimizer)) },
    { name: 'activations', bytes: activations },
    { name: 'outputs', bytes: outputRows * sizes.outputs * FLOAT * 3 },
  ];
  return { bytes: parts.reduce((sum, part) => sum + part.bytes, 0), parts };
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
  if (!isRecurrent(layer)) return layer.type === 'embedding' ? 2 * outputSize : inputSize + 2 * outputSize;
  // gates with their gradients, state and cell with theirs
  const perUnit = 2 * GATE_BLOCKS[layer.type] + (layer.type === 'lstm' ? 4 : 3);
  // both directions' states once more, side by side
  const joined = layer.bidirectional ? 2 * outputSize : 0;
  return layer.layers * (directionsOf(layer) * perUnit * layer.units + joined) + inputSize;
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
  const lastRecurrent = layers.findLastIndex(({ layer }) => isRecurrent(layer));
  let forward = 0;
  for (const [index, { layer, inputSize, outputSize }] of layers.entries()) {
    if (isRecurrent(layer)) {
      const { input, recurrent } = countRecurrent(shapeOf(layer, inputSize, 'tfjs'));
      forward += steps * (input + recurrent);
    } else if (layer.type === 'dense') {
      const once = index > lastRecurrent && !lossAtEveryStep(experiment);
      forward += (once ? 1 : steps) * inputSize * outputSize;
    }
  }
  return { forward, step: 3 * experiment.training.batchSize * forward };
}

export { formatBytes } from './words.ts';
