// DeltaNet as a loop over time.
import { memoryLayer } from './memory-code.ts';

export const deltanet = memoryLayer<'deltanet'>({
  name: 'DeltaNet',
  paper: 'DeltaNet (arXiv 2102.11174, 2406.06484)',
  takes: 'convSize',
  maps: [['beta', 'inputs', 'heads', false]],
  forward: `        q, k, v = (self.read(name, x, states) for name in "qkv")
        q = unit(q, self.heads) * len(self.norm.weight) ** -0.5
        o = self.remember(q, unit(k, self.heads), v, states, strength=torch.sigmoid(self.beta(x)), delta=True)
        return self.out(self.norm(o)), states`,
});
