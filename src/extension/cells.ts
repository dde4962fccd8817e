// The names and signs of the three kinds of cell, as everywhere in Unroll.
import type { CellName } from '../experiment/schema.ts';

const NAMES: Readonly<Record<CellName, string>> = { rnn: 'RNN', gru: 'GRU', lstm: 'LSTM' };

export function cellName(cell: CellName): string {
  return NAMES[cell];
}

/** Theme colours contributed in package.json. */
export function cellColor(cell: CellName): string {
  return `unroll.${cell}`;
}
