// sLSTM as a loop over time.
import type { PyTorchLayer } from './kind.ts';

export const sLstm: PyTorchLayer<'s-lstm'> = {
  module: ({ units }, { inputs }) => `SLstm(${inputs}, ${units})`,
  stateful: true,
  code: () => `class SLstm(nn.Module):
    """sLSTM of xLSTM with a full recurrent matrix (arXiv 2405.04517). Reads (steps, batch, inputs)."""

    def __init__(self, inputs, units):
        super().__init__()
        self.weight_ih = nn.Parameter(torch.zeros(4 * units, inputs))
        self.weight_hh, self.bias = nn.Parameter(torch.zeros(4 * units, units)), nn.Parameter(torch.zeros(4 * units))

    def forward(self, x, state=None):
        units = self.weight_hh.shape[1]
        if state is None:
            zeros = x.new_zeros(x.shape[1], units)
            state = (zeros, zeros, zeros, torch.full_like(zeros, -torch.inf))
        h, c, n, m = state
        outputs = []
        for x_t in nn.functional.linear(x, self.weight_ih, self.bias):
            i, f, z, o = (x_t + h @ self.weight_hh.T).split(units, 1)
            log_f, before = nn.functional.logsigmoid(f), m
            m = torch.maximum(log_f + m, i)
            i, f = torch.exp(i - m), torch.exp(log_f + before - m)
            c, n = f * c + i * torch.tanh(z), f * n + i
            h = torch.sigmoid(o) * c / n
            outputs.append(h)
        return torch.stack(outputs), (h, c, n, m)

`,
};
