// RMS norm as torch.nn.RMSNorm.
import type { PyTorchLayer } from './kind.ts';

export const rmsNorm: PyTorchLayer<'rms-norm'> = {
  module: ({ epsilon }, { inputs }) => `nn.RMSNorm(${inputs}, ${epsilon})`,
};
