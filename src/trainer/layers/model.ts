// What the training loop sees of a model: named variables, one forward pass over whole sequences, and
// what the recurrent layers report on the way back. Layers are time-major: (seqLen, batch, features).
import type { Tensor, Tensor3D, Variable } from '@tensorflow/tfjs-core';
import type { CellName } from '../../experiment/schema.ts';
import type { RecurrentReport } from '../engine/kernels/recurrent.ts';
import type { Outputs } from '../engine/losses.ts';

export type { RecurrentReport };

/** Token ids (seqLen, batch) int32, or numbers (seqLen, batch, features) float32. */
export type ModelInput = Tensor;

/** Per recurrent layer of the model: h, and c for an LSTM, each (batch, units), as plain arrays the loop can keep and save. */
export interface LayerState {
  h: Float32Array;
  c?: Float32Array;
}

/**
 * One recurrent layer as the probes name it, outermost stack first: "layers.1.0" is layer 1 of the experiment, stack
 * level 0. Of a bidirectional layer each direction is one, "layers.1.0" and after it "layers.1.0-reverse"; the latter
 * reports its steps in the order it reads them, so that the last one is always the newest.
 */
export interface RecurrentInfo {
  name: string;
  cell: CellName;
  units: number;
  inputSize: number;
  /** names of the gates in the order they are reported; empty for a simple RNN: LSTM i f g o, GRU r z n */
  gates: readonly string[];
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
  /** called once per recurrent layer during the backward pass; leave out to skip the reports */
  onRecurrent?: (index: number, report: RecurrentReport) => void;
  /**
   * called for each layer of the experiment ("layers.1"), in order, with its output: to look at then, not to keep. It is
   * a function since a layer that is left to the loss is applied only for those who look.
   */
  onLayer?: (name: string, output: () => Tensor) => void;
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
