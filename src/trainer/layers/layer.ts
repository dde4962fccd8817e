// What a layer is to the model: built once from its description, then a function of tensors.
import type { Tensor, Tensor3D, Variable } from '@tensorflow/tfjs-core';
import type { Convention } from '../../experiment/schema.ts';
import type { DenseHead } from '../engine/kernels/dense-cross-entropy.ts';
import type { RecurrentReport } from '../engine/kernels/recurrent.ts';
import type { Initializer } from './initial.ts';
import type { ForwardOptions, LayerState, RecurrentInfo } from './model.ts';

/** What flows between layers: numbers (T, B, features), or at the very start token ids (T, B). */
export interface Flow {
  kind: 'tokens' | 'vectors';
  /** vocabulary or features */
  width: number;
  /** whether it depends on a variable, so that a gradient with respect to it is needed */
  learned: boolean;
}

/** Where a layer is built. */
export interface Place {
  /** place in experiment.model.layers, and its name, "layers.<index>" */
  index: number;
  name: string;
  isLast: boolean;
  seed: number;
  /** steps of a training sequence */
  seqLen: number;
  convention: Convention;
  input: Flow;
  /** width the task asks of the last layer */
  outputs: number;
  /** Makes the variable "<name>.<suffix>". */
  variable(suffix: string, shape: number[], initializer: Initializer): Variable;
}

/** Of one recurrent level in a forward pass: the state to start in, and where the watch hears of it. */
export interface LevelPass {
  state: LayerState | null;
  report: ((report: RecurrentReport) => void) | undefined;
}

/** One forward pass, as the layers see it. */
export interface Pass {
  options: ForwardOptions;
  /** called by recurrent levels in the order of their `RecurrentInfo` */
  nextRecurrent(): LevelPass;
  keepState(state: LayerState): void;
}

export interface BuiltLayer {
  output: Flow;
  /** the second half of the outputs has read its sequence from the end: its last state stands at the first step */
  bidirectional?: boolean;
  recurrent: readonly RecurrentInfo[];
  /** x (T, B, features); for an embedding (T, B) token ids */
  forward(x: Tensor, pass: Pass): Tensor3D;
  /** of a layer that a loss may apply */
  head?(x: Tensor): DenseHead;
}
