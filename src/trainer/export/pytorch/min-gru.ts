// minGRU as a loop over time.
import type { PyTorchLayer } from './kind.ts';

export const minGru: PyTorchLayer<'min-gru'> = {
  module: ({ units, candidate }, { inputs }) =>
    `MinGru(${inputs}, ${units}${candidate === 'positive' ? ', positive=True' : ''})`,
  stateful: true,
  code: () => CODE,
};

const CODE = `class MinGru(nn.Module):
    """minGRU (arXiv 2410.01201). Reads (steps, batch, inputs)."""

    def __init__(self, inputs, units, positive=False):
        super().__init__()
        self.gate, self.hidden, self.positive = nn.Linear(inputs, units), nn.Linear(inputs, units), positive

    def forward(self, x, h=None):
        z, c = torch.sigmoid(self.gate(x)), self.hidden(x)
        if self.positive:
            c = torch.where(c >= 0, c + 0.5, torch.sigmoid(c))
        h = torch.zeros_like(c[0]) if h is None else h
        outputs = []
        for z_t, c_t in zip(z, c):
            h = (1 - z_t) * h + z_t * c_t
            outputs.append(h)
        return torch.stack(outputs), h

`;
