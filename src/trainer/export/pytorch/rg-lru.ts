// RG-LRU as a loop over time.

import type { PyTorchLayer } from './kind.ts';
import { LINEAR_LOOP, linears } from './memory-code.ts';

export const rgLru: PyTorchLayer<'rg-lru'> = {
  module: ({ units }, { inputs }) => `RgLru(${inputs}, ${units})`,
  stateful: true,
  code: () => `${LINEAR_LOOP}
class RgLru(nn.Module):
    """The gated linear recurrence of Griffin (arXiv 2402.19427). Reads (steps, batch, inputs)."""

    def __init__(self, inputs, units):
        super().__init__()
${linears([
  ['input', 'inputs', 'units', true],
  ['recurrence_gate', 'units', 'units', true],
  ['input_gate', 'units', 'units', true],
])}
        self.Lambda = nn.Parameter(torch.zeros(units))

    def forward(self, x, h=None):
        u = self.input(x)
        a = torch.exp(-8 * nn.functional.softplus(self.Lambda) * torch.sigmoid(self.recurrence_gate(u)))
        return linear_loop(a, torch.sqrt(1 - a.square()) * torch.sigmoid(self.input_gate(u)) * u, h)

`,
};
