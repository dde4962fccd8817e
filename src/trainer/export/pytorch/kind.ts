// The interface of a layer's form in PyTorch.

import type { LayerOf, LayerType } from '../../../experiment/layers/index.ts';
import type { At } from '../../../experiment/layers/kind.ts';
import type { PlacedLayer } from '../../../experiment/models.ts';
import type { NamedTensor } from '../../../runs/safetensors.ts';

export interface PyTorchLayer<T extends LayerType> {
  /** the module's constructor call, such as "nn.Linear(32, 64)" */
  module(layer: LayerOf<T>, at: At): string;
  /** whether its module also takes and gives a state */
  stateful?: boolean | ((layer: LayerOf<T>) => boolean);
  /** whether its module gives the outputs at the ends of the sequences where it is asked for `ends` */
  givesEnds?(layer: LayerOf<T>): boolean;
  /** whether its module also takes the encoder's states */
  readsMemory?: boolean;
  /** parts of the states that its module gives after the last step, (levels · directions, batch, units) each; null: they are other ones */
  lastStates?(layer: LayerOf<T>): 'h' | 'hc' | null;
  /** the field whose form is not written; null: none */
  lacks?(layer: LayerOf<T>): string | null;
  /** applied to the module's output, such as "torch.relu"; null: nothing */
  activation?(layer: LayerOf<T>): string | null;
  /** classes that PyTorch does not have, as code */
  code?(layer: LayerOf<T>, at: At): string | null;
  /** weights that PyTorch's module has beside the run's own; `name` is the layer's, "layers.1" */
  addWeights?(layer: LayerOf<T>, name: string, weights: Map<string, NamedTensor>): void;
}

/** A layer of a run with its form. */
export interface Exported extends PlacedLayer {
  torch: PyTorchLayer<PlacedLayer['layer']['type']>;
}
