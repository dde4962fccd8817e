// Gated DeltaNet as a loop over time.
import { memoryLayer } from './memory-code.ts';

export const gatedDeltanet = memoryLayer<'gated-deltanet'>({
  name: 'GatedDeltaNet',
  paper: 'Gated DeltaNet (arXiv 2412.06464)',
  takes: 'convSize',
  members:
    'self.heads, self.norm, self.A_log = heads, HeadNorm(units // heads), nn.Parameter(torch.zeros(heads))',
  maps: [
    ['gate', 'inputs', 'units', false],
    ['beta', 'inputs', 'heads', false],
    ['decay', 'inputs', 'heads', true],
  ],
  forward: `        q, k, v = (self.read(name, x, states) for name in "qkv")
        q = unit(q, self.heads) * len(self.norm.weight) ** -0.5
        decay = torch.exp(-self.A_log.exp() * nn.functional.softplus(self.decay(x)))
        o = self.remember(q, unit(k, self.heads), v, states, decay[..., None], torch.sigmoid(self.beta(x)), delta=True)
        return self.out(self.norm(o) * nn.functional.silu(self.gate(x))), states`,
});
