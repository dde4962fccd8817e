// Embedding as torch.nn.Embedding.
import type { PyTorchLayer } from './kind.ts';

export const embedding: PyTorchLayer<'embedding'> = {
  module: ({ dim }, { inputs }) => `nn.Embedding(${inputs}, ${dim})`,
};
