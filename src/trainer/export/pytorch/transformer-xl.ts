// Transformer-XL's blocks with their memories, as a module that carries what it has read.
import { hiddenOf } from '../../../experiment/layers/transformer.ts';
import { memoryLength, memorySlots } from '../../../experiment/layers/transformer-xl.ts';
import type { PyTorchLayer } from './kind.ts';

export const transformerXl: PyTorchLayer<'transformer-xl'> = {
  stateful: true,
  module(layer, { inputs, steps }) {
    const { heads, layers, activation, dropout, norm, compression } = layer;
    const options = [inputs, heads, hiddenOf(layer, inputs), layers, `"${activation}"`, dropout];
    options.push(`memory=${memoryLength(layer, steps)}`);
    if (norm === 'post') options.push('norm_first=False');
    if (compression !== undefined)
      options.push(`compression=${compression}`, `compressed=${memorySlots(layer, steps).compressed}`);
    return `TransformerXL(${options.join(', ')})`;
  },
  code: () => CODE,
};

const CODE = `class TransformerXL(nn.Module):
    """Blocks that see \`memory\` steps before a step; with compression segments of so many, and means of older steps."""

    def __init__(self, width, heads, hidden, layers, activation, dropout, memory, norm_first=True, compression=None,
                 compressed=0):
        super().__init__()
        self.memory, self.compression, self.compressed = memory, compression, compressed
        self.blocks = nn.ModuleList([
            XLBlock(width, heads, hidden, activation, dropout, norm_first) for _ in range(layers)
        ])

    def forward(self, x, state=None):
        empty = x.new_zeros(0, *x.shape[1:])
        state = [(empty, empty)] * len(self.blocks) if state is None else state
        after = []
        for block, (before, old) in zip(self.blocks, state):
            x, kept = self.read(block, x, before, old)
            after.append(kept)
        return x, after

    def read(self, block, x, before, old):
        history = torch.cat([before, x])
        if self.compression is None:
            y = block(x, before, self.memory + 1)
            return y, (history[-self.memory:].detach(), old)
        parts, t = [], 0
        gone = 0
        while t < len(x):
            end = min(len(x), gone + 2 * self.memory - len(before))
            rows = torch.cat([old, history[gone:len(before) + t]])
            parts.append(block(x[t:end], rows, None))
            t = end
            if len(before) + t == gone + 2 * self.memory:
                fresh = history[gone:gone + self.memory]
                means = fresh.reshape(-1, self.compression, *x.shape[1:]).mean(1)
                old = torch.cat([old, means])[-self.compressed:]
                gone += self.memory
        return torch.cat(parts), (history[gone:].detach(), old.detach())


class XLBlock(nn.Module):
    def __init__(self, width, heads, hidden, activation, dropout, norm_first):
        super().__init__()
        self.heads, self.activation, self.norm_first, self.dropout = heads, activation, norm_first, nn.Dropout(dropout)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        attention = nn.Module()
        attention.q, attention.kv = nn.Linear(width, width, bias=False), nn.Linear(width, 2 * width, bias=False)
        attention.r, attention.out = nn.Linear(width, width, bias=False), nn.Linear(width, width, bias=False)
        attention.u, attention.v = nn.Parameter(torch.zeros(width)), nn.Parameter(torch.zeros(width))
        self.self_attn = attention
        self.linear1, self.linear2 = nn.Linear(width, hidden), nn.Linear(hidden, width)
        if activation == "swiglu":
            self.gate = nn.Linear(width, hidden)

    def attend(self, x, before, window):
        a, steps = self.self_attn, len(x)
        rows = torch.cat([before, x])
        by_heads = lambda y: y.reshape(*y.shape[:-1], self.heads, -1)
        q = a.q(x)
        k, v = (by_heads(part) for part in a.kv(rows).chunk(2, -1))
        r = by_heads(a.r(xl_distances(len(rows), x.shape[-1]).to(x)))
        t, s = torch.arange(len(before), len(rows))[:, None], torch.arange(len(rows))[None]
        apart = (t - s).to(x.device)
        scores = torch.einsum("tbhj,sbhj->bhts", by_heads(q + a.u), k)
        by_distance = torch.einsum("tbhj,dhj->bhtd", by_heads(q + a.v), r)
        index = apart.clamp(min=0).expand(*scores.shape[:2], -1, -1)
        scores = (scores + by_distance.gather(3, index)) / k.shape[-1] ** 0.5
        hidden = (apart < 0) | (apart >= (window or len(rows)))
        shares = scores.masked_fill(hidden, -torch.inf).softmax(3)
        return a.out(torch.einsum("bhts,sbhj->tbhj", shares, v).reshape(steps, *x.shape[1:]))

    def dense(self, x):
        if self.activation == "swiglu":
            inner = nn.functional.silu(self.gate(x)) * self.linear1(x)
        else:
            inner = getattr(nn.functional, self.activation)(self.linear1(x))
        return self.linear2(self.dropout(inner))

    def forward(self, x, before, window):
        if self.norm_first:
            x = x + self.dropout(self.attend(self.norm1(x), self.norm1(before), window))
            return x + self.dropout(self.dense(self.norm2(x)))
        x = self.norm1(x + self.dropout(self.attend(x, before, window)))
        return self.norm2(x + self.dropout(self.dense(x)))


def xl_distances(count, width):
    j = torch.arange(width)
    angles = torch.arange(count, dtype=torch.float64)[:, None] / 10000 ** ((j - j % 2) / width)
    return torch.where(j % 2 == 0, angles.sin(), angles.cos())

`;
