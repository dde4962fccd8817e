// One module of a file of weights, in PyTorch's layout: gates i f g o and r z n, kernels (outputs, inputs).
import type { NamedTensor } from '../../../runs/safetensors.ts';

/** Of one direction; biases are null where the module has none. */
export interface RecurrentWeights {
  weightIh: NamedTensor;
  weightHh: NamedTensor;
  biasIh: NamedTensor | null;
  biasHh: NamedTensor | null;
}

/** A level of a recurrent module, or another module as a whole. */
export interface FoundModule {
  /** as the file names it */
  name: string;
  kind: string;
  /** of recurrent modules: forward, and backward where there are two */
  directions: RecurrentWeights[];
  /** of a GRU: where it resets; null where the file does not tell */
  form: 'after' | 'before' | null;
  /** of other modules: by our names */
  weights: ReadonlyMap<string, NamedTensor>;
  /** names in the file */
  tensors: readonly string[];
}

/** By the blocks of its matrices. */
const CELLS: Readonly<Record<number, string>> = { 1: 'rnn', 3: 'gru', 4: 'lstm' };

/** null: the shapes are those of no cell. */
export function recurrentModule(
  name: string,
  directions: RecurrentWeights[],
  form: FoundModule['form'],
  tensors: readonly string[],
): FoundModule | null {
  const [{ weightIh, weightHh }] = directions as [RecurrentWeights];
  const kind = CELLS[weightHh.shape[0]! / weightHh.shape[1]!];
  if (kind === undefined || weightIh.shape[0] !== weightHh.shape[0]) return null;
  return { name, kind, directions, form: kind === 'gru' ? form : null, weights: new Map(), tensors };
}

export function plainModule(
  name: string,
  kind: string,
  weights: [string, NamedTensor][],
  tensors: readonly string[],
): FoundModule {
  return { name, kind, directions: [], form: null, weights: new Map(weights), tensors };
}

/** "lstm_2" before "lstm_10". */
export function naturally(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

/** (rows, columns) as (columns, rows) */
export function turned({ shape: [rows = 0, columns = 0], data }: NamedTensor): NamedTensor {
  const result = new Float32Array(data.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      result[column * rows + row] = data[row * columns + column]!;
  return { shape: [columns, rows], data: result };
}
