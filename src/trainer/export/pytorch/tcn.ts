// A temporal convolutional network of torch.nn.Conv1d.
import type { PyTorchLayer } from './kind.ts';

export const tcn: PyTorchLayer<'tcn'> = {
  module: ({ units, kernelSize, layers, dropout }, { inputs }) =>
    `Tcn(${[inputs, units, kernelSize, layers, dropout].join(', ')})`,
  code: () => CODE,
};

const CODE = `class TcnBlock(nn.Module):
    """Two causal convolutions with a residual (Bai et al. 2018), without weight normalisation."""

    def __init__(self, inputs, channels, kernel_size, dilation, dropout=0.0):
        super().__init__()
        self.padding, self.dropout = (kernel_size - 1) * dilation, dropout
        self.conv1 = nn.Conv1d(inputs, channels, kernel_size, dilation=dilation)
        self.conv2 = nn.Conv1d(channels, channels, kernel_size, dilation=dilation)
        self.downsample = nn.Conv1d(inputs, channels, 1) if inputs != channels else None

    def forward(self, x):
        y = x
        for convolution in (self.conv1, self.conv2):
            y = torch.relu(convolution(nn.functional.pad(y, (self.padding, 0))))
            y = nn.functional.dropout(y, self.dropout, self.training)
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class Tcn(nn.Module):
    """Blocks that look twice as far back each. Reads (steps, batch, width), as everything here does."""

    def __init__(self, inputs, channels, kernel_size, layers, dropout=0.0):
        super().__init__()
        self.blocks = nn.ModuleList([
            TcnBlock(inputs if level == 0 else channels, channels, kernel_size, 2 ** level, dropout)
            for level in range(layers)
        ])

    def forward(self, x):
        x = x.permute(1, 2, 0)
        for block in self.blocks:
            x = block(x)
        return x.permute(2, 0, 1)

`;
