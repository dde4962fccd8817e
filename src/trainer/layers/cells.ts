// The cells an experiment can name. A new cell is its file and a line here (and its fields in the schema).
import type { Convention, RecurrentLayer } from '../../experiment/schema.ts';
import type { Cell } from './cell.ts';
import { gruCell } from './gru.ts';
import { lstmCell } from './lstm.ts';
import { rnnCell } from './rnn.ts';

type CellMaker<L extends RecurrentLayer> = (layer: L, convention: Convention) => Cell;

const makers: { [Name in RecurrentLayer['type']]: CellMaker<Extract<RecurrentLayer, { type: Name }>> } = {
  rnn: rnnCell,
  lstm: lstmCell,
  gru: gruCell,
};

export function makeCell(layer: RecurrentLayer, convention: Convention): Cell {
  return (makers[layer.type] as CellMaker<RecurrentLayer>)(layer, convention);
}
