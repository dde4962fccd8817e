// What the training loop sees of a model: named variables, one forward pass over whole sequences, and
// what the recurrent layers report on the way back. Layers are time-major: (seqLen, batch, features).
import type { Tensor, Tensor3D, Variable } from '@tensorflow/tfjs-core';
import type { Outputs } from '../engine/losses.ts';
import type { CellState } from './cell.ts';
import type { State, StateInfo } from './state.ts';
import type { StateMap } from './state-maps.ts';
import type { LevelInfo, Watch } from './watch.ts';

/** Token ids (seqLen, batch) int32, or numbers (seqLen, batch, features) float32. */
export type ModelInput = Tensor;

/** What a source has been read to: what attention looks at, and where recurrent layers begin. */
export interface Encoded {
  /** (source steps, batch, width); zero beyond a sequence's length */
  states: Tensor3D;
  lengths: Int32Array | null;
  /** after each sequence's last step, by recurrent level, with gradients; of two directions side by side */
  last: readonly CellState[];
}

export interface ForwardOptions {
  /** dropout on */
  training: boolean;
  /** counter of the dropout streams; equal steps drop equal units */
  step: number;
  /** valid steps of each sequence (batch); null: all seqLen */
  lengths: Int32Array | null;
  /** state to start in; null: each layer's own beginning */
  state: State | null;
  /** of models with an encoder */
  encoded?: Encoded | null;
  /** 'every-step' returns (seqLen, batch, width), 'last-step' (1, batch, width) taken at each sequence's last valid step; of a layer that reads backwards, at its first */
  outputs: 'every-step' | 'last-step';
  watch?: Watch | undefined;
  /** hears what a training pass saw of its batch; left out: nobody keeps it */
  observe?: ((seen: Observation) => void) | undefined;
  /** keys and values of the steps read before are kept in the state; of passes without gradients, on sequences that begin together */
  caching?: boolean;
  /** the time step of the sequence at which the input begins, for the watch; left out: 0 */
  from?: number;
}

/** What a batch says of a statistic, whose new value is (1 - share) · old + share · values. */
export interface Observation {
  /** of the variable */
  name: string;
  share: number;
  values: Float32Array;
}

export interface ForwardResult<O extends Outputs = Tensor3D> {
  outputs: O;
  /** after each sequence's last valid step, copied out */
  state: State;
}

export interface Model {
  /** by name, sorted: "layers.1.weight_ih_l0" … in PyTorch's layouts and gate order */
  readonly variables: ReadonlyMap<string, Variable>;
  /** names of those that no gradient changes */
  readonly statistics: ReadonlySet<string>;
  /**
   * What has a row in the gradient heatmap, in the order of the layers: every recurrent level, and every other layer
   * whose output depends on a variable. A final dense layer without activation has none: its row would be ∂L/∂outputs,
   * which the loss takes along with the layer and never stores.
   */
  readonly levels: readonly LevelInfo[];
  /**
   * null: a sequence may be read in parts, its states carried on. A number: some layer keeps no state, so that as many
   * of the newest steps, those of a training sequence, are to be read at once.
   */
  readonly context: number | null;
  /** steps after which no learned position is left, so that no longer sequence is read as one; null: there is no end */
  readonly lastPosition: number | null;
  /** of all layers that have some, the encoder's included */
  readonly maps: readonly StateMap[];
  /** whether the newest steps, up to `context`, may be read one after the other with `caching` */
  readonly caches: boolean;
  /** what is carried from step to step where it reads in parts */
  readonly states: readonly StateInfo[];
  /** Reads a source, on the tape of whoever calls. */
  encode(
    source: ModelInput,
    options: Pick<ForwardOptions, 'training' | 'step' | 'lengths' | 'watch' | 'observe'>,
  ): Encoded;
  forward(input: ModelInput, options: ForwardOptions): ForwardResult;
  /** The same for a loss, to which a last dense layer without activation is left. */
  forwardToLoss(input: ModelInput, options: ForwardOptions): ForwardResult<Outputs>;
  dispose(): void;
}

export type { ModelSizes } from '../../experiment/sizes.ts';
