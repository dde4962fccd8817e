# What golden generators of recurrences share: the order of reading, and the norms of the gradient at each step.
import torch


def order(length, reverse):
    return range(length - 1, -1, -1) if reverse else range(length)


def mean_norms(T, states, reverse):
    """states: for each sequence {t: (state, rows that count)}, after the backward pass. The last step of a sequence stands
    in the last column, and its first, where that is read last, in the first."""
    if not reverse:
        states = [{t + T - len(of): parts for t, parts in of.items()} for of in states]
    norms = []
    for t in range(T):
        here = [torch.stack([part.grad.square().sum() for part in of[t]]).sum().sqrt() for of in states if t in of]
        norms.append(sum(here) / len(here) if here else torch.tensor(0.0))
    return torch.stack([norm.detach() for norm in norms])
