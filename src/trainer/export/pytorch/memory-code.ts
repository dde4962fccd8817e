// Python that the exported layers of linear recurrences share: loops over time, short convolutions, norms by heads, and the
// classes of the layers with a matrix memory.
import type { LayerType } from '../../../experiment/layers/index.ts';
import { headsOf } from '../../../experiment/layers/linear-recurrence.ts';
import type { PyTorchLayer } from './kind.ts';

export const LINEAR_LOOP = `def linear_loop(a, b, h=None):
    """h_t = a_t h_{t-1} + b_t over the first axis, and the last state."""
    h, states = torch.zeros_like(b[0]) if h is None else h, []
    for a_t, b_t in zip(a, b):
        h = a_t * h + b_t
        states.append(h)
    return torch.stack(states), h

`;

export const MEMORY = `class ShortConvolution(nn.Module):
    """A causal convolution of each channel by itself. Reads (steps, batch, width), with the inputs before."""

    def __init__(self, width, size):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.zeros(width, size)), nn.Parameter(torch.zeros(width))

    def forward(self, x, before=None):
        size = self.weight.shape[1]
        before = x.new_zeros(size - 1, *x.shape[1:]) if before is None else before
        x = torch.cat([before, x])
        y = nn.functional.conv1d(x.permute(1, 2, 0), self.weight[:, None], self.bias, groups=len(self.weight))
        return y.permute(2, 0, 1), x[len(x) - size + 1:]


class HeadNorm(nn.Module):
    """Each head divided by its root mean square; all heads share the weight."""

    def __init__(self, size):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, x):
        heads = x.unflatten(-1, (-1, len(self.weight)))
        return (heads * torch.rsqrt(heads.square().mean(-1, keepdim=True) + 1e-5) * self.weight).flatten(-2)


class Memory(nn.Module):
    """What layers with a matrix memory share: projections, short convolutions, a loop over time."""

    def split(self, x):
        return x.unflatten(-1, (self.heads, -1))

    def read(self, name, x, states):
        """silu(conv(W x)); the convolution's last inputs replace its state."""
        x = getattr(self, name)(x)
        conv = getattr(self, f"{name}_conv", None)
        if conv is not None:
            x, states[name] = conv(x, states.get(name))
        return nn.functional.silu(x)

    def remember(self, q, k, v, states, decay=None, strength=None, delta=False):
        """q, k, v (steps, batch, width); decay (…, heads, 1 or K), strength (…, heads). S is (batch, heads, V, K)."""
        q, k, v = self.split(q), self.split(k), self.split(v)
        S, outputs = states.get("S"), []
        if S is None:
            S = v.new_zeros(*v.shape[1:], k.shape[-1])
        for t in range(len(q)):
            if decay is not None:
                S = S * decay[t][..., None, :]
            written = v[t]
            if delta:
                written = written - (S @ k[t][..., None])[..., 0]
            if strength is not None:
                written = written * strength[t][..., None]
            S = S + written[..., None] * k[t][..., None, :]
            outputs.append((S @ q[t][..., None])[..., 0].flatten(-2))
        states["S"] = S
        return torch.stack(outputs)


def unit(x, heads):
    x = x.unflatten(-1, (heads, -1))
    return (x * torch.rsqrt(x.square().sum(-1, keepdim=True) + 1e-6)).flatten(-2)

`;

type Linear = [name: string, inputs: string, outputs: string, bias: boolean];

/** nn.Linear as members. */
export function linears(all: readonly Linear[]): string {
  return all
    .map(
      ([name, inputs, outputs, bias]) =>
        `self.${name} = nn.Linear(${inputs}, ${outputs}${bias ? '' : ', bias=False'})`,
    )
    .map(line => `        ${line}`)
    .join('\n');
}

interface MemoryClass {
  name: string;
  /** the docstring's first words, with the paper */
  paper: string;
  /** the field that the class takes beside its widths and heads; 'convSize': q, k and v may go through a short convolution */
  takes?: 'convSize' | 'rank';
  /** members beside the linear maps */
  members?: string;
  /** linear maps beside those of queries, keys, values and outputs */
  maps?: readonly Linear[];
  /** the rest of `forward`, which returns the outputs and `states` */
  forward: string;
}

/** The form of a layer of queries, keys and values with a matrix memory, as a loop over time. */
export function memoryLayer<T extends LayerType>(own: MemoryClass): PyTorchLayer<T> {
  const { name, takes, members = 'self.heads, self.norm = heads, HeadNorm(units // heads)' } = own;
  const convolves = takes === 'convSize';
  const names = ['inputs', 'units', 'heads', ...(takes ? [convolves ? 'conv_size' : takes] : [])];
  return {
    module(layer, { inputs }) {
      const sized = layer as unknown as { units: number; heads?: number; convSize: number; rank: number };
      const all = [inputs, sized.units, headsOf(sized, sized.units), ...(takes ? [sized[takes]] : [])];
      return `${name}(${all.join(', ')})`;
    },
    stateful: true,
    code: () => `${MEMORY}
class ${name}(Memory):
    """${own.paper}. Reads (steps, batch, inputs)."""

    def __init__(self, ${names.join(', ')}):
        super().__init__()
        ${members}
${linears([
  ...['q', 'k', 'v'].map((each): Linear => [each, 'inputs', 'units', false]),
  ...(own.maps ?? []),
  ['out', 'units', 'units', false],
])}
${convolves ? CONVOLUTIONS : ''}
    def forward(self, x, states=None):
        states = dict(states or {})
${own.forward}

`,
  };
}

const CONVOLUTIONS = `        if conv_size > 1:
            self.q_conv, self.k_conv, self.v_conv = (ShortConvolution(units, conv_size) for _ in range(3))
`;
