# requirements: torch==2.13.0
# Golden values of linear recurrences: naive loops over time, one sequence after the other, and the gradient of every input
# by autograd. gradNorm is the mean over sequences of the norm of the loss's derivative by each state, in columns that are
# aligned at the step a sequence reads last.
# Run: python test/golden/recurrences.py
import torch
from common import draw, write
from recurrences_norms import mean_norms, order


def grown(value):
    return value.requires_grad_()


def finished(case, inputs, results, states, T):
    """results: by name (value, gradient that comes from above)."""
    given = {name: draw(*value.shape) for name, value in results.items()}
    sum((value * given[name]).sum() for name, value in results.items()).backward()
    gradients = {
        name: torch.zeros_like(value) if value.grad is None else value.grad for name, value in inputs.items() if value is not None
    }
    return {**case, "inputs": {name: value for name, value in inputs.items() if value is not None},
            "results": results, "given": given, "gradients": {**gradients, "gradNorm": mean_norms(T, states, case["reverse"])}}


def scan(name, T, B, D, complex=False, constant=False, reverse=False, lengths=None, start=True):
    R = 2 * D if complex else D
    shape = [R] if constant else [T, B, R]
    inputs = {"a": grown(draw(*shape, scale=0.6)), "b": grown(draw(T, B, R)), "h0": grown(draw(B, R)) if start else None}

    def product(x, y):
        if not complex:
            return x * y
        z = torch.complex(x[:D], x[D:]) * torch.complex(y[:D], y[D:])
        return torch.cat([z.real, z.imag])

    outs = [[torch.zeros(R) for _ in range(B)] for _ in range(T)]
    last, states = [], []
    for b in range(B):
        h = inputs["h0"][b] if start else torch.zeros(R)
        seen = {}
        for t in order((lengths or [T] * B)[b], reverse):
            h = product(inputs["a"] if constant else inputs["a"][t, b], h) + inputs["b"][t, b]
            h.retain_grad()
            outs[t][b], seen[t] = h, [h]
        last.append(h)
        states.append(seen)
    results = {"h": torch.stack([torch.stack(row) for row in outs]), "hN": torch.stack(last)}
    case = {"operation": "scan", "name": name, "complex": complex, "constant": constant, "reverse": reverse,
            "lengths": lengths}
    return finished(case, inputs, results, states, T)


def selective(name, T, B, D, N, reverse=False, lengths=None, start=True, skip=True):
    inputs = {"x": grown(draw(T, B, D)), "delta": grown(draw(T, B, D).abs() * 0.5), "a": grown(-draw(D, N).abs()),
              "b": grown(draw(T, B, N)), "c": grown(draw(T, B, N)), "skip": grown(draw(D)) if skip else None,
              "h0": grown(draw(B, D, N)) if start else None}
    x, delta, a, b_, c = (inputs[key] for key in ["x", "delta", "a", "b", "c"])
    outs = [[torch.zeros(D) for _ in range(B)] for _ in range(T)]
    last, states = [], []
    for b in range(B):
        h = inputs["h0"][b] if start else torch.zeros(D, N)
        seen = {}
        for t in order((lengths or [T] * B)[b], reverse):
            h = torch.exp(delta[t, b][:, None] * a) * h + (delta[t, b] * x[t, b])[:, None] * b_[t, b]
            h.retain_grad()
            outs[t][b] = h @ c[t, b] + (inputs["skip"] * x[t, b] if skip else 0)
            seen[t] = [h]
        last.append(h)
        states.append(seen)
    results = {"y": torch.stack([torch.stack(row) for row in outs]), "hN": torch.stack(last)}
    case = {"operation": "selective", "name": name, "reverse": reverse, "lengths": lengths}
    return finished(case, inputs, results, states, T)


def memory(name, T, B, H, K, V, update="add", decay=None, strength=True, bonus=False, normalised=False, floor=False,
           exponential=False, reverse=False, lengths=None, start=True):
    R = V + normalised
    keys = lambda scale=0.6: grown(draw(T, B, H * K, scale=scale))
    gates = lambda width: grown(draw(T, B, width)) if exponential else grown(
        (torch.sigmoid(draw(T, B, width) + 1) * 1024).round() / 1024)
    inputs = {"q": keys(), "k": keys(), "v": grown(draw(T, B, H * V)),
              "decay": None if decay is None else gates(H if decay == "head" else H * K),
              "strength": gates(H) if strength else None,
              "a": keys(0.3) if update == "general" else None, "b": keys(0.3) if update == "general" else None,
              "bonus": grown(draw(H * K)) if bonus else None,
              "s0": grown(draw(B, H, R, K, scale=0.5)) if start else None}
    floors = draw(T, B, H).abs() if floor else torch.ones(T, B, H)
    outs = [[[torch.zeros(V) for _ in range(H)] for _ in range(B)] for _ in range(T)]
    last, states = [], []

    def head(name, t, b, h, width):
        return inputs[name][t, b, h * width:(h + 1) * width]

    for b in range(B):
        seen, ends = {}, []
        for h in range(H):
            # the normaliser is kept apart, so that the norm of S alone can be told
            S = inputs["s0"][b, h, :V] if start else torch.zeros(V, K)
            n = (inputs["s0"][b, h, V] if start else torch.zeros(K)) if normalised else None
            m = torch.tensor(-torch.inf)
            for t in order((lengths or [T] * B)[b], reverse):
                q, k, v = head("q", t, b, h, K), head("k", t, b, h, K), head("v", t, b, h, V)
                alpha = torch.tensor(1.0) if decay is None else head("decay", t, b, h, 1 if decay == "head" else K)
                gamma = inputs["strength"][t, b, h] if strength else torch.tensor(1.0)
                least = floors[t, b, h]
                if exponential:
                    before, m = m, torch.maximum(alpha + m, gamma)
                    alpha, gamma, least = torch.exp(alpha + before - m), torch.exp(gamma - m), least * torch.exp(-m)
                P, out = S * alpha, None
                if bonus:
                    out = S @ q + gamma * (inputs["bonus"][h * K:(h + 1) * K] * q * k).sum() * v
                if update == "delta":
                    S = P + gamma * torch.outer(v - P @ k, k)
                elif update == "general":
                    S = P + torch.outer(S @ head("a", t, b, h, K), head("b", t, b, h, K)) + gamma * torch.outer(v, k)
                else:
                    S = P + gamma * torch.outer(v, k)
                S.retain_grad()
                seen.setdefault(t, []).append(S)
                if normalised:
                    n = n * alpha + gamma * k
                    out = S @ q / torch.maximum((n @ q).abs(), least)
                outs[t][b][h] = S @ q if out is None else out
            ends.append(torch.cat([S, n[None]]) if normalised else S)
        last.append(torch.stack(ends))
        states.append(seen)
    results = {"o": torch.stack([torch.stack([torch.cat(heads) for heads in row]) for row in outs])}
    if not exponential:
        results["sN"] = torch.stack(last)
    case = {"operation": "memory", "name": name, "heads": H, "keySize": K, "valueSize": V, "update": update,
            "decayOf": decay or "none", "normalised": normalised, "exponential": exponential, "reverse": reverse,
            "lengths": lengths, "floor": floors if floor else None}
    return finished(case, inputs, results, states, T)


write("recurrences", "Linear recurrences; the loss is the sum of each result times what is given for it.", [
    scan("real", 7, 2, 3),
    scan("real, one row of a", 6, 3, 5, constant=True, start=False),
    scan("real, unequal lengths, backwards", 6, 4, 2, reverse=True, lengths=[6, 3, 0, 1]),
    scan("complex", 6, 2, 3, complex=True),
    scan("complex, one row of a, unequal lengths", 9, 3, 4, complex=True, constant=True, lengths=[4, 9, 0]),
    scan("complex, backwards, one step", 1, 2, 1, complex=True, reverse=True),
    selective("3 channels of 4 states", 7, 2, 3, 4),
    selective("unequal lengths, backwards, no skip", 6, 3, 2, 3, reverse=True, lengths=[6, 0, 4], skip=False),
    selective("one step, no start", 1, 1, 5, 2, start=False),
    memory("linear attention", 5, 2, 2, 3, 4, strength=False, start=False),
    memory("decay by head (RetNet, Mamba-2)", 6, 2, 2, 3, 2, decay="head"),
    memory("decay by channel (GLA), unequal lengths", 6, 3, 1, 4, 3, decay="channel", strength=False, lengths=[2, 6, 0]),
    memory("bonus (RWKV-6)", 5, 2, 2, 3, 3, decay="channel", bonus=True),
    memory("bonus, backwards, unequal lengths, no start", 4, 2, 1, 2, 3, bonus=True, strength=False, reverse=True,
           lengths=[3, 4], start=False),
    memory("DeltaNet", 6, 2, 2, 3, 4, update="delta"),
    memory("gated DeltaNet, unequal lengths", 6, 3, 2, 3, 2, update="delta", decay="head", lengths=[6, 1, 4]),
    memory("delta with decay by channel, backwards", 5, 2, 1, 3, 5, update="delta", decay="channel", reverse=True),
    memory("general (RWKV-7)", 6, 2, 2, 3, 4, update="general", decay="channel"),
    memory("general, no decay, no strength, one step", 1, 2, 1, 2, 2, update="general", strength=False, start=False),
    memory("normalised", 6, 2, 2, 3, 2, decay="head", normalised=True),
    memory("normalised with floors, unequal lengths", 5, 2, 1, 3, 3, decay="head", normalised=True, floor=True,
           lengths=[5, 2]),
    memory("mLSTM: exponential gates", 9, 2, 2, 3, 4, decay="head", normalised=True, exponential=True, start=False),
    memory("mLSTM, unequal lengths, backwards", 6, 3, 1, 4, 2, decay="head", normalised=True, exponential=True, start=False,
           reverse=True, lengths=[6, 0, 3]),
])
