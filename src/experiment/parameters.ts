// Parameter counts, always in a named convention: one bias per gate (textbook, tfjs, Keras but its GRU) or two (PyTorch,
// and Keras's GRU with the reset gate after the product). Each kind counts itself: layers/.
import { CLASSIC_CELLS, kindOf, type Layer, type LayerType } from './layers/index.ts';
import type { At, Count } from './layers/kind.ts';
import { type PlacedLayer, placeLayers } from './models.ts';
import type { Experiment } from './schema.ts';
import type { ModelSizes } from './sizes.ts';
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
