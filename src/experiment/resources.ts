// What a training will take: memory and multiply-adds, known before anything is allocated.
import { countModel, GATE_BLOCKS, layerWidths, type TaskSizes } from './parameters.ts';
import { type Experiment, isRecurrent } from './schema.ts';

const FLOAT_BYTES = 4;
/** a process with the trainer loaded and no model, measured */
const PROCESS_BYTES = 90e6;

export interface MemoryPrediction {
  bytes: number;
  parts: { name: string; bytes: number }[];
}

/** Peak bytes of training: weights with gradient and optimizer moments, and what is kept for the backward pass at (B, T). */
export function predictMemory(experiment: Experiment, sizes: TaskSizes): MemoryPrediction {
  const { batchSize } = experiment.training;
  const seqLen = trainingSeqLen(experiment);
  const weights = countModel(experiment, sizes).total;
  const copies = 2 + optimizerMoments(experiment);
  const widths = layerWidths(experiment.model.layers, sizes);
  let perStep = 0;
  experiment.model.layers.forEach((layer, index) => {
    const output = widths[index + 1] ?? 0;
    if (isRecurrent(layer)) perStep += layer.layers * layer.units * (GATE_BLOCKS[layer.type] * 2 + 4);
    else perStep += output * 2;
  });
  const parts = [
    { name: 'process', bytes: PROCESS_BYTES },
    { name: 'weights, gradients and optimizer', bytes: weights * copies * FLOAT_BYTES },
    {
      name: `activations at ${batchSize} × ${seqLen} steps`,
      bytes: perStep * batchSize * seqLen * FLOAT_BYTES,
    },
  ];
  return { bytes: parts.reduce((sum, part) => sum + part.bytes, 0), parts };
}

/** Multiply-adds of one forward pass over one training batch; a training step costs about three times that. */
export function forwardMultiplyAdds(experiment: Experiment, sizes: TaskSizes): number {
  const positions = experiment.training.batchSize * trainingSeqLen(experiment);
  const widths = layerWidths(experiment.model.layers, sizes);
  return experiment.model.layers.reduce((sum, layer, index) => {
    const input = widths[index] ?? 0;
    if (layer.type === 'dense') return sum + positions * input * (widths[index + 1] ?? 0);
    if (!isRecurrent(layer)) return sum;
    const blocks = GATE_BLOCKS[layer.type];
    const first = blocks * layer.units * (input + layer.units);
    const others = (layer.layers - 1) * blocks * layer.units * 2 * layer.units;
    return sum + positions * (first + others);
  }, 0);
}

/** Steps of a training sequence. */
export function trainingSeqLen(experiment: Experiment): number {
  const { data, training } = experiment;
  if (data.task === 'char-lm') return training.seqLen;
  return data.task === 'forecast' ? data.window : data.length;
}

function optimizerMoments(experiment: Experiment): number {
  const { optimizer } = experiment.training;
  if (optimizer.type === 'adam' || optimizer.type === 'adamw') return 2;
  const momentum = optimizer.momentum > 0 ? 1 : 0;
  return optimizer.type === 'sgd' ? momentum : 1 + momentum;
}

/** "1.5 GB"; decimal units. */
export function formatBytes(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toPrecision(2)} ${units[unit]}`;
}
