// DeltaNet as a loop over time.
import { headsOf } from '../../../experiment/layers/linear-recurrence.ts';
import type { PyTorchLayer } from './kind.ts';
import { linears, MEMORY } from './memory-code.ts';

export const deltanet: PyTorchLayer<'deltanet'> = {
  module: (layer, { inputs }) =>
    `DeltaNet(${inputs}, ${layer.units}, ${headsOf(layer, layer.units)}, ${layer.convSize})`,
  stateful: true,
  code: () => `${MEMORY}
class DeltaNet(Memory):
    """DeltaNet (arXiv 2102.11174, 2406.06484). Reads (steps, batch, inputs)."""

    def __init__(self, inputs, units, heads, conv_size):
        super().__init__()
        self.heads, self.norm = heads, HeadNorm(units // heads)
${linears([
  ['q', 'inputs', 'units', false],
  ['k', 'inputs', 'units', false],
  ['v', 'inputs', 'units', false],
  ['beta', 'inputs', 'heads', false],
  ['out', 'units', 'units', false],
])}
        if conv_size > 1:
            self.q_conv, self.k_conv, self.v_conv = (ShortConvolution(units, conv_size) for _ in range(3))

    def forward(self, x, states=None):
        states = dict(states or {})
        q, k, v = (self.read(name, x, states) for name in "qkv")
        q = unit(q, self.heads) * len(self.norm.weight) ** -0.5
        o = self.remember(q, unit(k, self.heads), v, states, strength=torch.sigmoid(self.beta(x)), delta=True)
        return self.out(self.norm(o)), states

`,
};
