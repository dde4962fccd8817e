// The part of a provider that runs recurrent cells with what their fields change: peepholes, layer norm, masks. Where it is
// missing, the cells' own steps run (layers/recurrent.ts). Legend of shapes and rules: provider.ts.
import type { RecurrentCell, RecurrentReportOut } from './cells.ts';
import type { IntSlice, Slice } from './slices.ts';

/** All but `gru-reset-before`; `s-lstm` (layers/s-lstm.ts) has gates i f z o, and c, n and m side by side as its cell state. */
export type VariantCell = RecurrentCell | 's-lstm';

/** Numbers of a unit in the cell state, 0: none, and those that the backward pass reads of its gates. */
export function variantSizes(cell: VariantCell): { cellStates: number; slots: number; blocks: number } {
  if (cell === 's-lstm') return { cellStates: 3, slots: 5, blocks: 4 };
  const blocks = cell === 'lstm' ? 4 : cell.startsWith('gru') ? 3 : 1;
  return { cellStates: cell === 'lstm' ? 1 : 0, slots: blocks === 1 ? 1 : 4, blocks };
}

export interface VariantShape {
  readonly cell: VariantCell;
  readonly seqLen: number;
  readonly batch: number;
  readonly hiddenSize: number;
  readonly reverse: boolean;
}

/** What forward and backward share; null: left out. Masks are 0 or 1 / (1 - rate). */
export interface VariantCall {
  readonly shape: VariantShape;
  /** (G·H, H) */
  readonly weightHh: Slice;
  /** (G·H) of a GRU; the biases of the others are in what is projected */
  readonly biasHh: Slice | null;
  readonly lengths: IntSlice | null;
  /** (B, H) */
  readonly h0: Slice | null;
  /** (B, cellStates·H) */
  readonly c0: Slice | null;
  /** (3·H): of i, f, o; LSTM only, as the next three */
  readonly peephole: Slice | null;
  /** (3, 4·H): gains of W_hh h and of W_ih x, then the biases */
  readonly gains: Slice | null;
  /** (H) each; all three norms or none */
  readonly gainCell: Slice | null;
  readonly biasCell: Slice | null;
  /** (B, H) */
  readonly stateMask: Slice | null;
  /** (T, B, H) each */
  readonly updateMask: Slice | null;
  readonly zoneoutH: Slice | null;
  readonly zoneoutC: Slice | null;
  /** the rate; where there are no masks its expectation is taken */
  readonly zoneout: number;
}

/** Kept for the way back; null: none will follow. */
export interface VariantForward extends VariantCall {
  /** (T, B, G·H): W_ih x + b; where there are norms W_ih x, which the steps normalise */
  readonly projected: Slice;
  readonly y: Slice;
  readonly hN: Slice;
  readonly cN: Slice | null;
  /** (T, B, slots·H) */
  readonly gates: Slice | null;
  /** (T, B, cellStates·H): c_t, of sLSTM c, n and m */
  readonly cells: Slice | null;
  /** (T, B, H): what the recurrent product reads, so that dW_hh = dHiddenᵀ · read */
  readonly read: Slice | null;
  /** (T, B, 4·H + 3); where there are norms */
  readonly normed: Slice | null;
}

export interface VariantBackward extends VariantCall {
  /** read where there are norms */
  readonly projected: Slice;
  readonly y: Slice;
  readonly gates: Slice;
  readonly cells: Slice | null;
  readonly normed: Slice | null;
  readonly dy: Slice;
  readonly dhN: Slice | null;
  readonly dcN: Slice | null;
  /** (T, B, G·H) of the projected inputs */
  readonly dProjected: Slice;
  /** (T, B, G·H) of the recurrent product; the same place but for a GRU and with norms */
  readonly dHidden: Slice;
  readonly dPeephole: Slice | null;
  readonly dGains: Slice | null;
  readonly dGainCell: Slice | null;
  readonly dBiasCell: Slice | null;
  readonly dh0: Slice | null;
  readonly dc0: Slice | null;
  readonly report: RecurrentReportOut | null;
}

export interface VariantOperations {
  variantForward(call: VariantForward): void;
  variantBackward(call: VariantBackward): void;
}

/** What of VariantCall changes an LSTM inside of a step alone, so that its fused passes take it along. */
export type LstmFields = Pick<VariantCall, 'peephole' | 'updateMask' | 'zoneoutH' | 'zoneoutC' | 'zoneout'>;
