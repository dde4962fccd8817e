// Adaptive softmax as torch.nn.AdaptiveLogSoftmaxWithLoss, whose outputs are log-probabilities here.
import type { PyTorchLayer } from './kind.ts';

export const adaptiveSoftmax: PyTorchLayer<'adaptive-softmax'> = {
  module: ({ cutoffs, divValue }, { inputs, outputs }) =>
    `AdaptiveSoftmax(${inputs}, ${outputs}, [${cutoffs.join(', ')}], div_value=${divValue})`,
  code: () => `class AdaptiveSoftmax(nn.AdaptiveLogSoftmaxWithLoss):
    """(steps, batch, width) -> log-probabilities (steps, batch, vocabulary)."""

    def __init__(self, inputs, outputs, cutoffs, div_value):
        super().__init__(inputs, outputs, cutoffs, div_value)
        # a cluster is at least one number wide, which PyTorch lets fall to none
        for index, (down, up) in enumerate(self.tail):
            if down.out_features == 0:
                self.tail[index] = nn.Sequential(
                    nn.Linear(inputs, 1, bias=False), nn.Linear(1, up.out_features, bias=False)
                )

    def forward(self, x):
        return self.log_prob(x.flatten(0, 1)).unflatten(0, x.shape[:2])`,
};
