// Attention over an encoder's states as a class of plain PyTorch, for sources of equal length.
import { comparedWidth, isAdditive } from '../../../experiment/layers/attention.ts';
import type { PyTorchLayer } from './kind.ts';

export const attention: PyTorchLayer<'attention'> = {
  module(layer, { inputs, memory }) {
    const compared = isAdditive(layer) ? [comparedWidth(layer, memory!)] : [];
    return `Attention(${[isAdditive(layer) ? '"additive"' : `"${layer.score}"`, inputs, memory!, ...compared].join(', ')})`;
  },
  readsMemory: true,
  lacks: ({ locationSensitive }) => (locationSensitive ? '`locationSensitive`' : null),
  code: () => `class Attention(nn.Module):
    """Looks at an encoder's states from each step: (steps, batch, inputs) -> (steps, batch, memory + inputs)."""

    def __init__(self, score, inputs, memory, compared=0):
        super().__init__()
        self.score = score
        if score == "additive":
            self.query = nn.Linear(inputs, compared, bias=False)
            self.key = nn.Linear(memory, compared, bias=False)
            self.v = nn.Linear(compared, 1, bias=False)
        elif score == "general":
            self.query = nn.Linear(inputs, memory, bias=False)

    def forward(self, x, memory):
        h, s = x.transpose(0, 1), memory.transpose(0, 1)
        if self.score == "additive":
            scores = self.v(torch.tanh(self.query(h).unsqueeze(2) + self.key(s).unsqueeze(1))).squeeze(3)
        else:
            scores = (self.query(h) if self.score == "general" else h) @ s.transpose(1, 2)
        looked = torch.softmax(scores, 2) @ s
        return torch.cat([looked.transpose(0, 1), x], 2)

`,
};
