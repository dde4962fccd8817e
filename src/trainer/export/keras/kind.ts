// The interface of a layer's form in Keras, which TensorFlow.js shares.
import type { LayerOf, LayerType } from '../../../experiment/layers/index.ts';
import type { At } from '../../../experiment/layers/kind.ts';
import type { NamedTensor } from '../../../runs/safetensors.ts';
import type { KerasGraph, Target } from './graph.ts';

export interface Made<T extends LayerType> {
  layer: LayerOf<T>;
  at: At;
  /** a weight of the layer by its name within it, such as "weight_ih_l0"; null where it has none */
  weight(name: string): NamedTensor | null;
  /** only what its last level says at the ends of its directions is read, without a time axis */
  endsOnly: boolean;
  /** of a model with an encoder */
  paired?: KerasPaired;
}

export interface KerasPaired {
  /** which steps are inside of their sequence; null: all are */
  mask: string | null;
  /** states in which a level begins; null: zeros */
  begin(level: number): readonly string[] | null;
  /** hears which layer gives a level's last states */
  end(level: number, layer: string): void;
}

export interface KerasLayer<T extends LayerType> {
  /** what its fields ask for and the target has not, in words; null: nothing */
  lacks?(layer: LayerOf<T>, target: Target, at: At): string | null;
  /** Adds its layers. `x`: the layer whose output it reads, (batch, steps, inputs). @returns the last of its own */
  build(graph: KerasGraph, x: string, made: Made<T>): string;
}
