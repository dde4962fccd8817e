// Adaptive softmax as torch.nn.AdaptiveLogSoftmaxWithLoss, whose outputs are log-probabilities here.
import type { PyTorchLayer } from './kind.ts';

export const adaptiveSoftmax: PyTorchLayer<'adaptive-softmax'> = {
  module: ({ cutoffs, divValue }, { inputs, outputs }) =>
    `AdaptiveSoftmax(${inputs}, ${outputs}, [${cutoffs.join(', ')}], div_value=${divValue})`,
  code: () => `class AdaptiveSoftmax(nn.AdaptiveLogSoftmaxWithLoss):
    """(steps, batch, width) -> log-probabilities (steps, batch, vocabulary)."""

    def forward(self, x):
        return self.log_prob(x.flatten(0, 1)).unflatten(0, x.shape[:2])`,
};
