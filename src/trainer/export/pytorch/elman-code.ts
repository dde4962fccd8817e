// What the exported layers of one recurrent matrix share: their loop over time.
import type { RnnActivation } from '../../../experiment/layers/rnn.ts';

const FUNCTIONS: Readonly<Record<RnnActivation, string>> = {
  tanh: 'torch.tanh',
  relu: 'torch.relu',
  sigmoid: 'torch.sigmoid',
  'leaky-relu': 'nn.functional.leaky_relu',
  linear: '',
};

/** φ(sums) in Python. */
export function phi(activation: RnnActivation, sums: string): string {
  return activation === 'linear' ? sums : `${FUNCTIONS[activation]}(${sums})`;
}

/** The lines of `forward`, in which `step` makes the next h of x_t and h. */
export function elmanForward(step: string, before: readonly string[] = []): string {
  return `    def forward(self, x, h=None):
        if h is None:
            h = x.new_zeros(x.shape[1], self.bias.shape[0])
${before.map(line => `        ${line}\n`).join('')}        outputs = []
        for x_t in nn.functional.linear(x, self.weight_ih, self.bias):
            h = ${step}
            outputs.append(h)
        return torch.stack(outputs), h
`;
}
