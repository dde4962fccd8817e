// Pooling over time, partial windows at the ends included.
import { pool as kind, windowOf } from '../../../experiment/layers/pool.ts';
import { aheadOf } from '../../../experiment/layers/windows.ts';
import type { PyTorchLayer } from './kind.ts';

export const pool: PyTorchLayer<'pool'> = {
  module(layer) {
    if (kind.traits(layer).carries) return `CausalPool("${layer.mode}", ${layer.kernelSize})`;
    if (layer.global) return `Pool("${layer.mode}")`;
    const windows = windowOf(layer);
    const before = windows.kernelSize - 1 - aheadOf(windows);
    return `Pool("${layer.mode}", ${windows.kernelSize}, ${windows.stride}, ${before}, ${layer.padding === 'valid' ? 'True' : 'False'})`;
  },
  stateful: layer => kind.traits(layer).carries,
  code: layer => (kind.traits(layer).carries ? CAUSAL : CODE),
};

const CAUSAL = `class CausalPool(nn.Module):
    """The largest or the mean of the newest steps. Reads (steps, batch, width); its state is the steps it still needs."""

    def __init__(self, mode, kernel_size):
        super().__init__()
        self.take = (lambda x: x.amax(0)) if mode == "max" else (lambda x: x.mean(0))
        self.kernel_size = kernel_size

    def forward(self, x, before=None):
        whole = x if before is None else torch.cat([before, x])
        ends = range(len(whole) - len(x) + 1, len(whole) + 1)
        y = torch.stack([self.take(whole[max(0, end - self.kernel_size):end]) for end in ends])
        return y, whole[max(0, len(whole) - self.kernel_size + 1):]

`;

const CODE = `class Pool(nn.Module):
    """The largest or the mean of the steps of each window, of those that are there. Reads (steps, batch, width)."""

    def __init__(self, mode, kernel_size=None, stride=1, before=0, whole=False):
        super().__init__()
        self.take = (lambda x: x.amax(0)) if mode == "max" else (lambda x: x.mean(0))
        self.kernel_size, self.stride, self.before, self.whole = kernel_size, stride, before, whole

    def forward(self, x):
        if self.kernel_size is None:
            return self.take(x)[None]
        starts = range(0, max(1, len(x) - self.kernel_size + 1) if self.whole else len(x), self.stride)
        windows = [x[max(0, t - self.before):max(0, t - self.before + self.kernel_size)] for t in starts]
        return torch.stack([self.take(window) for window in windows])

`;
