// Parameter counts, always in a named convention: one bias per gate (textbook, tfjs, Keras but its GRU) or two (PyTorch,
// and Keras's GRU with the reset gate after the product). Each kind counts itself: layers/.
import type { Convention } from './convention.ts';
import { resetsAfter } from './layers/gru.ts';
import { CLASSIC_CELLS, kindOf, type Layer, type LayerType } from './layers/index.ts';
import type { At, Count } from './layers/kind.ts';
import { knownSizes, type PlacedLayer, placeLayers, UNREAD } from './models.ts';
import { type Experiment, isRecurrent, type RecurrentLayer } from './schema.ts';
import { type ModelSizes, widthOf } from './sizes.ts';
import { switchCell } from './switch-cell.ts';

export interface LayerCount {
  name: string;
  type: string;
  count: number;
  formula: string;
}

/** Counts of every layer of the experiment, named by their place in the model. */
export function countModel(
  experiment: Experiment,
  sizes: ModelSizes,
): { total: number; layers: LayerCount[] } {
  const layers = placeLayers(experiment, sizes).map(({ name, layer, kind, at }) => {
    const { count, formula } = kind.parameters(layer, at);
    return { name, type: layer.type, count, formula };
  });
  return { total: layers.reduce((sum, { count }) => sum + count, 0), layers };
}

export interface CellCount extends Count {
  type: LayerType;
  title: string;
  /** null for a kind that takes its input's width */
  units: number | null;
}

/** What the layer counts in its place if it were of this type, its other fields kept where that type has them. */
export function countAs({ layer, at }: Pick<PlacedLayer, 'layer' | 'at'>, type: LayerType, units?: number) {
  const other = switchCell(layer, type, at.inputs);
  const sized = units === undefined || !('units' in other) ? other : { ...other, units };
  return cellCount(sized as Layer, at);
}

function cellCount(layer: Layer, at: At): CellCount {
  const kind = kindOf(layer);
  const outputs = kind.width(layer, { inputs: at.inputs, isLast: at.isLast, asked: at.outputs });
  const units = 'units' in layer && typeof layer.units === 'number' ? layer.units : null;
  return { type: layer.type, title: kind.title, units, ...kind.parameters(layer, { ...at, outputs }) };
}

/** The types of a table of counts: the cells that everyone knows, and the layer's own. */
export function comparedTypes(own: LayerType): LayerType[] {
  return CLASSIC_CELLS.includes(own) ? CLASSIC_CELLS : [...CLASSIC_CELLS, own];
}

/**
 * The most units whose count stays within `budget`; at least 1. RNN 271 and GRU 150 for an LSTM of 128 on 32 inputs.
 * null: this kind takes the width of its input.
 */
export function equalUnits(
  placed: Pick<PlacedLayer, 'layer' | 'at'>,
  type: LayerType,
  budget: number,
): number | null {
  if (countAs(placed, type).units === null) return null;
  return mostWithin(budget, units => countAs(placed, type, units).count);
}

function mostWithin(budget: number, countOf: (units: number) => number): number {
  let low = 1;
  let high = 2;
  while (countOf(high) <= budget) high *= 2;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (countOf(middle) <= budget) low = middle;
    else high = middle;
  }
  return low;
}

// -------- a cell outside of any experiment, as code in a framework has it

export type CellName = 'rnn' | 'gru' | 'lstm';
export const CELLS: readonly CellName[] = ['rnn', 'gru', 'lstm'];

export interface RecurrentShape {
  cell: CellName;
  inputSize: number;
  units: number;
  layers?: number;
  directions?: 1 | 2;
  convention: Convention;
  /** GRU only; default: what the convention does */
  resetAfter?: boolean | undefined;
}

export interface RecurrentCount {
  total: number;
  input: number;
  recurrent: number;
  bias: number;
  formula: string;
}

/** Such a cell as a layer in its place. */
export function placedCell(shape: RecurrentShape): Pick<PlacedLayer, 'layer' | 'at' | 'kind'> {
  const { cell, inputSize, units, layers = 1, directions = 1, convention, resetAfter } = shape;
  const fields = {
    units,
    layers,
    bidirectional: directions === 2,
    ...(cell === 'gru' ? { resetAfter } : {}),
  };
  const layer = { type: cell, dropout: 0, recurrentInit: 'default', ...fields } as Layer;
  const outputs = directions * units;
  return {
    layer,
    kind: kindOf(layer),
    at: { index: 0, isLast: false, inputs: inputSize, outputs, steps: 1, memory: null, convention },
  };
}

export function countRecurrent(shape: RecurrentShape): RecurrentCount {
  const { layer, kind, at } = placedCell(shape);
  const { count, formula, parts } = kind.parameters(layer, at);
  return { total: count, formula, ...parts! };
}

// -------- to go: what stands on three cells

export { resetsAfter } from './layers/gru.ts';
export { hiddenOf } from './layers/transformer.ts';
export { knownSizes, trainingSeqLen } from './models.ts';
export type { ModelSizes } from './sizes.ts';

export function unitsForEqualParameters(
  shape: Omit<RecurrentShape, 'units'> & { units?: number },
  budget: number,
): number {
  return mostWithin(budget, units => countRecurrent({ ...shape, units }).total);
}

export function biasesPerGate(cell: CellName, convention: Convention, resetAfter?: boolean): 1 | 2 {
  if (convention === 'pytorch') return 2;
  return cell === 'gru' && resetsAfter(convention, resetAfter) ? 2 : 1;
}

export function shapeOf(layer: RecurrentLayer, inputSize: number, convention: Convention): RecurrentShape {
  return {
    cell: layer.type,
    inputSize,
    units: layer.units,
    layers: layer.layers,
    directions: layer.bidirectional ? 2 : 1,
    convention,
    resetAfter: layer.type === 'gru' ? layer.resetAfter : undefined,
  };
}

export function withWidths(layers: readonly Layer[], sizes: ModelSizes) {
  let width = widthOf(sizes.input);
  return layers.map((layer, index) => {
    const inputSize = width;
    const isLast = index === layers.length - 1;
    width = kindOf(layer).width(layer, { inputs: width, isLast, asked: sizes.outputs });
    return { layer, inputSize, outputSize: width };
  });
}

export function firstRecurrent(experiment: Experiment, sizes: ModelSizes | null = knownSizes(experiment)) {
  const { layers } = experiment.model;
  const index = layers.findIndex(isRecurrent);
  const layer = layers[index];
  if (!layer || !isRecurrent(layer)) return null;
  const { inputSize } = withWidths(layers, sizes ?? UNREAD)[index]!;
  return Number.isNaN(inputSize) ? null : { index, layer, inputSize };
}
