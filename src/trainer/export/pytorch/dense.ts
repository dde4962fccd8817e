// Dense as torch.nn.Linear, with its activation behind it. A matrix shared with the embedding is written for both.
import type { PyTorchLayer } from './kind.ts';

export const dense: PyTorchLayer<'dense'> = {
  module: (_, { inputs, outputs }) => `nn.Linear(${inputs}, ${outputs})`,
  activation: ({ activation }) => (activation === 'linear' ? null : `torch.${activation}`),
  addWeights({ tied }, name, weights) {
    const shared = tied && weights.get('layers.0.weight');
    if (shared) weights.set(`${name}.weight`, shared);
  },
};
