// Dropout as torch.nn.Dropout.
import type { PyTorchLayer } from './kind.ts';

export const dropout: PyTorchLayer<'dropout'> = { module: ({ rate }) => `nn.Dropout(${rate})` };
