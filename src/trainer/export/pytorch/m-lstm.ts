// mLSTM as a loop over time.
import { headsOf } from '../../../experiment/layers/linear-recurrence.ts';
import type { PyTorchLayer } from './kind.ts';
import { linears } from './memory-code.ts';

export const mLstm: PyTorchLayer<'m-lstm'> = {
  module: (layer, { inputs }) => `MLstm(${inputs}, ${layer.units}, ${headsOf(layer, layer.units)})`,
  stateful: true,
  code: () => `class MLstm(nn.Module):
    """mLSTM of xLSTM (arXiv 2405.04517). Reads (steps, batch, inputs); its state is C, n and the stabiliser m."""

    def __init__(self, inputs, units, heads):
        super().__init__()
        self.heads = heads
${linears([
  ['q', 'inputs', 'units', true],
  ['k', 'inputs', 'units', true],
  ['v', 'inputs', 'units', true],
  ['output_gate', 'inputs', 'units', true],
  ['input_gate', 'inputs', 'heads', true],
  ['forget_gate', 'inputs', 'heads', true],
])}

    def forward(self, x, state=None):
        q, k, v = (each.unflatten(-1, (self.heads, -1)) for each in (self.q(x), self.k(x), self.v(x)))
        q = q * q.shape[-1] ** -0.5
        log_i, log_f = self.input_gate(x), nn.functional.logsigmoid(self.forget_gate(x))
        if state is None:
            state = (v.new_zeros(*v.shape[1:], k.shape[-1]), torch.zeros_like(k[0]), torch.full_like(log_i[0], -torch.inf))
        C, n, m = state
        outputs = []
        for t in range(len(x)):
            before, m = m, torch.maximum(log_f[t] + m, log_i[t])
            f, i = torch.exp(log_f[t] + before - m)[..., None], torch.exp(log_i[t] - m)[..., None]
            C, n = f[..., None] * C + i[..., None] * v[t][..., None] * k[t][..., None, :], f * n + i * k[t]
            norm = torch.maximum((n * q[t]).sum(-1).abs(), torch.exp(-m))
            outputs.append(((C @ q[t][..., None])[..., 0] / norm[..., None]).flatten(-2))
        return torch.sigmoid(self.output_gate(x)) * torch.stack(outputs), (C, n, m)

`,
};
