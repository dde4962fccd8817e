// Batch norm as torch.nn.BatchNorm1d over the steps of a batch.
import type { PyTorchLayer } from './kind.ts';

export const batchNorm: PyTorchLayer<'batch-norm'> = {
  module: ({ epsilon, momentum }, { inputs }) => `BatchNorm(${inputs}, ${epsilon}, ${momentum})`,
  code: () => CODE,
};

const CODE = `class BatchNorm(nn.BatchNorm1d):
    """Reads (steps, batch, width), as everything here does."""

    def forward(self, x):
        return super().forward(x.flatten(0, 1)).view_as(x)

`;
