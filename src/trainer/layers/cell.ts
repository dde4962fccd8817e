// What a recurrent cell is: its gates, its initial biases, and one time step in plain tensor operations. The step
// is the definition: documentation, fallback and test of the fused kernel beside it. The runner (recurrent.ts)
// owns time, lengths and states. A new cell is a file with a `Cell`, and a line in cells.ts.
import {
  add,
  div,
  matMul,
  mean,
  mul,
  sqrt,
  square,
  sub,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
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
  /** LSTM only, (H) for each gate: what the gates read of the cell state */
  peephole?: Tensor1D | null;
  norms?: CellNorms | null;
}

/** Of an LSTM with layer norm inside. The biases of the cell stand for those of the first two norms. */
export interface CellNorms {
  /** (G·H) gains of W_ih x and W_hh h */
  input: Tensor1D;
  hidden: Tensor1D;
  /** (H) gain and bias of c before its tanh */
  cellWeight: Tensor1D;
  cellBias: Tensor1D;
}

/** (B, H) each, 0 or 1 / (1 - rate); null: nothing is dropped. */
export interface StepMasks {
  /** of the state that the recurrent product reads */
  read: Tensor2D | null;
  /** of what the step adds to its memory */
  update: Tensor2D | null;
}

export const NO_MASKS: StepMasks = { read: null, update: null };

export interface Cell {
  readonly name: RecurrentLayer['type'];
  /** as they are stacked in the weights and reported; empty for a cell without gates */
  readonly gates: readonly string[];
  /** blocks of its weights, where they are not one for each gate */
  readonly blocks?: number;
  readonly hasCellState: boolean;
  /** whether bias_hh exists beside bias_ih */
  readonly twoBiases: boolean;
  /** the provider's kernel of the whole sequence; null: there is none, and the steps below run */
  readonly fused: RecurrentCell | null;
  /** Sets initial biases that the cell treats specially, in place; biases (G·H). */
  adjustBiases?(biasIh: Float32Array, biasHh: Float32Array | null, units: number, random: RandomStream): void;
  /** A weight or bias (G·H, …) as the fused kernel has it; left out: as it is. */
  forKernel?<T extends Tensor2D | Tensor1D>(weight: T, units: number): T;
  /** One step. `input` (B, G·H) is W_ih x_t + b_ih, with layer norm N(W_ih x_t) + b_ih. */
  step(input: Tensor2D, state: CellState, weights: CellWeights, masks: StepMasks): CellState;
}

/** Blocks of H rows in its weights. */
export function blocksOf({ blocks, gates }: Pick<Cell, 'blocks' | 'gates'>): number {
  return blocks ?? Math.max(1, gates.length);
}

/** Keras and tfjs have one bias, PyTorch two. */
export function hasTwoBiases(convention: Convention): boolean {
  return convention === 'pytorch';
}

/** h W_hhᵀ + b_hh: (B, G·H). */
export function recurrentProduct(h: Tensor2D, { weightHh, biasHh, norms }: CellWeights): Tensor2D {
  const plain: Tensor2D = matMul(h, weightHh, false, true);
  const product = norms ? (mul(normalised(plain), norms.hidden) as Tensor2D) : plain;
  return biasHh ? add<Tensor2D>(product, biasHh) : product;
}

/** of norms inside of a cell */
export const EPSILON = 1e-5;

/** Each row less its mean, divided by its deviation: J. L. Ba et al., 2016, https://arxiv.org/abs/1607.06450. */
export function normalised(x: Tensor2D): Tensor2D {
  const centred = sub(x, mean(x, 1, true));
  return div(centred, sqrt(add(mean(square(centred), 1, true), EPSILON)));
}

/** x ⊙ mask */
export function masked(x: Tensor2D, mask: Tensor2D | null): Tensor2D {
  return mask ? mul(x, mask) : x;
}
