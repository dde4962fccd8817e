// Parameter counts of layers and models, always with the convention they follow.
//
//   H units, D inputs of the layer; G = 1 (RNN), 3 (GRU), 4 (LSTM) blocks of H rows
//   one bias  (Keras, tfjs, textbook):            G·H·(D + H + 1)
//   two biases (PyTorch; Keras GRU reset_after):  G·H·(D + H + 2)
import { type CellName, type Convention, type Experiment, isRecurrent, type Layer } from './schema.ts';

export interface RecurrentShape {
  cell: CellName;
  inputSize: number;
  units: number;
  /** stacked layers; each after the first reads `units` inputs */
  layers?: number;
  convention: Convention;
  /** GRU only; default: what the convention does */
  resetAfter?: boolean;
}

export interface RecurrentCount {
  total: number;
  input: number;
  recurrent: number;
  bias: number;
  /** e.g. "4·128·(32 + 128 + 2)" */
  formula: string;
}

export interface LayerCount {
  name: string;
  type: string;
  count: number;
  formula: string;
}

/** What the task adds to the experiment: how wide the first input and the last output are. */
export interface TaskSizes {
  /** symbols of a token task, or null for numbers */
  vocabulary: number | null;
  /** numbers per step, for tasks without tokens */
  features: number;
  outputs: number;
}

export const GATE_BLOCKS: Readonly<Record<CellName, number>> = { rnn: 1, gru: 3, lstm: 4 };

/** Whether the GRU's reset gate is applied after the recurrent product when the layer does not say. */
export function resetsAfter(convention: Convention, resetAfter?: boolean): boolean {
  return resetAfter ?? convention !== 'tfjs';
}

/** 2 where input and recurrent product have a bias each. */
export function biasesPerGate(cell: CellName, convention: Convention, resetAfter?: boolean): 1 | 2 {
  if (convention === 'pytorch') return 2;
  return cell === 'gru' && convention === 'keras' && resetsAfter(convention, resetAfter) ? 2 : 1;
}

export function countRecurrent(shape: RecurrentShape): RecurrentCount {
  const { cell, units, inputSize, layers = 1, convention, resetAfter } = shape;
  const blocks = GATE_BLOCKS[cell];
  const biases = biasesPerGate(cell, convention, resetAfter);
  const factor = blocks === 1 ? `${units}` : `${blocks}·${units}`;
  const terms: string[] = [];
  let input = 0;
  for (let level = 0; level < layers; level++) {
    const width = level === 0 ? inputSize : units;
    input += blocks * units * width;
    terms.push(`${factor}·(${width} + ${units} + ${biases})`);
  }
  const recurrent = layers * blocks * units * units;
  const bias = layers * blocks * units * biases;
  const formula = terms.length > 2 ? `${terms[0]} + ${layers - 1}·${terms[1]}` : terms.join(' + ');
  return { total: input + recurrent + bias, input, recurrent, bias, formula };
}

/** The most units whose count stays within `budget`; at least 1. */
export function unitsForEqualParameters(shape: RecurrentShape, budget: number): number {
  let low = 1;
  let high = 2;
  const fits = (units: number) => countRecurrent({ ...shape, units }).total <= budget;
  while (fits(high)) high *= 2;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** Inputs of each layer, and outputs of the last: index i is what layer i reads. */
export function layerWidths(layers: readonly Layer[], sizes: TaskSizes): number[] {
  const widths = [sizes.vocabulary ?? sizes.features];
  layers.forEach((layer, index) => {
    const width = widths[index] ?? 0;
    if (layer.type === 'embedding') widths.push(layer.dim);
    else if (isRecurrent(layer)) widths.push(layer.units);
    else if (layer.type === 'dense') widths.push(layer.units ?? sizes.outputs);
    else widths.push(width);
  });
  return widths;
}

export function countModel(
  experiment: Pick<Experiment, 'model'>,
  sizes: TaskSizes,
): { total: number; layers: LayerCount[] } {
  const { layers, convention } = experiment.model;
  const widths = layerWidths(layers, sizes);
  const counts = layers.map((layer, index): LayerCount => {
    const inputSize = widths[index] ?? 0;
    const outputSize = widths[index + 1] ?? 0;
    const name = `layers.${index}`;
    switch (layer.type) {
      case 'embedding':
        return {
          name,
          type: 'embedding',
          count: inputSize * layer.dim,
          formula: `${inputSize}·${layer.dim}`,
        };
      case 'dense':
        return {
          name,
          type: 'dense',
          count: (inputSize + 1) * outputSize,
          formula: `(${inputSize} + 1)·${outputSize}`,
        };
      case 'dropout':
        return { name, type: 'dropout', count: 0, formula: '0' };
      default: {
        const { total, formula } = countRecurrent({
          cell: layer.type,
          inputSize,
          units: layer.units,
          layers: layer.layers,
          convention,
          resetAfter: layer.type === 'gru' ? layer.resetAfter : undefined,
        });
        return { name, type: layer.type, count: total, formula };
      }
    }
  });
  return { total: counts.reduce((sum, layer) => sum + layer.count, 0), layers: counts };
}
