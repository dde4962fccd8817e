# requirements: torch==2.13.0
# Golden values of attention from queries to keys and values of other steps, under masks: outputs, the share of each key,
# and the gradients of queries, keys and values, from torch's scaled_dot_product_attention.
# Run: python test/golden/attention.py
import torch
from common import draw, write


def seen_by(T, S, causal, offset, window, dilation, stride, globals_):
    """(T, S): whether a query at place offset + t sees key s."""
    t, s = torch.arange(T)[:, None] + offset, torch.arange(S)[None]
    apart = (t - s).abs()
    seen = torch.full((T, S), not (window or stride or globals_))
    if window:
        seen |= (apart < window * dilation) & (apart % dilation == 0)
    if stride:
        seen |= apart % stride == 0
    seen |= (s < globals_) | (t < globals_)
    return seen & (s <= t) if causal else seen


def attention(name, T, S, B, heads, size, lengths=None, query_lengths=None, causal=False, offset=0, window=0, dilation=1,
              stride=0, globals_=0, scale=1.0):
    D = heads * size
    q, kv = draw(T, B, D, scale=scale).requires_grad_(), draw(S, B, 2 * D, scale=scale).requires_grad_()
    dy = draw(T, B, D)
    split = lambda part: part.reshape(part.shape[0], B, heads, size).permute(1, 2, 0, 3)
    keys = torch.arange(S) < torch.tensor(lengths or [S] * B)[:, None]
    queries = torch.arange(T) < torch.tensor(query_lengths or [T] * B)[:, None]
    mask = seen_by(T, S, causal, offset, window, dilation, stride, globals_)[None] & keys[:, None, :] & queries[:, :, None]
    some = mask.any(2)
    # rows that see nothing look at the first key here, so that they are finite, and are zeroed after
    mask = mask | (~some[:, :, None] & (torch.arange(S) == 0))
    k, v = kv.chunk(2, 2)
    out = torch.nn.functional.scaled_dot_product_attention(split(q), split(k), split(v), attn_mask=mask[:, None])
    y = (out * some[:, None, :, None]).permute(2, 0, 1, 3).reshape(T, B, D)
    scores = split(q) @ split(k).transpose(2, 3) / size**0.5
    weights = scores.masked_fill(~mask[:, None], float("-inf")).softmax(3) * some[:, None, :, None]
    (y * dy).sum().backward()
    return {"operation": "attention", "name": name, "heads": heads, "causal": causal, "offset": offset, "window": window,
            "dilation": dilation, "stride": stride, "globals": globals_, "lengths": lengths,
            "queryLengths": query_lengths, "q": q, "kv": kv, "y": y, "weights": weights, "dy": dy,
            "gradients": {"q": q.grad, "kv": kv.grad}}


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
])
