// Parameter counts, always in a named convention: one bias per gate (textbook, tfjs, Keras but its GRU)
// or two (PyTorch, and Keras's GRU with the reset gate after the product).
import type { CellName, Convention, Experiment, Layer, RecurrentLayer } from './schema.ts';
import { directionsOf, isRecurrent, type TcnLayer, type TransformerLayer } from './schema.ts';

/** What the task asks of a model: the width of its input and of its output. */
export interface ModelSizes {
  input: { kind: 'tokens'; vocabulary: number } | { kind: 'vectors'; features: number };
  outputs: number;
}

export interface RecurrentShape {
  cell: CellName;
  inputSize: number;
  units: number;
  /** stacked layers; every one but the first reads `units` of each direction */
  layers?: number;
  /** default 1; 2 for a bidirectional layer, whose directions have weights of their own */
  directions?: 1 | 2;
  convention: Convention;
  /** GRU only; default: what the convention does */
  resetAfter?: boolean | undefined;
}

export interface RecurrentCount {
  total: number;
  /** weights that the input, and those that the previous state is multiplied by */
  input: number;
  recurrent: number;
  bias: number;
  /** such as "4·128·(32 + 128 + 2)" */
  formula: string;
}

export interface LayerCount {
  name: string;
  type: string;
  count: number;
  formula: string;
}

/** Weight blocks of a cell: candidate and gates. */
export const GATE_BLOCKS: Readonly<Record<CellName, number>> = { rnn: 1, gru: 3, lstm: 4 };

/** Whether a GRU applies its reset gate after the recurrent product when the layer does not say. */
export function resetsAfter(convention: Convention, resetAfter?: boolean): boolean {
  return resetAfter ?? convention !== 'tfjs';
}

/** 2 where the input and the recurrent product have a bias each. */
export function biasesPerGate(cell: CellName, convention: Convention, resetAfter?: boolean): 1 | 2 {
  if (convention === 'pytorch') return 2;
  return cell === 'gru' && resetsAfter(convention, resetAfter) ? 2 : 1;
}

export function countRecurrent(shape: RecurrentShape): RecurrentCount {
  const { cell, inputSize: D, units: H, layers = 1, directions = 1 } = shape;
  const G = GATE_BLOCKS[cell];
  const B = biasesPerGate(cell, shape.convention, shape.resetAfter);
  const rows = directions * G * H;
  const input = rows * (D + (layers - 1) * directions * H);
  const recurrent = layers * rows * H;
  const bias = layers * rows * B;
  return { total: input + recurrent + bias, input, recurrent, bias, formula: formulaOf(shape, G, B) };
}

function formulaOf(
  { units: H, inputSize: D, layers = 1, directions = 1 }: RecurrentShape,
  G: number,
  B: number,
) {
  const blocks = `${directions > 1 ? '2·' : ''}${G > 1 ? `${G}·` : ''}`;
  const one = (inputs: number) => `${blocks}${H}·(${inputs} + ${H} + ${B})`;
  if (layers === 1) return one(D);
  const further = layers - 1;
  return `${one(D)} + ${further > 1 ? `${further}·` : ''}${one(directions * H)}`;
}

/** The most units whose count stays within `budget`; at least 1. RNN 271 and GRU 150 for an LSTM of 128 on 32 inputs. */
export function unitsForEqualParameters(
  shape: Omit<RecurrentShape, 'units'> & { units?: number },
  budget: number,
): number {
  const fits = (units: number) => countRecurrent({ ...shape, units }).total <= budget;
  let low = 1;
  let high = 2;
  while (fits(high)) high *= 2;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** Counts of every layer of the experiment, named by their place in `model.layers`. */
export function countModel(
  experiment: Experiment,
  sizes: ModelSizes,
): { total: number; layers: LayerCount[] } {
  const { convention, layers } = experiment.model;
  const counts = withWidths(layers, sizes).map(({ layer, inputSize, outputSize }, index) => ({
    name: `layers.${index}`,
    type: layer.type,
    ...countLayer(layer, inputSize, outputSize, convention, trainingSeqLen(experiment)),
  }));
  return { total: counts.reduce((sum, { count }) => sum + count, 0), layers: counts };
}

function countLayer(
  layer: Layer,
  inputs: number,
  outputs: number,
  convention: Convention,
  steps: number,
): { count: number; formula: string } {
  if (isRecurrent(layer)) {
    const { total, formula } = countRecurrent(shapeOf(layer, inputs, convention));
    return { count: total, formula };
  }
  switch (layer.type) {
    case 'embedding':
      return { count: inputs * outputs, formula: `${inputs}·${outputs}` };
    case 'dense':
      return { count: (inputs + 1) * outputs, formula: `(${inputs} + 1)·${outputs}` };
    case 'dropout':
      return { count: 0, formula: '0' };
    case 'layer-norm':
      return { count: 2 * inputs, formula: `2·${inputs}` };
    case 'transformer':
      return countTransformer(layer, inputs, steps);
    case 'tcn':
      return countTcn(layer, inputs);
    default:
      return layer satisfies never;
  }
}

/** Units between the dense parts of a Transformer block. */
export function hiddenOf({ hidden }: Pick<TransformerLayer, 'hidden'>, width: number): number {
  return hidden ?? 4 * width;
}

/** A block: queries, keys, values and output 4·D² + 4·D, dense parts 2·D·M + M + D, two norms 4·D. */
function countTransformer(layer: TransformerLayer, D: number, steps: number) {
  const M = hiddenOf(layer, D);
  const positions = layer.positions === 'learned' ? steps * D : 0;
  const blocks = `${layer.layers > 1 ? `${layer.layers}·` : ''}(4·${D}² + 2·${D}·${M} + 9·${D} + ${M})`;
  return {
    count: layer.layers * (4 * D * D + 2 * D * M + 9 * D + M) + positions,
    formula: positions > 0 ? `${blocks} + ${steps}·${D}` : blocks,
  };
}

/** The first block changes the width, for which its residual has a matrix where they differ. */
function countTcn({ units: O, layers, kernelSize: K }: TcnLayer, I: number) {
  const block = (inputs: number) => (K * inputs + 1) * O + (K * O + 1) * O;
  const change = I === O ? 0 : (I + 1) * O;
  const parts = [`(${K}·${I} + 1)·${O} + (${K}·${O} + 1)·${O}`];
  if (change > 0) parts.push(`(${I} + 1)·${O}`);
  if (layers > 1) parts.push(`${layers - 1}·2·(${K}·${O} + 1)·${O}`);
  return { count: block(I) + change + (layers - 1) * block(O), formula: parts.join(' + ') };
}

export function shapeOf(layer: RecurrentLayer, inputSize: number, convention: Convention): RecurrentShape {
  return {
    cell: layer.type,
    inputSize,
    units: layer.units,
    layers: layer.layers,
    directions: directionsOf(layer),
    convention,
    resetAfter: layer.type === 'gru' ? layer.resetAfter : undefined,
  };
}

export interface SizedLayer {
  layer: Layer;
  inputSize: number;
  outputSize: number;
}

/** Every layer with the widths of what it reads and gives; tokens without an embedding are one-hot. */
export function withWidths(layers: readonly Layer[], sizes: ModelSizes): SizedLayer[] {
  let width = sizes.input.kind === 'tokens' ? sizes.input.vocabulary : sizes.input.features;
  return layers.map((layer, index) => {
    const inputSize = width;
    if (isRecurrent(layer)) width = directionsOf(layer) * layer.units;
    else if (layer.type === 'tcn') width = layer.units;
    else if (layer.type === 'embedding') width = layer.dim;
    else if (layer.type === 'dense')
      width = layer.units ?? (index === layers.length - 1 ? sizes.outputs : width);
    return { layer, inputSize, outputSize: width };
  });
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

/** The sizes that the experiment alone tells; null where the data must be read first. */
export function knownSizes(experiment: Experiment): ModelSizes | null {
  const { data } = experiment;
  switch (data.task) {
    case 'char-lm':
      return null;
    case 'forecast':
      return {
        input: { kind: 'vectors', features: data.features?.length ?? 1 },
        outputs: data.horizon,
      };
    case 'adding':
      return { input: { kind: 'vectors', features: 2 }, outputs: 1 };
    case 'temporal-order':
      return { input: { kind: 'tokens', vocabulary: 6 }, outputs: 4 };
  }
}

/** The first recurrent layer with the width of its input, or null where that is not known yet. */
export function firstRecurrent(
  experiment: Experiment,
  sizes: ModelSizes | null = knownSizes(experiment),
): { index: number; layer: RecurrentLayer; inputSize: number } | null {
  const { layers } = experiment.model;
  const index = layers.findIndex(isRecurrent);
  const layer = layers[index];
  if (!layer || !isRecurrent(layer)) return null;
  const before = layers
    .slice(0, index)
    .findLast(({ type }) => type === 'embedding' || type === 'dense' || type === 'tcn');
  if (!sizes && !before) return null;
  const anything: ModelSizes = { input: { kind: 'tokens', vocabulary: 1 }, outputs: 1 };
  return { index, layer, inputSize: withWidths(layers, sizes ?? anything)[index]!.inputSize };
}
