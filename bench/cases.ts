// What is measured: shapes and cells of the 18 cases, the further models, and the arithmetic of a step.

export const CELLS = ['lstm', 'gru', 'rnn'] as const;

export type Cell = (typeof CELLS)[number];

/** Input features, hidden units, steps, sequences, classes. */
export type Shape = readonly [I: number, H: number, T: number, B: number, O: number];

export const SHAPES: readonly Shape[] = [
  [32, 32, 100, 32, 10],
  [64, 64, 200, 64, 10],
  [64, 128, 64, 32, 65],
  [128, 256, 64, 32, 65],
  [256, 512, 35, 20, 1000],
  [1, 128, 784, 64, 10],
];

export interface Case {
  cell: string;
  shape: Shape;
  recording?: boolean;
  /** of truncated BPTT */
  window?: number;
  /** the recurrent layer alone, forward and backward, with the gradient of its input */
  part?: 'layer';
}

export const CASES: readonly Case[] = SHAPES.flatMap(shape => CELLS.map(cell => ({ cell, shape })));

export const MODEL_SHAPE: Shape = [64, 128, 128, 32, 10];

export const MODELS = ['bidirectional-lstm', 'transformer', 'tcn', 'conv1d', 'wavenet'] as const;

/** Of layers of linear and exponential recurrences. */
export const RECURRENCE_SHAPE: Shape = [64, 128, 512, 16, 10];

/** Each beside PyTorch's own LSTM of the same size. */
export const LSTM_VARIANTS = [
  'lstm',
  'lstm-peephole',
  'lstm-layer-norm',
  'lstm-zoneout',
  'lstm-recurrent-dropout',
] as const;

const GATES: Readonly<Record<Cell, number>> = { lstm: 4, gru: 3, rnn: 1 };

export function gateBlocksOf(cell: Cell): number {
  return GATES[cell];
}

/**
 * Floating-point operations of a training step of one recurrent layer and the dense layer: three products of the
 * forward pass's size, two operations each. The gradient of the input is counted as one of them, as is usual, though
 * nobody asks for it here: `needed` leaves it out.
 */
export function operationsOf(cell: Cell, [I, H, T, B, O]: Shape): { usual: number; needed: number } {
  const rows = T * B;
  const gates = GATES[cell] * H;
  const usual = 6 * rows * (gates * (I + H) + H * O);
  return { usual, needed: usual - 2 * rows * gates * I };
}

export function nameOf({ cell, shape }: Pick<Case, 'cell' | 'shape'>): string {
  return `${cell} ${shape.join(' ')}`;
}
