// Mamba-2 as a loop over time.
import { headsOf } from '../../../experiment/layers/linear-recurrence.ts';
import type { PyTorchLayer } from './kind.ts';
import { linears, MEMORY } from './memory-code.ts';

export const mamba2: PyTorchLayer<'mamba2'> = {
  module: (layer, { inputs }) => {
    const inner = layer.expand * layer.units;
    return `Mamba2(${inputs}, ${layer.units}, ${inner}, ${headsOf(layer, inner)}, ${layer.stateSize}, ${layer.convSize})`;
  },
  stateful: true,
  code: () => `${MEMORY}
class Mamba2(Memory):
    """Mamba-2 (arXiv 2405.21060). Reads (steps, batch, inputs)."""

    def __init__(self, inputs, units, inner, heads, states, conv_size):
        super().__init__()
        self.heads, self.norm = heads, HeadNorm(inner)
        self.A_log, self.D = nn.Parameter(torch.zeros(heads)), nn.Parameter(torch.zeros(heads))
${linears([
  ['x', 'inputs', 'inner', false],
  ['B', 'inputs', 'states', false],
  ['C', 'inputs', 'states', false],
  ['gate', 'inputs', 'inner', false],
  ['dt', 'inputs', 'heads', true],
  ['out', 'inner', 'units', false],
])}
        if conv_size > 1:
            self.x_conv = ShortConvolution(inner, conv_size)
            self.B_conv, self.C_conv = (ShortConvolution(states, conv_size) for _ in range(2))

    def forward(self, x, states=None):
        states = dict(states or {})
        v, B, C = (self.read(name, x, states) for name in ["x", "B", "C"])
        delta = nn.functional.softplus(self.dt(x))
        decay = torch.exp(-self.A_log.exp() * delta)[..., None]
        o = self.remember(C.repeat(1, 1, self.heads), B.repeat(1, 1, self.heads), v, states, decay, delta)
        o = o + (self.split(v) * self.D[:, None]).flatten(-2)
        return self.out(self.norm(o * nn.functional.silu(self.gate(x)))), states

`,
};
