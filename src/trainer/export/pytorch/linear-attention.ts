// Linear attention as a loop over time.
import { headsOf } from '../../../experiment/layers/linear-recurrence.ts';
import type { PyTorchLayer } from './kind.ts';
import { linears, MEMORY } from './memory-code.ts';

export const linearAttention: PyTorchLayer<'linear-attention'> = {
  module: (layer, { inputs }) => `LinearAttention(${inputs}, ${layer.units}, ${headsOf(layer, layer.units)})`,
  stateful: true,
  code: () => `${MEMORY}
class LinearAttention(Memory):
    """Linear attention (arXiv 2006.16236). Reads (steps, batch, inputs)."""

    def __init__(self, inputs, units, heads):
        super().__init__()
        self.heads = heads
${linears([
  ['q', 'inputs', 'units', false],
  ['k', 'inputs', 'units', false],
  ['v', 'inputs', 'units', false],
  ['out', 'units', 'units', false],
])}

    def forward(self, x, states=None):
        states = dict(states or {})
        q, k = (nn.functional.elu(each) + 1 for each in (self.q(x), self.k(x)))
        o = self.remember(q, k, self.v(x), states)
        n = self.split(k).cumsum(0) + states.get("n", 0)
        states["n"] = n[-1]
        norm = (n * self.split(q)).sum(-1, keepdim=True).clamp(min=1e-6)
        return self.out((self.split(o) / norm).flatten(-2)), states

`,
};
