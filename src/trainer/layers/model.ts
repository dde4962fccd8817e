// What the training loop sees of a model: named variables, one forward pass over whole sequences, and
// what the recurrent layers report on the way back. Layers are time-major: (seqLen, batch, features).
import type { Tensor, Tensor3D, Variable } from '@tensorflow/tfjs-core';
import type { CellName } from '../../experiment/schema.ts';
import type { Outputs } from '../engine/losses.ts';
import type { LevelInfo, Watch } from './watch.ts';

/** Token ids (seqLen, batch) int32, or numbers (seqLen, batch, features) float32. */
export type ModelInput = Tensor;

/** Per recurrent layer of the model: h, and c for an LSTM, each (batch, units), as plain arrays the loop can keep and save. */
export interface LayerState {
  h: Float32Array;
  c?: Float32Array;
}

/**
 * A level that carries a state, outermost stack first: "layers.1.0" is layer 1 of the experiment, stack level 0. Of a
 * bidirectional layer each direction is one, "layers.1.0" and after it "layers.1.0-reverse"; the latter tells its steps
 * in the order it reads them, so that the last one is always the newest.
 */
export interface RecurrentInfo extends LevelInfo {
  cell: CellName;
  inputSize: number;
}

export interface ForwardOptions {
  /** dropout on */
  training: boolean;
  /** counter of the dropout streams; equal steps drop equal units */
  step: number;
  /** valid steps of each sequence (batch); null: all seqLen */
  lengths: Int32Array | null;
  /** state to start in, one per recurrent layer; null: zeros */
  state: LayerState[] | null;
  /** 'every-step' returns (seqLen, batch, width), 'last-step' (1, batch, width) taken at each sequence's last valid step; of a layer that reads backwards, at its first */
  outputs: 'every-step' | 'last-step';
  watch?: Watch | undefined;
  /** the time step of the sequence at which the input begins, for the watch; left out: 0 */
  from?: number;
}

export interface ForwardResult<O extends Outputs = Tensor3D> {
  outputs: O;
  /** state after each sequence's last valid step, copied out */
  state: LayerState[];
}

export interface Model {
  /** by name, sorted: "layers.1.weight_ih_l0" … in PyTorch's layouts and gate order */
  readonly variables: ReadonlyMap<string, Variable>;
  readonly recurrent: readonly RecurrentInfo[];
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
  forward(input: ModelInput, options: ForwardOptions): ForwardResult;
  /** The same for a loss, to which a last dense layer without activation is left. */
  forwardToLoss(input: ModelInput, options: ForwardOptions): ForwardResult<Outputs>;
  dispose(): void;
}

/** What the task asks of a model. */
export interface ModelSizes {
  input: { kind: 'tokens'; vocabulary: number } | { kind: 'vectors'; features: number };
  outputs: number;
}
