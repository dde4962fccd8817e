// The hierarchical RNN as a loop over time.
import { segmentOf } from '../../../experiment/layers/hierarchical.ts';
import type { PyTorchLayer } from './kind.ts';

export const hierarchical: PyTorchLayer<'hierarchical'> = {
  module: (layer, { inputs, steps }) => `Hierarchical(${inputs}, ${layer.units}, ${segmentOf(layer, steps)})`,
  stateful: true,
  code: () => `class Hierarchical(nn.Module):
    """Hierarchical RNN of segments and their summaries (El Hihi & Bengio 1995). Reads (steps, batch, inputs)."""

    def __init__(self, inputs, units, segment):
        super().__init__()
        self.segment = segment
        self.weight_ih = nn.Parameter(torch.zeros(units, inputs))
        self.bias, self.bias_s = nn.Parameter(torch.zeros(units)), nn.Parameter(torch.zeros(units))
        self.weight_hh, self.weight_sh = nn.Parameter(torch.zeros(units, units)), nn.Parameter(torch.zeros(units, units))
        self.weight_hs, self.weight_ss = nn.Parameter(torch.zeros(units, units)), nn.Parameter(torch.zeros(units, units))

    def forward(self, x, state=None):
        zeros = x.new_zeros(x.shape[1], len(self.bias))
        h, s, t = (zeros, zeros, 0) if state is None else state
        outputs = []
        for x_t in nn.functional.linear(x, self.weight_ih, self.bias):
            if t > 0 and t % self.segment == 0:
                s, h = torch.tanh(h @ self.weight_hs.T + s @ self.weight_ss.T + self.bias_s), zeros
            h = torch.tanh(x_t + h @ self.weight_hh.T + s @ self.weight_sh.T)
            t += 1
            outputs.append(h)
        return torch.stack(outputs), (h, s, t)

`,
};
