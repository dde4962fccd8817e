// Layer norm as torch.nn.LayerNorm.
import type { PyTorchLayer } from './kind.ts';

export const layerNorm: PyTorchLayer<'layer-norm'> = {
  module: ({ epsilon }, { inputs }) => `nn.LayerNorm(${inputs}, ${epsilon})`,
};
