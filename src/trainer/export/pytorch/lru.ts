// LRU as a loop over time on complex numbers.
import { stateSizeOf } from '../../../experiment/layers/lru.ts';
import type { PyTorchLayer } from './kind.ts';

export const lru: PyTorchLayer<'lru'> = {
  module: (layer, { inputs }) =>
    `Lru(${inputs}, ${layer.units}, ${stateSizeOf(layer)}${layer.glu ? '' : ', glu=False'})`,
  stateful: true,
  code: () => `${GLU}\n${CODE}`,
};

/** The gated linear unit behind LRU, S4D and S5. */
export const GLU = `class GatedLinearUnit(nn.Module):
    """GELU, and one half of the units as a gate of the other (arXiv 1612.08083)."""

    def __init__(self, units):
        super().__init__()
        self.value, self.gate = nn.Linear(units, units), nn.Linear(units, units)

    def forward(self, x):
        x = nn.functional.gelu(x)
        return self.value(x) * torch.sigmoid(self.gate(x))

`;

const CODE = `class Lru(nn.Module):
    """Linear recurrent unit (arXiv 2303.06349). Reads (steps, batch, inputs); its state is complex."""

    def __init__(self, inputs, units, states, glu=True):
        super().__init__()
        for name in ["nu_log", "theta_log", "gamma_log"]:
            self.register_parameter(name, nn.Parameter(torch.zeros(states)))
        self.B_re, self.B_im = (nn.Parameter(torch.zeros(states, inputs)) for _ in range(2))
        self.C_re, self.C_im = (nn.Parameter(torch.zeros(units, states)) for _ in range(2))
        self.D = nn.Parameter(torch.zeros(units, inputs))
        self.glu = GatedLinearUnit(units) if glu else None

    def forward(self, x, h=None):
        eigenvalues = torch.exp(torch.complex(-self.nu_log.exp(), self.theta_log.exp()))
        B = torch.complex(self.B_re, self.B_im) * self.gamma_log.exp()[:, None]
        C = torch.complex(self.C_re, self.C_im)
        driven = x.to(B.dtype) @ B.T
        h = torch.zeros_like(driven[0]) if h is None else h
        states = []
        for b_t in driven:
            h = eigenvalues * h + b_t
            states.append(h)
        y = (torch.stack(states) @ C.T).real + x @ self.D.T
        return (y if self.glu is None else self.glu(y)), h

`;
