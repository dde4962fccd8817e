// The clockwork RNN as a loop over time.
import type { PyTorchLayer } from './kind.ts';

export const clockwork: PyTorchLayer<'clockwork'> = {
  module: ({ units, periods }, { inputs }) => `Clockwork(${inputs}, ${units}, [${periods.join(', ')}])`,
  stateful: true,
  code: () => `class Clockwork(nn.Module):
    """Clockwork RNN (arXiv 1402.3511). Reads (steps, batch, inputs)."""

    def __init__(self, inputs, units, periods):
        super().__init__()
        size = units // len(periods)
        self.weight_ih, self.bias = nn.Parameter(torch.zeros(units, inputs)), nn.Parameter(torch.zeros(units))
        for module in range(len(periods)):
            shape = (size, size * (len(periods) - module))
            self.register_parameter(f"weight_hh_{module}", nn.Parameter(torch.zeros(*shape)))
        self.register_buffer("periods", torch.tensor(periods).repeat_interleave(size), persistent=False)

    def forward(self, x, state=None):
        units = len(self.bias)
        h, t = (x.new_zeros(x.shape[1], units), 0) if state is None else state
        rows = [getattr(self, f"weight_hh_{module}") for module in range(len(self.periods) // len(self.weight_hh_0))]
        matrix = torch.cat([nn.functional.pad(row, (units - row.shape[1], 0)) for row in rows])
        outputs = []
        for x_t in nn.functional.linear(x, self.weight_ih, self.bias):
            h = torch.where(t % self.periods == 0, torch.tanh(x_t + h @ matrix.T), h)
            t += 1
            outputs.append(h)
        return torch.stack(outputs), (h, t)

`,
};
