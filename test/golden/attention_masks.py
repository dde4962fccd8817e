# Which keys a query sees, for the golden generators of attention.
import torch


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
