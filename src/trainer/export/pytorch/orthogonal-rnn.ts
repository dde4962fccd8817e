// The orthogonal RNN as a loop over time.
import { elmanForward, phi } from './elman-code.ts';
import type { PyTorchLayer } from './kind.ts';

export const orthogonalRnn: PyTorchLayer<'orthogonal-rnn'> = {
  module: ({ units }, { inputs }) => `OrthogonalRnn(${inputs}, ${units})`,
  stateful: true,
  code: ({ activation, units }) => `class OrthogonalRnn(nn.Module):
    """RNN whose recurrent matrix is a Cayley transform (arXiv 1707.09520). Reads (steps, batch, inputs)."""

    def __init__(self, inputs, units):
        super().__init__()
        self.weight_ih, self.bias = nn.Parameter(torch.zeros(units, inputs)), nn.Parameter(torch.zeros(units))
        self.skew = ${units > 1 ? 'nn.Parameter(torch.zeros(units * (units - 1) // 2))' : 'torch.zeros(0)'}

    def recurrent(self):
        units = len(self.bias)
        rows, columns = torch.tril_indices(units, units, -1)
        lower = self.skew.new_zeros(units, units).index_put((rows, columns), self.skew)
        eye = torch.eye(units)
        return torch.linalg.solve(eye + lower - lower.T, eye - lower + lower.T)

${elmanForward(phi(activation, 'x_t + h @ q.T'), ['q = self.recurrent()'])}
`,
};
