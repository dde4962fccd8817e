// Gated linear attention as a loop over time.
import { headsOf } from '../../../experiment/layers/linear-recurrence.ts';
import type { PyTorchLayer } from './kind.ts';
import { linears, MEMORY } from './memory-code.ts';

export const gla: PyTorchLayer<'gla'> = {
  module: (layer, { inputs }) =>
    `Gla(${inputs}, ${layer.units}, ${headsOf(layer, layer.units)}, ${layer.rank})`,
  stateful: true,
  code: () => `${MEMORY}
class Gla(Memory):
    """Gated linear attention (arXiv 2312.06635). Reads (steps, batch, inputs)."""

    def __init__(self, inputs, units, heads, rank):
        super().__init__()
        self.heads, self.norm = heads, HeadNorm(units // heads)
${linears([
  ['q', 'inputs', 'units', false],
  ['k', 'inputs', 'units', false],
  ['v', 'inputs', 'units', false],
  ['gate', 'inputs', 'units', false],
  ['decay_in', 'inputs', 'rank', false],
  ['decay_out', 'rank', 'units', true],
  ['out', 'units', 'units', false],
])}

    def forward(self, x, states=None):
        states = dict(states or {})
        decay = torch.exp(nn.functional.logsigmoid(self.decay_out(self.decay_in(x))) / 16)
        q = self.q(x) * len(self.norm.weight) ** -0.5
        o = self.remember(q, self.k(x), self.v(x), states, self.split(decay))
        return self.out(self.norm(o) * nn.functional.silu(self.gate(x))), states

`,
};
