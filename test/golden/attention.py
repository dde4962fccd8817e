# requirements: torch==2.13.0
# Golden values of attention from queries to keys and values of other steps, under masks: outputs, the share of each key,
# and the gradients of queries, keys and values, from torch's scaled_dot_product_attention.
# Run: python test/golden/attention.py
import torch
from attention_masks import seen_by
from common import draw, write


def attention(name, T, S, B, heads, size, lengths=None, query_lengths=None, causal=False, offset=0, window=0, dilation=1,
              stride=0, globals_=0, scale=1.0, kv_heads=None, starts=None, slopes=None, relative=False):
    D, shared = heads * size, kv_heads or heads
    q = draw(T, B, D, scale=scale).requires_grad_()
    kv = draw(S, B, 2 * shared * size, scale=scale).requires_grad_()
    dy = draw(T, B, D)

    def split(part):
        by_heads = part.reshape(part.shape[0], B, -1, size).permute(1, 2, 0, 3)
        return by_heads.repeat_interleave(heads // by_heads.shape[1], 1)

    keys = torch.arange(S) < torch.tensor(lengths or [S] * B)[:, None]
    keys &= torch.arange(S) >= torch.tensor(starts or [0] * B)[:, None]
    queries = torch.arange(T) < torch.tensor(query_lengths or [T] * B)[:, None]
    mask = seen_by(T, S, causal, offset, window, dilation, stride, globals_)[None] & keys[:, None, :] & queries[:, :, None]
    some = mask.any(2)
    # rows that see nothing look at the first key here, so that they are finite, and are zeroed after
    mask = mask | (~some[:, :, None] & (torch.arange(S) == 0))
    k, v = kv.chunk(2, 2)
    apart = torch.arange(T)[:, None] + offset - torch.arange(S)[None]
    added = torch.zeros(B, heads, T, S)
    if slopes is not None:
        added = added - slopes[:, None, None] * apart.abs()
    terms = {}
    if relative:
        u, r = draw(T, B, D).requires_grad_(), draw(S, D).requires_grad_()
        # (T, S, heads, size): for each pair the row of its distance
        rows = r[apart.clamp(min=0)].reshape(T, S, heads, size)
        added = added + torch.einsum("bhtj,tshj->bhts", split(u), rows) / size**0.5
        terms = {"qRelative": u, "relative": r}
    bias = added.masked_fill(~mask[:, None], float("-inf"))
    out = torch.nn.functional.scaled_dot_product_attention(split(q), split(k), split(v), attn_mask=bias)
    y = (out * some[:, None, :, None]).permute(2, 0, 1, 3).reshape(T, B, D)
    scores = split(q) @ split(k).transpose(2, 3) / size**0.5 + added
    weights = scores.masked_fill(~mask[:, None], float("-inf")).softmax(3) * some[:, None, :, None]
    (y * dy).sum().backward()
    return {"operation": "attention", "name": name, "heads": heads, "causal": causal, "offset": offset, "window": window,
            "dilation": dilation, "stride": stride, "globals": globals_, "lengths": lengths,
            "queryLengths": query_lengths, "q": q, "kv": kv, "y": y, "weights": weights, "dy": dy,
            **({"kvHeads": kv_heads} if kv_heads else {}), **({"starts": starts} if starts else {}),
            **({"slopes": slopes} if slopes is not None else {}), **terms,
            "gradients": {"q": q.grad, "kv": kv.grad, **{key: value.grad for key, value in terms.items()}}}


write("attention", "Attention of queries to keys and values of other steps; the loss is the sum of y dy.", [
    attention("cross, 4 queries, 7 keys", 4, 7, 2, 2, 3),
    attention("cross, unequal lengths of keys", 5, 6, 4, 1, 4, lengths=[3, 6, 0, 1]),
    attention("cross, unequal lengths of both", 5, 3, 3, 2, 2, lengths=[1, 3, 2], query_lengths=[5, 0, 2]),
    attention("one query behind a cache of 6", 1, 7, 2, 2, 3, causal=True, offset=6),
    attention("two queries behind a cache, windows", 2, 9, 1, 1, 5, causal=True, offset=7, window=3),
    attention("queries beyond all keys see nothing", 6, 3, 1, 1, 2, causal=True, window=2),
    attention("causal window of every third", 11, 11, 1, 1, 3, causal=True, window=3, dilation=3),
    attention("window of every second, both ways, lengths", 9, 9, 2, 2, 2, window=2, dilation=2, lengths=[9, 5]),
    attention("windows and two global steps", 10, 10, 2, 1, 3, window=2, globals_=2, lengths=[10, 7]),
    attention("causal, global steps and a dilated window", 12, 12, 1, 2, 2, causal=True, window=2, dilation=2, globals_=1),
    attention("strided", 13, 13, 1, 1, 3, causal=True, window=3, stride=4),
    attention("stride alone", 8, 8, 1, 2, 2, stride=3),
    attention("70 keys, large scores", 3, 70, 1, 1, 2, stride=9, globals_=3, scale=2.0),
    attention("four heads share two heads of keys", 5, 5, 2, 4, 3, causal=True, kv_heads=2),
    attention("heads share one head of keys, unequal lengths", 4, 6, 3, 3, 2, lengths=[6, 2, 4], kv_heads=1),
    attention("keys that begin late", 4, 7, 3, 1, 3, causal=True, offset=3, starts=[0, 3, 2]),
    attention("slopes, causal", 9, 9, 1, 2, 3, causal=True, slopes=torch.tensor([0.25, 0.0625])),
    attention("slopes, both ways, every second", 9, 9, 2, 1, 3, window=3, dilation=2, slopes=torch.tensor([0.5])),
    attention("slopes and two global steps", 8, 8, 1, 1, 2, window=2, globals_=2, slopes=torch.tensor([0.5])),
    attention("relative positions, causal", 6, 6, 2, 2, 3, causal=True, relative=True),
    attention("relative positions behind a memory that begins late", 4, 9, 3, 2, 2, causal=True, offset=5, window=6,
              starts=[0, 5, 3], lengths=[9, 9, 7], query_lengths=[4, 4, 2], relative=True),
    attention("relative positions of 40 steps, heads that share", 40, 45, 1, 2, 3, causal=True, offset=5, window=21,
              kv_heads=1, relative=True),
])
