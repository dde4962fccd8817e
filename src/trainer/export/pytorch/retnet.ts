// Retention as a loop over time.
import { headsOf } from '../../../experiment/layers/linear-recurrence.ts';
import type { PyTorchLayer } from './kind.ts';
import { linears, MEMORY } from './memory-code.ts';

export const retnet: PyTorchLayer<'retnet'> = {
  module: (layer, { inputs }) => `Retention(${inputs}, ${layer.units}, ${headsOf(layer, layer.units)})`,
  stateful: true,
  code: () => `${MEMORY}
class Retention(Memory):
    """Retention without rotation (arXiv 2307.08621). Reads (steps, batch, inputs)."""

    def __init__(self, inputs, units, heads):
        super().__init__()
        self.heads, self.norm = heads, HeadNorm(units // heads)
${linears([
  ['q', 'inputs', 'units', false],
  ['k', 'inputs', 'units', false],
  ['v', 'inputs', 'units', false],
  ['gate', 'inputs', 'units', false],
  ['out', 'units', 'units', false],
])}

    def forward(self, x, states=None):
        states = dict(states or {})
        decay = (1 - 2.0 ** (-5 - torch.arange(self.heads).to(x)))[:, None].expand(*x.shape[:2], -1, -1)
        k = self.k(x) * len(self.norm.weight) ** -0.5
        o = self.remember(self.q(x), k, self.v(x), states, decay)
        return self.out(self.norm(o) * nn.functional.silu(self.gate(x))), states

`,
};
