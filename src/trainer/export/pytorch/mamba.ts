// Mamba as a loop over time.
import { rankOf } from '../../../experiment/layers/mamba.ts';
import type { PyTorchLayer } from './kind.ts';
import { linears, MEMORY } from './memory-code.ts';

export const mamba: PyTorchLayer<'mamba'> = {
  module: (layer, { inputs }) =>
    `Mamba(${inputs}, ${layer.units}, ${layer.expand * layer.units}, ${layer.stateSize}, ${rankOf(layer)}, ${layer.convSize})`,
  stateful: true,
  code: () => `${MEMORY}
class Mamba(Memory):
    """Mamba (arXiv 2312.00752). Reads (steps, batch, inputs)."""

    def __init__(self, inputs, units, inner, states, rank, conv_size):
        super().__init__()
        self.A_log, self.D = nn.Parameter(torch.zeros(inner, states)), nn.Parameter(torch.zeros(inner))
${linears([
  ['x', 'inputs', 'inner', false],
  ['gate', 'inputs', 'inner', false],
  ['dt_in', 'inner', 'rank', false],
  ['dt', 'rank', 'inner', true],
  ['B', 'inner', 'states', false],
  ['C', 'inner', 'states', false],
  ['out', 'inner', 'units', false],
])}
        if conv_size > 1:
            self.x_conv = ShortConvolution(inner, conv_size)

    def forward(self, x, states=None):
        states = dict(states or {})
        u = self.read("x", x, states)
        delta, B, C = nn.functional.softplus(self.dt(self.dt_in(u))), self.B(u), self.C(u)
        h, outputs = states.get("h", 0), []
        for t in range(len(u)):
            h = torch.exp(delta[t][..., None] * -self.A_log.exp()) * h + (delta[t] * u[t])[..., None] * B[t][:, None]
            outputs.append((h * C[t][:, None]).sum(-1) + self.D * u[t])
        states["h"] = h
        return self.out(torch.stack(outputs) * nn.functional.silu(self.gate(x))), states

`,
};
