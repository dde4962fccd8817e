// RWKV-7's time mixing as a loop over time.
import { headsOf } from '../../../experiment/layers/linear-recurrence.ts';
import type { PyTorchLayer } from './kind.ts';
import { linears } from './memory-code.ts';

export const rwkv: PyTorchLayer<'rwkv'> = {
  module: (layer, { inputs }) =>
    `Rwkv(${inputs}, ${layer.units}, ${headsOf(layer, layer.units)}, ${layer.rank})`,
  stateful: true,
  code: () => `class Rwkv(nn.Module):
    """The time mixing of RWKV-7 (arXiv 2503.14456). Reads (steps, batch, inputs)."""

    def __init__(self, inputs, units, heads, rank):
        super().__init__()
        self.heads, self.norm = heads, nn.GroupNorm(heads, units, eps=64e-5)
        for name in "rwkvag":
            self.register_parameter(f"mix_{name}", nn.Parameter(torch.zeros(inputs)))
        self.k_k, self.k_a, self.r_k = (nn.Parameter(torch.zeros(units)) for _ in range(3))
${linears([
  ['r', 'inputs', 'units', false],
  ['k', 'inputs', 'units', false],
  ['v', 'inputs', 'units', false],
  ['w_in', 'inputs', 'rank', false],
  ['a_in', 'inputs', 'rank', false],
  ['g_in', 'inputs', 'rank', false],
  ['w_out', 'rank', 'units', true],
  ['a_out', 'rank', 'units', true],
  ['g_out', 'rank', 'units', false],
  ['out', 'units', 'units', false],
])}

    def forward(self, x, state=None):
        split = lambda y: y.unflatten(-1, (self.heads, -1))
        S, before = (None, torch.zeros_like(x[0])) if state is None else state
        change = torch.cat([before[None], x[:-1]]) - x
        mixed = {name: x + getattr(self, f"mix_{name}") * change for name in "rwkvag"}
        r, k, v = split(self.r(mixed["r"])), self.k(mixed["k"]), split(self.v(mixed["v"]))
        w = split(torch.exp(-0.6065306597126334 * torch.sigmoid(self.w_out(torch.tanh(self.w_in(mixed["w"]))))))
        a = torch.sigmoid(self.a_out(self.a_in(mixed["a"])))
        g = self.g_out(torch.sigmoid(self.g_in(mixed["g"])))
        kappa = split(k * self.k_k)
        kappa = kappa * torch.rsqrt(kappa.square().sum(-1, keepdim=True) + 1e-12)
        k, a = split(k * (1 + (a - 1) * self.k_a)), split(a)
        S, outputs = v.new_zeros(*v.shape[1:], k.shape[-1]) if S is None else S, []
        for t in range(len(x)):
            removed = (S @ kappa[t][..., None]) * (kappa[t] * a[t])[..., None, :]
            S = S * w[t][..., None, :] - removed + v[t][..., None] * k[t][..., None, :]
            outputs.append((S @ r[t][..., None])[..., 0].flatten(-2))
        o = torch.stack(outputs)
        own = ((r * k * split(self.r_k)).sum(-1, keepdim=True) * v).flatten(-2)
        return self.out((self.norm(o.flatten(0, 1)).view_as(o) + own) * g), (S, x[-1])

`,
};
