// Gated linear attention as a loop over time.
import { memoryLayer } from './memory-code.ts';

export const gla = memoryLayer<'gla'>({
  name: 'Gla',
  paper: 'Gated linear attention (arXiv 2312.06635)',
  takes: 'rank',
  maps: [
    ['gate', 'inputs', 'units', false],
    ['decay_in', 'inputs', 'rank', false],
    ['decay_out', 'rank', 'units', true],
  ],
  forward: `        decay = torch.exp(nn.functional.logsigmoid(self.decay_out(self.decay_in(x))) / 16)
        q = self.q(x) * len(self.norm.weight) ** -0.5
        o = self.remember(q, self.k(x), self.v(x), states, self.split(decay))
        return self.out(self.norm(o) * nn.functional.silu(self.gate(x))), states`,
});
