# requirements: torch==2.13.0 (transformers==5.18.0 for rotary positions and slopes)
# Golden values of Transformer layers: outputs and the gradients of every weight, the loss the sum of y dy over valid
# steps. torch.nn.TransformerEncoderLayer and TransformerDecoderLayer where they have the variant,
# elsewhere a block around scaled_dot_product_attention with transformers' rotations (Llama) and slopes (Bloom).
# Run: python test/golden/transformer_layers.py
import torch
from attention_masks import seen_by
from common import draw, write

nn = torch.nn
D, O, HIDDEN = 8, 2, 3


class Own(nn.Module):
    """A block of heads that may share keys and values, with rotations or slopes, and a gate in the dense parts."""

    def __init__(self, heads, kv_heads, norm, positions, activation):
        super().__init__()
        E = D // heads * kv_heads
        self.heads, self.kv_heads, self.norm, self.positions, self.activation = heads, kv_heads, norm, positions, activation
        self.norm1, self.norm2 = nn.LayerNorm(D), nn.LayerNorm(D)
        self.self_attn = nn.Module()
        self.self_attn.in_proj_weight = nn.Parameter(torch.randn(D + 2 * E, D) * 0.4)
        self.self_attn.in_proj_bias = nn.Parameter(torch.randn(D + 2 * E) * 0.4)
        self.self_attn.out_proj = nn.Linear(D, D)
        self.linear1, self.linear2 = nn.Linear(D, HIDDEN), nn.Linear(HIDDEN, D)
        if activation == "swiglu":
            self.gate = nn.Linear(D, HIDDEN)

    def attend(self, x, allowed):
        T, B, _ = x.shape
        size = D // self.heads
        E = self.kv_heads * size
        qkv = nn.functional.linear(x, self.self_attn.in_proj_weight, self.self_attn.in_proj_bias)
        # (B, heads, T, size)
        q, k, v = (part.reshape(T, B, -1, size).permute(1, 2, 0, 3) for part in qkv.split([D, E, E], 2))
        bias = torch.zeros(B, self.heads, T, T)
        if self.positions == "rotary":
            from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

            frequencies = 10000 ** (-torch.arange(0, size, 2) / size)
            angles = torch.arange(T)[:, None] * frequencies[None]
            angles = torch.cat([angles, angles], 1)[None]
            q, k = apply_rotary_pos_emb(q, k, angles.cos(), angles.sin())
        if self.positions == "alibi":
            from transformers.models.bloom.modeling_bloom import build_alibi_tensor

            # m times the place of the key, to which the softmax of a causal row adds a constant
            of_keys = build_alibi_tensor(torch.ones(B, T), self.heads, torch.float64).reshape(B, self.heads, 1, T)
            bias = bias + of_keys
        bias = bias.masked_fill(~allowed[:, None], -torch.inf)
        y = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=bias, enable_gqa=True)
        return self.self_attn.out_proj(y.permute(2, 0, 1, 3).reshape(T, B, D))

    def dense(self, x):
        if self.activation == "swiglu":
            return self.linear2(nn.functional.silu(self.gate(x)) * self.linear1(x))
        return self.linear2(getattr(nn.functional, self.activation)(self.linear1(x)))

    def forward(self, x, allowed):
        if self.norm == "pre":
            x = x + self.attend(self.norm1(x), allowed)
            return x + self.dense(self.norm2(x))
        x = self.norm1(x + self.attend(x, allowed))
        return self.norm2(x + self.dense(x))


def valid_steps(T, B, lengths):
    return torch.arange(T)[None] < torch.tensor(lengths or [T] * B)[:, None]


def allowed_pairs(T, B, lengths, causal, window, mask):
    """(B, T, T); a padded query looks at the first step, so that it is finite."""
    stride = mask.get("strided", 0)
    rule = dict(window=window or mask.get("window", 0) or stride, dilation=mask.get("dilation", 1), stride=stride,
                globals_=mask.get("global", 0))
    keys = valid_steps(T, B, lengths)
    allowed = seen_by(T, T, causal, 0, **rule)[None] & keys[:, None]
    return allowed | (~allowed.any(2, keepdim=True) & (torch.arange(T) == 0))


def sinusoids(T):
    t, j = torch.arange(T)[:, None], torch.arange(D)[None]
    angles = t / 10000 ** ((j - j % 2) / D)
    return torch.where(j % 2 == 0, angles.sin(), angles.cos())


class Stack(nn.Module):
    """Blocks of one kind behind their positions, as one of our layers."""

    def __init__(self, spec, T, memory=None):
        super().__init__()
        self.spec = spec
        heads, positions = spec.get("heads", 4), spec.get("positions", "learned")
        activation, pre = spec.get("activation", "gelu"), spec.get("norm", "pre") == "pre"
        kv_heads = spec.get("kvHeads", heads)
        own = positions in ("rotary", "alibi") or activation == "swiglu" or kv_heads != heads
        self.positions = nn.Parameter(torch.randn(T, D)) if positions == "learned" else None
        kind = nn.TransformerDecoderLayer if spec.get("crossAttention") else nn.TransformerEncoderLayer
        make = (lambda: Own(heads, kv_heads, spec.get("norm", "pre"), positions, activation)) if own else (
            lambda: kind(D, heads, HIDDEN, 0.0, activation, norm_first=pre))
        self.blocks = nn.ModuleList([make() for _ in range(spec.get("layers", 1))])

    def forward(self, x, lengths, source=None, source_lengths=None):
        T, B, _ = x.shape
        if self.positions is not None:
            x = x + self.positions[:T, None]
        if self.spec.get("positions") == "sinusoidal":
            x = x + sinusoids(T)[:, None]
        spec = self.spec
        allowed = allowed_pairs(T, B, lengths, spec.get("causal", True), spec.get("window"), spec.get("mask", {}))
        for block in self.blocks:
            if isinstance(block, Own):
                x = block(x, allowed)
                continue
            heads = spec.get("heads", 4)
            hidden = ~allowed.repeat_interleave(heads, 0)
            if spec.get("crossAttention"):
                padding = ~valid_steps(source.shape[0], B, source_lengths)
                x = block(x, source, tgt_mask=hidden, memory_key_padding_mask=padding)
            else:
                x = block(x, src_mask=hidden)
        return x


def our_weights(prefix, module):
    """By our names; what torch keeps in one matrix for queries, keys and values of two sequences stands in two."""
    named = {}
    for name, parameter in module.named_parameters():
        if "multihead_attn.in_proj_" in name:
            begin, end = name.split("in_proj_")
            named[f"{prefix}.{begin}q_proj.{end}"] = (parameter, slice(0, D))
            named[f"{prefix}.{begin}kv_proj.{end}"] = (parameter, slice(D, None))
        else:
            named[f"{prefix}.{name}"] = (parameter, slice(None))
    return named


def case(name, layer, T=6, B=3, lengths=None, encoder=None, S=5, source_lengths=None):
    layer = {"type": "transformer", "hidden": HIDDEN, **layer}
    modules = {"layers.0": Stack(layer, T), "layers.1": nn.Linear(D, O)}
    if encoder:
        encoder = {"type": "transformer", "hidden": HIDDEN, **encoder}
        modules["encoder.0"] = Stack(encoder, T)
    for module in modules.values():
        for parameter in module.parameters():
            with torch.no_grad():
                if parameter.dim() == 1:
                    parameter.add_(torch.randn_like(parameter) * 0.3)
                parameter.copy_((parameter * 1024).round() / 1024)
    x, dy = draw(T, B, D), draw(T, B, O)
    valid = valid_steps(T, B, lengths).T[..., None]
    dy = dy * valid
    source = draw(S, B, D) if encoder else None
    states = modules["encoder.0"](source, source_lengths) if encoder else None
    y = modules["layers.1"](modules["layers.0"](x, lengths, states, source_lengths))
    (y * dy).sum().backward()
    weights = {}
    for prefix, module in modules.items():
        weights.update(our_weights(prefix, module))
    return {"name": name, "layers": [layer, {"type": "dense"}], "encoder": [encoder] if encoder else None, "input": x,
            "lengths": lengths, "source": source, "sourceLengths": source_lengths, "dy": dy,
            "outputs": (y * valid).detach(),
            "weights": {key: parameter[rows].detach() for key, (parameter, rows) in weights.items()},
            "gradients": {key: parameter.grad[rows] for key, (parameter, rows) in weights.items()}}


if __name__ == "__main__":
    full, plain = {"causal": False}, {"positions": "none"}
    write("transformer_layers", "Transformer layers; the loss is the sum of y dy.", [
        case("post-norm, two blocks, learned positions", {"norm": "post", "layers": 2}),
        case("post-norm, relu, full, unequal lengths", {"norm": "post", "activation": "relu", "positions": "sinusoidal", **full},
             lengths=[6, 2, 4]),
        case("pre-norm, full, unequal lengths", {"heads": 2, **full}, lengths=[3, 6, 1]),
        case("rotary positions", {"positions": "rotary", "heads": 2}),
        case("rotary positions, heads that share keys, swiglu, full, unequal lengths",
             {"positions": "rotary", "heads": 4, "kvHeads": 2, "activation": "swiglu", **full}, lengths=[6, 1, 4]),
        case("one head of keys, post-norm", {"kvHeads": 1, "norm": "post", **plain}),
        case("swiglu with learned positions", {"activation": "swiglu"}),
        case("slopes (ALiBi) of four heads", {"positions": "alibi"}),
        case("slopes (ALiBi) of eight heads, unequal lengths", {"positions": "alibi", "heads": 8}, lengths=[6, 5, 2]),
        case("a window of every second step", {"mask": {"window": 2, "dilation": 2}, **plain}, T=9, B=1),
        case("a window and a global step, full", {"mask": {"window": 2, "global": 1}, **plain, **full}, T=9, B=1),
        case("strided", {"mask": {"strided": 3}, **plain}, T=10, B=1),
    ])
    write("transformer_decoders", "Decoders of an encoder; the loss is the sum of y dy.", [
        case("a decoder of an encoder, pre-norm", {"crossAttention": True, "heads": 2},
             encoder={"heads": 2, **full}, source_lengths=[5, 1, 3]),
        case("a decoder of an encoder, post-norm, relu, unequal lengths",
             {"crossAttention": True, "norm": "post", "activation": "relu", "positions": "sinusoidal"},
             lengths=[6, 3, 5], encoder={"norm": "post", "activation": "relu", "positions": "sinusoidal", **full},
             source_lengths=[2, 5, 4]),
    ], "transformer_layers")
