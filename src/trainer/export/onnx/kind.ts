// The interface of a layer's form in ONNX.
import type { LayerOf, LayerType } from '../../../experiment/layers/index.ts';
import type { At } from '../../../experiment/layers/kind.ts';
import type { NamedTensor } from '../../../runs/safetensors.ts';
import type { GraphBuilder } from './graph-builder.ts';

export interface Made<T extends LayerType> {
  layer: LayerOf<T>;
  at: At;
  /** a weight of the layer by its name within it, such as "weight_ih_l0"; null where it has none */
  weight(name: string): NamedTensor | null;
  /** of a model with an encoder */
  paired?: Paired;
}

/** Names of what a layer of an encoder, or of one step of a decoder, reads and gives beside its sequence. */
export interface Paired {
  /** steps of each source, (batch) int32; null: all sequences have the same */
  lengths: string | null;
  /** (steps, batch) bool: the steps of a source that are inside of it; null: all are */
  inside: string | null;
  /** the encoder's outputs, (source steps, batch, width), with `inside` of them; null for the encoder's own layers */
  memory: { states: string; inside: string } | null;
  /** (batch, units) each in which a level begins; null: zeros */
  begin(level: number): CellNames | null;
  /** hears a level's last state, (batch, units) each, of two directions side by side */
  end(level: number, state: CellNames): void;
  /** of a decoder's layer whose state is no cell's: the state before its steps, and where the one behind them goes */
  carry(part: string): { before: string; after(state: string): void } | null;
}

/** A state of a decoder's layer that is no cell's, (batch, size). */
export interface Carried {
  /** "tail", as in the run's "layers.1.tail" */
  part: string;
  /** numbers of one sequence, or a number for each step of the source */
  size: number | 'source_steps';
  /** the layer reads one step at a time */
  isSingle?: boolean;
}

export interface CellNames {
  h: string;
  c?: string;
}

export interface OnnxLayer<T extends LayerType> {
  /** what its fields ask for and ONNX has not, in words; null: nothing */
  lacks?(layer: LayerOf<T>, at: At): string | null;
  /** of a decoder's layer whose state is no cell's; missing: it has no form of single steps */
  carried?(layer: LayerOf<T>, at: At): Carried[];
  /** Adds its nodes. `x`: (steps, batch, inputs), or symbol ids. @returns the name of its output */
  build(graph: GraphBuilder, x: string, made: Made<T>): string;
}
