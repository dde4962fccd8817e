// Gated DeltaNet as a loop over time.
import { headsOf } from '../../../experiment/layers/linear-recurrence.ts';
import type { PyTorchLayer } from './kind.ts';
import { linears, MEMORY } from './memory-code.ts';

export const gatedDeltanet: PyTorchLayer<'gated-deltanet'> = {
  module: (layer, { inputs }) =>
    `GatedDeltaNet(${inputs}, ${layer.units}, ${headsOf(layer, layer.units)}, ${layer.convSize})`,
  stateful: true,
  code: () => `${MEMORY}
class GatedDeltaNet(Memory):
    """Gated DeltaNet (arXiv 2412.06464). Reads (steps, batch, inputs)."""

    def __init__(self, inputs, units, heads, conv_size):
        super().__init__()
        self.heads, self.norm, self.A_log = heads, HeadNorm(units // heads), nn.Parameter(torch.zeros(heads))
${linears([
  ['q', 'inputs', 'units', false],
  ['k', 'inputs', 'units', false],
  ['v', 'inputs', 'units', false],
  ['gate', 'inputs', 'units', false],
  ['beta', 'inputs', 'heads', false],
  ['decay', 'inputs', 'heads', true],
  ['out', 'units', 'units', false],
])}
        if conv_size > 1:
            self.q_conv, self.k_conv, self.v_conv = (ShortConvolution(units, conv_size) for _ in range(3))

    def forward(self, x, states=None):
        states = dict(states or {})
        q, k, v = (self.read(name, x, states) for name in "qkv")
        q = unit(q, self.heads) * len(self.norm.weight) ** -0.5
        decay = torch.exp(-self.A_log.exp() * nn.functional.softplus(self.decay(x)))
        o = self.remember(q, unit(k, self.heads), v, states, decay[..., None], torch.sigmoid(self.beta(x)), delta=True)
        return self.out(self.norm(o) * nn.functional.silu(self.gate(x))), states

`,
};
