// A convolution over time as torch.nn.Conv1d, padded to look back alone or to both sides.
import { conv1d as conv1dKind } from '../../../experiment/layers/conv1d.ts';
import type { LayerOf } from '../../../experiment/layers/index.ts';
import type { PyTorchLayer } from './kind.ts';

export const conv1d: PyTorchLayer<'conv1d'> = {
  module: ({ units, kernelSize, dilation, stride, groups, padding }, { inputs }) =>
    conv1dKind.traits({ padding, stride, kernelSize, dilation } as LayerOf<'conv1d'>).carries
      ? `CausalConv1d(${[inputs, units, kernelSize, dilation, groups].join(', ')})`
      : `Conv1d(${[inputs, units, kernelSize, dilation, stride, groups].join(', ')}, "${padding}")`,
  stateful: layer => conv1dKind.traits(layer).carries,
  activation: ({ activation }) =>
    activation === 'linear' ? null : activation === 'gelu' ? 'nn.functional.gelu' : `torch.${activation}`,
  code: layer => (conv1dKind.traits(layer).carries ? CAUSAL : CODE),
};

const CAUSAL = `class CausalConv1d(nn.Conv1d):
    """Reads (steps, batch, width), as everything here does; its state is the inputs that it still needs."""

    def __init__(self, inputs, channels, kernel_size, dilation, groups):
        super().__init__(inputs, channels, kernel_size, dilation=dilation, groups=groups)
        self.reach = (kernel_size - 1) * dilation

    def forward(self, x, before=None):
        whole = torch.cat([x.new_zeros(self.reach, *x.shape[1:]) if before is None else before, x])
        return super().forward(whole.permute(1, 2, 0)).permute(2, 0, 1), whole[len(whole) - self.reach:]

`;

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
