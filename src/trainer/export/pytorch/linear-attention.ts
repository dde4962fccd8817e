// Linear attention as a loop over time.
import { memoryLayer } from './memory-code.ts';

export const linearAttention = memoryLayer<'linear-attention'>({
  name: 'LinearAttention',
  paper: 'Linear attention (arXiv 2006.16236)',
  members: 'self.heads = heads',
  forward: `        q, k = (nn.functional.elu(each) + 1 for each in (self.q(x), self.k(x)))
        o = self.remember(q, k, self.v(x), states)
        n = self.split(k).cumsum(0) + states.get("n", 0)
        states["n"] = n[-1]
        norm = (n * self.split(q)).sum(-1, keepdim=True).clamp(min=1e-6)
        return self.out((self.split(o) / norm).flatten(-2)), states`,
});
