// A convolution over time as torch.nn.Conv1d, padded to look back alone or to both sides.
import type { PyTorchLayer } from './kind.ts';

export const conv1d: PyTorchLayer<'conv1d'> = {
  module: ({ units, kernelSize, dilation, groups, padding }, { inputs }) =>
    `Conv1d(${[inputs, units, kernelSize, dilation, groups].join(', ')}, causal=${padding === 'causal' ? 'True' : 'False'})`,
  activation: ({ activation }) =>
    activation === 'linear' ? null : activation === 'gelu' ? 'nn.functional.gelu' : `torch.${activation}`,
  code: () => CODE,
};

const CODE = `class Conv1d(nn.Conv1d):
    """Reads (steps, batch, width), as everything here does."""

    def __init__(self, inputs, channels, kernel_size, dilation, groups, causal):
        super().__init__(inputs, channels, kernel_size, dilation=dilation, groups=groups)
        reach = (kernel_size - 1) * dilation
        self.around = (reach, 0) if causal else (reach // 2, reach - reach // 2)

    def forward(self, x):
        return super().forward(nn.functional.pad(x.permute(1, 2, 0), self.around)).permute(2, 0, 1)

`;
