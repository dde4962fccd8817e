// What a layer is to the model: built once from its description, then a function of tensors.
import type { Tensor, Tensor3D, Variable } from '@tensorflow/tfjs-core';
import type { Convention } from '../../experiment/schema.ts';
import type { DenseHead } from '../engine/kernels/dense-cross-entropy.ts';
import type { RecurrentReport } from '../engine/kernels/recurrent.ts';
import type { LossHead } from '../engine/losses.ts';
import type { CellState } from './cell.ts';
import type { Initializer } from './initial.ts';
import type { Encoded, ForwardOptions } from './model.ts';
import type { StateInfo } from './state.ts';
import type { StateMap } from './state-maps.ts';
import type { LevelInfo } from './watch.ts';

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
  /** place in its chain, and its name, "layers.<index>" or "encoder.<index>" */
  index: number;
  name: string;
  isLast: boolean;
  seed: number;
  /** steps that reach it of a training sequence */
  seqLen: number;
  convention: Convention;
  input: Flow;
  /** width the task asks of the last layer */
  outputs: number;
  /** width of the encoder's states; null where there is no encoder, and inside of it */
  memory: number | null;
  /** width of the encoder's last state that each recurrent level begins in; null: there is none */
  begins: readonly (number | null)[];
  /** the matrix (vocabulary, width) of the chain's embedding; null: there is none before this layer */
  embedding: Variable | null;
  /** the last layer shares the embedding's matrix */
  sharesEmbedding: boolean;
  /** Makes the variable "<name>.<suffix>". */
  variable(suffix: string, shape: number[], initializer: Initializer): Variable;
  /** The same of one that no gradient changes: it stays as it begins, or the layer tells a pass what it has seen. */
  statistic(suffix: string, shape: number[], initializer: Initializer): Variable;
}

/** One forward pass, as the layers see it. */
export interface Pass {
  /** `lengths`: of what reaches the layer */
  options: Pick<ForwardOptions, 'training' | 'step' | 'lengths' | 'watch' | 'from' | 'observe' | 'caching'>;
  /** the part of this name of the state that the pass begins in, (batch, …); null: the layer's own beginning */
  state(name: string): Float32Array | null;
  /** Hands a part of the state on to the next pass. */
  keep(name: string, values: Float32Array): void;
  /** where the watch hears of a level's backward pass; undefined: nobody looks */
  report(level: string): ((report: RecurrentReport) => void) | undefined;
  /** of models with an encoder, in the chain that gives the outputs */
  encoded: Encoded | null;
  /** Called by each recurrent level in turn: the encoder's last state of the level at the same place; null: there is none. */
  nextEncoded(): CellState | null;
  /** Called by each recurrent level of an encoder in turn with its last state, with gradients; null in other passes. */
  handOn: ((last: CellState) => void) | null;
  /** only the outputs at the ends of the sequences are asked for; those that cannot be cut out are given as (1, B, …) */
  endsOnly: boolean;
}

export interface BuiltLayer {
  output: Flow;
  /** the second half of the outputs has read its sequence from the end: its last state stands at the first step */
  bidirectional?: boolean;
  /** gives (1, B, features) in a pass that asks for the ends only */
  givesEnds?: boolean;
  /** rows of its own in the pictures of a run; left out: the layer as a whole has one */
  levels?: readonly LevelInfo[];
  /** the linear maps in its recurrence that do not depend on its input; left out: none */
  maps?: readonly StateMap[];
  /** what it carries from step to step; none: nothing */
  states?: readonly StateInfo[];
  /** carries no state, but may keep what it has made of earlier steps where a pass asks for it (`caching`) */
  caches?: boolean;
  /** x (T, B, features); for an embedding (T, B) token ids */
  forward(x: Tensor, pass: Pass): Tensor3D;
  /** of an embedding: its matrix, which a later layer may share */
  table?: Variable;
  /** of a layer that a loss may apply */
  head?(x: Tensor): DenseHead | LossHead;
}
