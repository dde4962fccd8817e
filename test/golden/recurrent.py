# requirements: torch==2.13.0
# Golden values of one recurrent layer: outputs, final states, the gradient of every input, and at every time step the
# mean over the batch of the norms of the total derivatives with respect to h_t and c_t, and the gates' means.
# The sequence is unrolled by hand so that every h_t can retain its gradient; where torch.nn has the layer (not
# the GRU with the reset before, nor an RNN of another activation), its outputs and gradients must agree first.
# Run: python test/golden/recurrent.py
import torch
from common import draw, write

GATES = {"rnn-tanh": "", "rnn-relu": "", "lstm": "ifgo", "gru-reset-after": "rzn", "gru-reset-before": "rzn"}
ACTIVATIONS = {
    "rnn-tanh": torch.tanh,
    "rnn-relu": torch.relu,
    "rnn-sigmoid": torch.sigmoid,
    "rnn-leaky-relu": torch.nn.functional.leaky_relu,
    "rnn-linear": lambda a: a,
}
OTHER_ACTIVATIONS = ["rnn-sigmoid", "rnn-leaky-relu", "rnn-linear"]


def step(cell, x, h, c, w):
    """One time step; returns h, c and the gates' activations."""
    if cell.startswith("rnn"):
        a = x @ w["weightIh"].T + w["biasIh"] + h @ w["weightHh"].T + w["biasHh"]
        return ACTIVATIONS[cell](a), c, []
    if cell == "lstm":
        a = x @ w["weightIh"].T + w["biasIh"] + h @ w["weightHh"].T + w["biasHh"]
        i, f, g, o = a.chunk(4, 1)
        i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
        c = f * c + i * g
        return o * c.tanh(), c, [i, f, g, o]
    xr, xz, xn = (x @ w["weightIh"].T + w["biasIh"]).chunk(3, 1)
    wr, wz, wn = w["weightHh"].chunk(3, 0)
    br, bz, bn = w["biasHh"].chunk(3, 0)
    r = (xr + h @ wr.T + br).sigmoid()
    z = (xz + h @ wz.T + bz).sigmoid()
    if cell == "gru-reset-after":
        n = (xn + r * (h @ wn.T + bn)).tanh()
    else:
        n = (xn + (r * h) @ wn.T + bn).tanh()
    return (1 - z) * n + z * h, c, [r, z, n]


def unrolled(cell, x, lengths, reverse, h, c, w):
    T, B, _ = x.shape
    outputs = [[None] * B for _ in range(T)]
    steps = []
    for s in range(T):
        times = [(lengths[b] - 1 - s if reverse else s) if s < lengths[b] else -1 for b in range(B)]
        rows = [b for b in range(B) if times[b] >= 0]
        if not rows:
            continue
        x_s = torch.stack([x[times[b], b] for b in rows])
        h_s, c_s, gates = step(cell, x_s, h[rows], c[rows], w)
        h_s.retain_grad()
        if cell == "lstm":
            c_s.retain_grad()
        index = torch.tensor(rows)
        h = h.index_copy(0, index, h_s)
        c = c.index_copy(0, index, c_s)
        for k, b in enumerate(rows):
            outputs[times[b]][b] = h_s[k]
        steps.append((times, rows, h_s, c_s, gates))
    zero = torch.zeros(h.shape[1])
    y = torch.stack([torch.stack([zero if o is None else o for o in row]) for row in outputs])
    return y, h, c, steps


def report(cell, T, H, steps, lengths, reverse):
    """Means over the sequences that have a column; 0 where none has. A sequence's last step stands in the last column,
    and of a reversed layer its first step, which is read last, in the first."""
    count = torch.zeros(T)
    hidden, cell_norm = torch.zeros(T), torch.zeros(T)
    mean, saturation = torch.zeros(len(GATES.get(cell, "")), T), torch.zeros(len(GATES.get(cell, "")), T)
    for times, rows, h_s, c_s, gates in steps:
        for k, b in enumerate(rows):
            t = times[b] if reverse else times[b] + T - lengths[b]
            count[t] += 1
            hidden[t] += h_s.grad[k].norm()
            if cell == "lstm":
                cell_norm[t] += c_s.grad[k].norm()
            for gate, values in enumerate(gates):
                low = -0.9 if GATES[cell][gate] in "gn" else 0.1
                row = values[k].detach()
                mean[gate, t] += row.mean()
                saturation[gate, t] += ((row > 0.9) | (row < low)).double().mean()
    count = count.clamp(min=1)
    out = {"hiddenGradNorm": hidden / count}
    if cell == "lstm":
        out["cellGradNorm"] = cell_norm / count
    if GATES.get(cell):
        out["gateMean"], out["gateSaturation"] = mean / count, saturation / count
    return out


def check_against_torch(cell, x, lengths, reverse, h0, c0, w, y, hN, gradients, weights_of_loss):
    """The hand-unrolled layer must be torch.nn's. A reversed layer is the second direction of a bidirectional one."""
    if cell == "gru-reset-before" or cell in OTHER_ACTIVATIONS:
        return
    I, H = x.shape[2], h0.shape[1]
    kind = {"lstm": torch.nn.LSTM, "gru-reset-after": torch.nn.GRU}.get(cell, torch.nn.RNN)
    options = {"nonlinearity": cell[4:]} if kind is torch.nn.RNN else {}
    layer = kind(I, H, bidirectional=reverse, **options)
    suffix = "_l0_reverse" if reverse else "_l0"
    names = {"weightIh": "weight_ih", "weightHh": "weight_hh", "biasIh": "bias_ih", "biasHh": "bias_hh"}
    with torch.no_grad():
        for ours, theirs in names.items():
            getattr(layer, theirs + suffix).copy_(w[ours])
    x = x.detach().clone().requires_grad_()
    stack = lambda s: torch.stack([torch.zeros_like(s), s]) if reverse else s[None]
    state = (stack(h0.detach()), stack(c0.detach())) if cell == "lstm" else stack(h0.detach())
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=False)
    out, last = layer(packed, state)
    out, _ = torch.nn.utils.rnn.pad_packed_sequence(out, total_length=x.shape[0])
    out = out[:, :, H:] if reverse else out
    last_h = last[0][-1] if cell == "lstm" else last[-1]
    loss = (out * weights_of_loss["dy"]).sum() + (last_h * weights_of_loss["dhN"]).sum()
    if cell == "lstm":
        loss = loss + (last[1][-1] * weights_of_loss["dcN"]).sum()
    loss.backward()
    pairs = [(out, y), (last_h, hN), (x.grad, gradients["x"])]
    pairs += [(getattr(layer, theirs + suffix).grad, gradients[ours]) for ours, theirs in names.items()]
    for theirs, ours in pairs:
        torch.testing.assert_close(theirs, ours, rtol=1e-9, atol=1e-12)


def case(name, cell, T, B, I, H, lengths=None, reverse=False, states=True, scale=0.6):
    G = max(1, len(GATES.get(cell, "")))
    inputs = {
        "x": draw(T, B, I),
        "weightIh": draw(G * H, I, scale=scale),
        "weightHh": draw(G * H, H, scale=scale),
        "biasIh": draw(G * H, scale=0.3),
        "biasHh": draw(G * H, scale=0.3),
        "h0": draw(B, H, scale=0.5 if states else 0),
        "c0": draw(B, H, scale=0.5 if states else 0),
    }
    for tensor in inputs.values():
        tensor.requires_grad_()
    full = lengths or [T] * B
    loss_weights = {"dy": draw(T, B, H), "dhN": draw(B, H), "dcN": draw(B, H)}
    y, hN, cN, steps = unrolled(cell, inputs["x"], full, reverse, inputs["h0"], inputs["c0"], inputs)
    loss = (y * loss_weights["dy"]).sum() + (hN * loss_weights["dhN"]).sum()
    if cell == "lstm":
        loss = loss + (cN * loss_weights["dcN"]).sum()
    loss.backward()
    used = [key for key in inputs if key != "c0" or cell == "lstm"]
    gradients = {key: inputs[key].grad for key in used}
    check_against_torch(
        cell, inputs["x"], full, reverse, inputs["h0"], inputs["c0"], inputs, y, hN, gradients, loss_weights
    )
    result = {
        "name": f"{cell}, {name}",
        "cell": cell,
        "sizes": {"seqLen": T, "batch": B, "inputSize": I, "hiddenSize": H},
        "lengths": lengths,
        "reverse": reverse,
        "inputs": {key: inputs[key] for key in used if states or key not in ("h0", "c0")},
        "outputGradients": {k: v for k, v in loss_weights.items() if k != "dcN" or cell == "lstm"},
        "y": y,
        "hN": hN,
        "gradients": {key: gradients[key] for key in used if states or key not in ("h0", "c0")},
        "report": report(cell, T, H, steps, full, reverse),
    }
    if cell == "lstm":
        result["cN"] = cN
    return result


def cases_of(cell):
    large = 3.0 if cell not in ["rnn-relu", "rnn-leaky-relu", "rnn-linear"] else 0.8
    return [
        case("T 7 B 3 I 5 H 4", cell, 7, 3, 5, 4),
        case("one step, zero state", cell, 1, 2, 3, 5, states=False),
        case("one sequence", cell, 5, 1, 2, 6),
        case("unsorted lengths", cell, 6, 4, 3, 4, lengths=[4, 6, 1, 3]),
        case("no sequence fills the window", cell, 5, 3, 2, 3, lengths=[3, 0 if cell == "gru-reset-before" else 1, 4]),
        case("reversed", cell, 4, 2, 3, 3, reverse=True),
        case("reversed with lengths", cell, 5, 3, 3, 4, lengths=[2, 5, 4], reverse=True),
        case("saturated gates", cell, 4, 2, 3, 5, scale=large),
    ]


if __name__ == "__main__":
    write("recurrent", "One recurrent layer, PyTorch layout; the loss is the sum of y dy + hN dhN + cN dcN.",
          [each for cell in GATES for each in cases_of(cell)])
