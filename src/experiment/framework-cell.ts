// A recurrent layer as code in a framework has it, outside of any experiment. The frameworks have these three.
import type { Convention } from './convention.ts';
import { kindOf, type Layer } from './layers/index.ts';
import type { PlacedLayer } from './models.ts';

export type CellName = 'rnn' | 'gru' | 'lstm';

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
