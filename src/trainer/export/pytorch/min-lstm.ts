// minLSTM as a loop over time.

import type { PyTorchLayer } from './kind.ts';
import { LINEAR_LOOP, linears } from './memory-code.ts';

export const minLstm: PyTorchLayer<'min-lstm'> = {
  module: ({ units, candidate }, { inputs }) =>
    `MinLstm(${inputs}, ${units}${candidate === 'positive' ? ', positive=True' : ''})`,
  stateful: true,
  code: () => `${LINEAR_LOOP}
class MinLstm(nn.Module):
    """minLSTM (arXiv 2410.01201). Reads (steps, batch, inputs)."""

    def __init__(self, inputs, units, positive=False):
        super().__init__()
        self.positive = positive
${linears([
  ['forget', 'inputs', 'units', true],
  ['input', 'inputs', 'units', true],
  ['hidden', 'inputs', 'units', true],
])}

    def forward(self, x, h=None):
        logit = nn.functional.logsigmoid(self.forget(x)) - nn.functional.logsigmoid(self.input(x))
        c = self.hidden(x)
        if self.positive:
            c = torch.where(c >= 0, c + 0.5, torch.sigmoid(c))
        return linear_loop(torch.sigmoid(logit), torch.sigmoid(-logit) * c, h)

`,
};
