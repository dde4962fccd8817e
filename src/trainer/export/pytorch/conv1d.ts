// A convolution over time as torch.nn.Conv1d, padded to look back alone or to both sides.
import type { PyTorchLayer } from './kind.ts';

export const conv1d: PyTorchLayer<'conv1d'> = {
  module: ({ units, kernelSize, dilation, stride, groups, padding }, { inputs }) =>
    `Conv1d(${[inputs, units, kernelSize, dilation, stride, groups].join(', ')}, "${padding}")`,
  activation: ({ activation }) =>
    activation === 'linear' ? null : activation === 'gelu' ? 'nn.functional.gelu' : `torch.${activation}`,
  code: () => CODE,
};

const CODE = `class Conv1d(nn.Conv1d):
    """Reads (steps, batch, width), as everything here does."""

    def __init__(self, inputs, channels, kernel_size, dilation, stride, groups, around):
        super().__init__(inputs, channels, kernel_size, stride, dilation=dilation, groups=groups)
        self.reach = (kernel_size - 1) * dilation
        self.around = {"causal": (self.reach, 0), "same": (self.reach // 2, self.reach - self.reach // 2)}.get(around)

    def forward(self, x):
        around = self.around or (0, max(0, self.reach + 1 - len(x)))
        return super().forward(nn.functional.pad(x.permute(1, 2, 0), around)).permute(2, 0, 1)

`;
