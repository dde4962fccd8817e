// IndRNN as a loop over time.
import { elmanForward, phi } from './elman-code.ts';
import type { PyTorchLayer } from './kind.ts';

export const indRnn: PyTorchLayer<'ind-rnn'> = {
  module: ({ units }, { inputs }) => `IndRnn(${inputs}, ${units})`,
  stateful: true,
  code: ({ activation }) => `class IndRnn(nn.Module):
    """Independently recurrent network (arXiv 1803.04831). Reads (steps, batch, inputs)."""

    def __init__(self, inputs, units):
        super().__init__()
        self.weight_ih, self.weight_hh = nn.Parameter(torch.zeros(units, inputs)), nn.Parameter(torch.zeros(units))
        self.bias = nn.Parameter(torch.zeros(units))

${elmanForward(phi(activation, 'x_t + self.weight_hh * h'))}
`,
};
