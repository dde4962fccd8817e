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
}

export interface OnnxLayer<T extends LayerType> {
  /** what its fields ask for and ONNX has not, in words; null: nothing */
  lacks?(layer: LayerOf<T>, at: At): string | null;
  /** Adds its nodes. `x`: (steps, batch, inputs), or symbol ids. @returns the name of its output */
  build(graph: GraphBuilder, x: string, made: Made<T>): string;
}
