// SRU as a loop over time.

import type { PyTorchLayer } from './kind.ts';
import { LINEAR_LOOP, linears } from './memory-code.ts';

export const sru: PyTorchLayer<'sru'> = {
  module: ({ units }, { inputs }) => `Sru(${inputs}, ${units})`,
  stateful: true,
  code: () => `${LINEAR_LOOP}
class Sru(nn.Module):
    """Simple recurrent unit (arXiv 1709.02755v1). Reads (steps, batch, inputs)."""

    def __init__(self, inputs, units):
        super().__init__()
${linears([
  ['hidden', 'inputs', 'units', false],
  ['forget', 'inputs', 'units', true],
  ['reset', 'inputs', 'units', true],
])}
        self.highway = nn.Linear(inputs, units, bias=False) if inputs != units else None

    def forward(self, x, c=None):
        f, r = torch.sigmoid(self.forget(x)), torch.sigmoid(self.reset(x))
        states, c = linear_loop(f, (1 - f) * self.hidden(x), c)
        return r * torch.tanh(states) + (1 - r) * (x if self.highway is None else self.highway(x)), c

`,
};
