// A temporal convolutional network of torch.nn.Conv1d.
import type { PyTorchLayer } from './kind.ts';

export const tcn: PyTorchLayer<'tcn'> = {
  module({ units, kernelSize, layers, dropout, weightNorm, spatialDropout }, { inputs }) {
    const options = [...(weightNorm ? ['normed=True'] : []), ...(spatialDropout ? ['spatial=True'] : [])];
    return `Tcn(${[inputs, units, kernelSize, layers, dropout, ...options].join(', ')})`;
  },
  code: () => CODE,
  // as torch.nn.utils.parametrizations.weight_norm names them
  addWeights({ weightNorm }, name, weights) {
    if (!weightNorm) return;
    for (const [key, value] of [...weights]) {
      const [, conv, part] = /^(.*)\.weight_([gv])$/.exec(key) ?? [];
      if (!conv || !key.startsWith(`${name}.`)) continue;
      weights.delete(key);
      weights.set(`${conv}.parametrizations.weight.original${part === 'g' ? 0 : 1}`, value);
    }
  },
};

const CODE = `class TcnBlock(nn.Module):
    """Two causal convolutions with a residual (Bai et al. 2018)."""

    def __init__(self, inputs, channels, kernel_size, dilation, dropout=0.0, normed=False, spatial=False):
        super().__init__()
        self.padding = (kernel_size - 1) * dilation
        self.dropout = nn.Dropout1d(dropout) if spatial else nn.Dropout(dropout)
        norm = nn.utils.parametrizations.weight_norm if normed else (lambda convolution: convolution)
        self.conv1 = norm(nn.Conv1d(inputs, channels, kernel_size, dilation=dilation))
        self.conv2 = norm(nn.Conv1d(channels, channels, kernel_size, dilation=dilation))
        self.downsample = nn.Conv1d(inputs, channels, 1) if inputs != channels else None

    def forward(self, x):
        y = x
        for convolution in (self.conv1, self.conv2):
            y = self.dropout(torch.relu(convolution(nn.functional.pad(y, (self.padding, 0)))))
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class Tcn(nn.Module):
    """Blocks that look twice as far back each. Reads (steps, batch, width), as everything here does."""

    def __init__(self, inputs, channels, kernel_size, layers, dropout=0.0, **options):
        super().__init__()
        self.blocks = nn.ModuleList([
            TcnBlock(inputs if level == 0 else channels, channels, kernel_size, 2 ** level, dropout, **options)
            for level in range(layers)
        ])

    def forward(self, x):
        x = x.permute(1, 2, 0)
        for block in self.blocks:
            x = block(x)
        return x.permute(2, 0, 1)

`;
