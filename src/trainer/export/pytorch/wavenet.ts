// WaveNet of torch.nn.Conv1d and torch.nn.Linear.
import { channelsOf } from '../../../experiment/layers/wavenet.ts';
import type { PyTorchLayer } from './kind.ts';

export const wavenet: PyTorchLayer<'wavenet'> = {
  module: (layer, { inputs }) =>
    `WaveNet(${[inputs, layer.units, channelsOf(layer), layer.layers, layer.stacks, layer.kernelSize].join(', ')})`,
  stateful: true,
  code: () => CODE,
};

const CODE = `class WaveNetBlock(nn.Module):
    """A gated causal convolution with its residual and skip connection."""

    def __init__(self, channels, units, kernel_size, dilation, last):
        super().__init__()
        self.tail = (kernel_size - 1) * dilation
        self.filter = nn.Conv1d(channels, channels, kernel_size, dilation=dilation)
        self.gate = nn.Conv1d(channels, channels, kernel_size, dilation=dilation)
        self.skip = nn.Linear(channels, units)
        self.residual = None if last else nn.Linear(channels, channels)

    def forward(self, x, before):
        whole = torch.cat([x.new_zeros(self.tail, *x.shape[1:]) if before is None else before, x])
        y = whole.permute(1, 2, 0)
        z = (torch.tanh(self.filter(y)) * torch.sigmoid(self.gate(y))).permute(2, 0, 1)
        return x if self.residual is None else x + self.residual(z), self.skip(z), whole[len(whole) - self.tail:]


class WaveNet(nn.Module):
    """Reads (steps, batch, width), as everything here does (van den Oord et al. 2016)."""

    def __init__(self, inputs, units, channels, layers, stacks, kernel_size):
        super().__init__()
        count = layers * stacks
        self.input, self.output = nn.Linear(inputs, channels), nn.Linear(units, units)
        self.blocks = nn.ModuleList([
            WaveNetBlock(channels, units, kernel_size, 2 ** (block % layers), block == count - 1)
            for block in range(count)
        ])

    def forward(self, x, states=None):
        x, skips, after = self.input(x), 0, []
        for block, before in zip(self.blocks, states or [None] * len(self.blocks)):
            x, skip, tail = block(x, before)
            skips = skips + skip
            after.append(tail)
        return torch.relu(self.output(torch.relu(skips))), after

`;
