// Transformer blocks as torch.nn.TransformerEncoderLayer, with a causal mask and positions around them.
import { hiddenOf } from '../../../experiment/layers/transformer.ts';
import type { PyTorchLayer } from './kind.ts';

export const transformer: PyTorchLayer<'transformer'> = {
  module(layer, { inputs, steps }) {
    const { heads, layers, activation, dropout, window, positions } = layer;
    const options = [inputs, heads, hiddenOf(layer, inputs), layers, `"${activation}"`, dropout];
    if (window !== undefined) options.push(`window=${window}`);
    if (positions !== 'none')
      options.push(positions === 'learned' ? `positions=${steps}` : 'positions="sinusoidal"');
    return `CausalTransformer(${options.join(', ')})`;
  },
  code: () => CODE,
};

const CODE = `class CausalTransformer(nn.Module):
    """Pre-norm blocks that see only what came before. Positions: a table, or None."""

    def __init__(self, width, heads, hidden, layers, activation, dropout=0.0, window=None, positions=None):
        super().__init__()
        self.window = window
        if positions == "sinusoidal":
            self.positions = sinusoids
        elif positions is not None:
            self.positions = nn.Parameter(torch.zeros(positions, width))
        else:
            self.positions = None
        self.blocks = nn.ModuleList([
            nn.TransformerEncoderLayer(width, heads, hidden, dropout, activation, norm_first=True)
            for _ in range(layers)
        ])
        for block in self.blocks:
            block.self_attn.dropout = 0.0  # Unroll drops after the attention, not inside it

    def forward(self, x):
        steps, _, width = x.shape
        if self.positions is not None:
            table = self.positions(steps, width) if callable(self.positions) else self.positions[:steps]
            x = x + table[:, None].to(x)
        t = torch.arange(steps, device=x.device)
        apart = t[:, None] - t[None]
        hidden = (apart < 0) | (apart >= (self.window or steps))
        for block in self.blocks:
            x = block(x, src_mask=hidden)
        return x


def sinusoids(steps, width):
    j = torch.arange(width)
    angles = torch.arange(steps, dtype=torch.float64)[:, None] / 10000 ** ((j - j % 2) / width)
    return torch.where(j % 2 == 0, angles.sin(), angles.cos())

`;
