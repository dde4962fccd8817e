// S4D as a loop over time on complex numbers.

import type { PyTorchLayer } from './kind.ts';
import { GLU } from './lru.ts';

export const s4d: PyTorchLayer<'s4d'> = {
  module: (layer, { inputs }) =>
    `S4d(${inputs}, ${layer.units}, ${layer.stateSize}${layer.glu ? '' : ', glu=False'})`,
  stateful: true,
  code: () => `${GLU}
class S4d(nn.Module):
    """S4D (arXiv 2206.11893). Reads (steps, batch, inputs); its state is complex."""

    def __init__(self, inputs, units, states, glu=True):
        super().__init__()
        self.input = nn.Linear(inputs, units)
        for name in ["log_A_real", "A_imag", "C_re", "C_im"]:
            self.register_parameter(name, nn.Parameter(torch.zeros(units, states)))
        self.log_dt, self.D = nn.Parameter(torch.zeros(units)), nn.Parameter(torch.zeros(units))
        self.glu = GatedLinearUnit(units) if glu else None

    def forward(self, x, h=None):
        u = self.input(x)
        A = torch.complex(-self.log_A_real.exp(), self.A_imag)
        carried = torch.exp(A * self.log_dt.exp()[:, None])
        C = torch.complex(self.C_re, self.C_im) * (carried - 1) / A
        h = carried.new_zeros(x.shape[1], *carried.shape) if h is None else h
        outputs = []
        for u_t in u:
            h = carried * h + u_t[..., None]
            outputs.append(2 * (C * h).sum(-1).real)
        y = torch.stack(outputs) + self.D * u
        return (y if self.glu is None else self.glu(y)), h

`,
};
