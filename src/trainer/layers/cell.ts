// What a recurrent cell is: its gates, its initial biases, and one time step in plain tensor operations. The step
// is the definition: documentation, fallback and test of the fused kernel beside it. The runner (recurrent.ts)
// owns time, lengths and states. A new cell is a file with a `Cell`, and a line in cells.ts.
import { add, matMul, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';
import type { Convention, RecurrentLayer } from '../../experiment/schema.ts';
import type { RecurrentCell } from '../engine/provider.ts';
import type { RandomStream } from '../random.ts';

/** (B, H) each; c only for cells that have one. */
export interface CellState {
  h: Tensor2D;
  c?: Tensor2D;
}

export interface CellWeights {
  /** (G·H, H) */
  weightHh: Tensor2D;
  /** (G·H) */
  biasHh: Tensor1D | null;
}

export interface Cell {
  readonly name: RecurrentLayer['type'];
  /** as they are stacked in the weights and reported; empty for a cell without gates */
  readonly gates: readonly string[];
  readonly hasCellState: boolean;
  /** whether bias_hh exists beside bias_ih */
  readonly twoBiases: boolean;
  /** the provider's kernel of the whole sequence; null: there is none, and the steps below run */
  readonly fused: RecurrentCell | null;
  /** Sets initial biases that the cell treats specially, in place; biases (G·H). */
  adjustBiases?(biasIh: Float32Array, biasHh: Float32Array | null, units: number, random: RandomStream): void;
  /** One step. `input` (B, G·H) is W_ih x_t + b_ih. */
  step(input: Tensor2D, state: CellState, weights: CellWeights): CellState;
}

/** Keras and tfjs have one bias, PyTorch two. */
export function hasTwoBiases(convention: Convention): boolean {
  return convention === 'pytorch';
}

/** h W_hhᵀ + b_hh: (B, G·H). */
export function recurrentProduct(h: Tensor2D, { weightHh, biasHh }: CellWeights): Tensor2D {
  const product: Tensor2D = matMul(h, weightHh, false, true);
  return biasHh ? add<Tensor2D>(product, biasHh) : product;
}
