// Embedding as torch.nn.Embedding, or as one that drops whole symbols in training.
import type { PyTorchLayer } from './kind.ts';

export const embedding: PyTorchLayer<'embedding'> = {
  module: ({ dim, dropout }, { inputs }) =>
    dropout ? `DroppedEmbedding(${inputs}, ${dim}, ${dropout})` : `nn.Embedding(${inputs}, ${dim})`,
  code: ({ dropout }) =>
    dropout
      ? `class DroppedEmbedding(nn.Embedding):
    """Drops whole symbols in training, wherever they stand (arXiv 1512.05287)."""

    def __init__(self, symbols, width, dropout):
        super().__init__(symbols, width)
        self.dropout = dropout

    def forward(self, x):
        kept = nn.functional.dropout(torch.ones_like(self.weight[:, :1]), self.dropout, self.training)
        return super().forward(x) * kept[x]

`
      : null,
};
