// Transformer blocks as torch.nn.TransformerEncoderLayer with a mask and positions around them; as a block of its own
// where torch's has no such variant: rotations, slopes, shared keys, a gate.
import { maskRuleOf } from '../../../experiment/attention-mask.ts';
import { hiddenOf } from '../../../experiment/layers/transformer.ts';
import type { LayerOf } from '../../../experiment/schema.ts';
import type { PyTorchLayer } from './kind.ts';

type TransformerLayer = LayerOf<'transformer'>;

export const transformer: PyTorchLayer<'transformer'> = {
  module(layer, { inputs, steps }) {
    const { heads, layers, activation, dropout, positions, norm } = layer;
    const options = [inputs, heads, hiddenOf(layer, inputs), layers, `"${activation}"`, dropout];
    if (positions !== 'none') options.push(`positions=${positions === 'learned' ? steps : `"${positions}"`}`);
    if (norm === 'post') options.push('norm_first=False');
    if (isOwn(layer)) options.push(`kv_heads=${layer.kvHeads ?? heads}`);
    options.push(...maskOptions(layer));
    return `${isOwn(layer) ? 'OwnBlocks' : 'TransformerBlocks'}(${options.join(', ')})`;
  },
  code: layer => (isOwn(layer) ? `${BLOCKS}\n${OWN_BLOCKS}` : BLOCKS),
};

function isOwn({ activation, positions, kvHeads, heads }: TransformerLayer): boolean {
  return (
    activation === 'swiglu' ||
    positions === 'rotary' ||
    positions === 'alibi' ||
    (kvHeads !== undefined && kvHeads !== heads)
  );
}

function maskOptions(layer: TransformerLayer): string[] {
  const { causal, window, dilation, stride, globals } = maskRuleOf(layer);
  return [
    ...(causal ? [] : ['causal=False']),
    ...(window > 0 ? [`window=${window}`] : []),
    ...(dilation > 1 ? [`dilation=${dilation}`] : []),
    ...(stride > 0 ? [`stride=${stride}`] : []),
    ...(globals > 0 ? [`first=${globals}`] : []),
  ];
}

const BLOCKS = `class TransformerBlocks(nn.Module):
    """Blocks behind their positions: a table of so many rows, "sinusoidal" or None. \`mask\`: see seen_pairs."""

    def __init__(self, width, heads, hidden, layers, activation, dropout=0.0, positions=None, norm_first=True, **mask):
        super().__init__()
        self.mask = mask
        if positions == "sinusoidal":
            self.positions = sinusoids
        elif isinstance(positions, int):
            self.positions = nn.Parameter(torch.zeros(positions, width))
        else:
            self.positions = None
        make = self.make_block(width, heads, hidden, activation, dropout, norm_first)
        self.blocks = nn.ModuleList([make() for _ in range(layers)])

    def make_block(self, width, heads, hidden, activation, dropout, norm_first):
        def make():
            block = nn.TransformerEncoderLayer(width, heads, hidden, dropout, activation, norm_first=norm_first)
            block.self_attn.dropout = 0.0  # Unroll drops after the attention, not inside it
            return block

        return make

    def forward(self, x):
        steps, _, width = x.shape
        if self.positions is not None:
            table = self.positions(steps, width) if callable(self.positions) else self.positions[:steps]
            x = x + table[:, None].to(x)
        hidden = ~seen_pairs(steps, **self.mask).to(x.device)
        for block in self.blocks:
            x = block(x, src_mask=hidden)
        return x


def sinusoids(steps, width):
    j = torch.arange(width)
    angles = torch.arange(steps, dtype=torch.float64)[:, None] / 10000 ** ((j - j % 2) / width)
    return torch.where(j % 2 == 0, angles.sin(), angles.cos())


def seen_pairs(steps, causal=True, window=0, dilation=1, stride=0, first=0):
    """(steps, steps): whether a step sees another, by a window, every stride-th, or the first ones."""
    t, s = torch.arange(steps)[:, None], torch.arange(steps)[None]
    apart = (t - s).abs()
    seen = torch.full((steps, steps), not (window or stride or first))
    if window:
        seen |= (apart < window * dilation) & (apart % dilation == 0)
    if stride:
        seen |= apart % stride == 0
    seen |= (s < first) | (t < first)
    return seen & (s <= t) if causal else seen

`;

const OWN_BLOCKS = `class OwnBlocks(TransformerBlocks):
    """Heads in groups share keys and values; positions may also be "rotary" or "alibi", activation "swiglu"."""

    def __init__(self, *options, positions=None, kv_heads, **others):
        self.relative, self.kv_heads = positions, kv_heads
        super().__init__(*options, positions=positions, **others)

    def make_block(self, *options):
        return lambda: OwnBlock(*options, self.kv_heads, self.relative)


class OwnBlock(nn.Module):
    def __init__(self, width, heads, hidden, activation, dropout, norm_first, kv_heads, relative):
        super().__init__()
        self.size, self.relative, self.activation, self.norm_first = width // heads, relative, activation, norm_first
        self.heads, self.kv_heads, self.dropout = heads, kv_heads, nn.Dropout(dropout)
        keys = kv_heads * self.size
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.self_attn = nn.Module()
        self.self_attn.in_proj_weight = nn.Parameter(torch.zeros(width + 2 * keys, width))
        self.self_attn.in_proj_bias = nn.Parameter(torch.zeros(width + 2 * keys))
        self.self_attn.out_proj = nn.Linear(width, width)
        self.linear1, self.linear2 = nn.Linear(width, hidden), nn.Linear(hidden, width)
        if activation == "swiglu":
            self.gate = nn.Linear(width, hidden)

    def attend(self, x, hidden):
        steps, batch, width = x.shape
        keys = self.kv_heads * self.size
        qkv = nn.functional.linear(x, self.self_attn.in_proj_weight, self.self_attn.in_proj_bias)
        parts = qkv.split([width, keys, keys], 2)
        q, k, v = (part.reshape(steps, batch, -1, self.size).permute(1, 2, 0, 3) for part in parts)
        t = torch.arange(steps, device=x.device)
        bias = torch.zeros(self.heads, steps, steps, device=x.device)
        if self.relative == "rotary":
            q, k = (rotated(part) for part in (q, k))
        if self.relative == "alibi":
            bias = bias - slopes(self.heads).to(x)[:, None, None] * (t[:, None] - t[None]).abs()
        bias = bias.masked_fill(hidden, -torch.inf)
        y = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=bias.to(q), enable_gqa=True)
        return self.self_attn.out_proj(y.permute(2, 0, 1, 3).reshape(steps, batch, width))

    def dense(self, x):
        if self.activation == "swiglu":
            inner = nn.functional.silu(self.gate(x)) * self.linear1(x)
        else:
            inner = getattr(nn.functional, self.activation)(self.linear1(x))
        return self.linear2(self.dropout(inner))

    def forward(self, x, src_mask):
        if self.norm_first:
            x = x + self.dropout(self.attend(self.norm1(x), src_mask))
            return x + self.dropout(self.dense(self.norm2(x)))
        x = self.norm1(x + self.dropout(self.attend(x, src_mask)))
        return self.norm2(x + self.dropout(self.dense(x)))


def rotated(x):
    """Numbers j and j + size/2 of a head turned by the angle t / 10000^(2j/size)."""
    steps, size = x.shape[-2:]
    frequencies = 10000 ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)
    angles = torch.arange(steps, dtype=torch.float64)[:, None] * frequencies
    cos, sin = angles.cos().to(x), angles.sin().to(x)
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)


def slopes(heads):
    power = 2 ** (heads.bit_length() - 1)
    of = lambda count, i: 2 ** (-8 * i / count)
    return torch.tensor([of(power, h + 1) if h < power else of(2 * power, 2 * (h - power) + 1) for h in range(heads)])

`;
