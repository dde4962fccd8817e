// Dense as torch.nn.Linear, with its activation behind it.
import type { PyTorchLayer } from './kind.ts';

export const dense: PyTorchLayer<'dense'> = {
  module: (_, { inputs, outputs }) => `nn.Linear(${inputs}, ${outputs})`,
  activation: ({ activation }) => (activation === 'linear' ? null : `torch.${activation}`),
};
