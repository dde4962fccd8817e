// S5 as a loop over time on complex numbers.
import { stateSizeOf } from '../../../experiment/layers/lru.ts';
import type { PyTorchLayer } from './kind.ts';
import { GLU } from './lru.ts';

export const s5: PyTorchLayer<'s5'> = {
  module: (layer, { inputs }) =>
    `S5(${inputs}, ${layer.units}, ${stateSizeOf(layer)}${layer.glu ? '' : ', glu=False'})`,
  stateful: true,
  code: () => `${GLU}
class S5(nn.Module):
    """S5 (arXiv 2208.04933). Reads (steps, batch, inputs); its state is complex."""

    def __init__(self, inputs, units, states, glu=True):
        super().__init__()
        for name in ["log_A_real", "A_imag", "log_dt"]:
            self.register_parameter(name, nn.Parameter(torch.zeros(states)))
        self.B_re, self.B_im = (nn.Parameter(torch.zeros(states, inputs)) for _ in range(2))
        self.C_re, self.C_im = (nn.Parameter(torch.zeros(units, states)) for _ in range(2))
        self.D = nn.Parameter(torch.zeros(units, inputs))
        self.glu = GatedLinearUnit(units) if glu else None

    def forward(self, x, h=None):
        A = torch.complex(-self.log_A_real.exp(), self.A_imag)
        carried = torch.exp(A * self.log_dt.exp())
        B = ((carried - 1) / A)[:, None] * torch.complex(self.B_re, self.B_im)
        driven = x.to(B.dtype) @ B.T
        h = torch.zeros_like(driven[0]) if h is None else h
        states = []
        for b_t in driven:
            h = carried * h + b_t
            states.append(h)
        y = 2 * (torch.stack(states) @ torch.complex(self.C_re, self.C_im).T).real + x @ self.D.T
        return (y if self.glu is None else self.glu(y)), h

`,
};
