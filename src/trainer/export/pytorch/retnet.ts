// Retention as a loop over time.
import { memoryLayer } from './memory-code.ts';

export const retnet = memoryLayer<'retnet'>({
  name: 'Retention',
  paper: 'Retention without rotation (arXiv 2307.08621)',
  maps: [['gate', 'inputs', 'units', false]],
  forward: `        decay = (1 - 2.0 ** (-5 - torch.arange(self.heads).to(x)))[:, None].expand(*x.shape[:2], -1, -1)
        k = self.k(x) * len(self.norm.weight) ** -0.5
        o = self.remember(self.q(x), k, self.v(x), states, decay)
        return self.out(self.norm(o) * nn.functional.silu(self.gate(x))), states`,
});
