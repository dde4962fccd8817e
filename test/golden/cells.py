# requirements: torch==2.13.0
# Golden values of recurrent cells with what their fields change: a loop over the steps of one sequence after another, and
# the gradient of every input by autograd; projections and plain cells by torch.nn itself. Masks are numbers of the case.
# gradNorm is the mean over sequences of the norm of the loss's derivative by each h_t, with the step that a sequence reads
# last in the last column (of a reversed reading in the first).
# Run: python test/golden/cells.py
import torch
from common import draw, write
from recurrences_norms import mean_norms, order

T, B, I, H = 5, 3, 3, 5


def grown(value):
    return None if value is None else value.requires_grad_()


def norm(x):
    return (x - x.mean()) / (x.var(unbiased=False) + 1e-5).sqrt()


def mask(rate, *shape):
    """Inverted dropout: 0, or 1 / (1 - rate), which float32 holds exactly for 1/2 and 1/5 of 5/4."""
    return (torch.rand(*shape) >= rate) / (1 - rate)


def lstm(w, options, sums, read, h, c, update):
    x, y = sums
    p = w.get("peephole")
    hidden = read @ w["weightHh"].T
    if options.get("layerNorm"):
        x, hidden = norm(x) * w["normIh"], norm(hidden) * w["normHh"]
    a = x + hidden + w["biasIh"] + (w["biasHh"] if w["biasHh"] is not None else 0)
    parts = a.split(H)
    peep = (lambda k, cell: p[k * H:(k + 1) * H] * cell) if p is not None else (lambda k, cell: 0)
    if options.get("coupledGates"):
        i = torch.sigmoid(parts[0] + peep(0, c))
        f, g, o, last = 1 - i, parts[1], parts[2], 1
    else:
        i, f = torch.sigmoid(parts[0] + peep(0, c)), torch.sigmoid(parts[1] + peep(1, c))
        g, o, last = parts[2], parts[3], 2
    c = f * c + i * torch.tanh(g) * update
    seen = norm(c) * w["normC"] + w["normCBias"] if options.get("layerNorm") else c
    return torch.sigmoid(o + peep(last, c)) * torch.tanh(seen), c


def gru(w, options, sums, read, h, c, update):
    x = sums[0] + w["biasIh"]
    bias = w["biasHh"] if w["biasHh"] is not None else torch.zeros(3 * H)
    W, b = w["weightHh"].split(H), bias.split(H)
    r, z = (torch.sigmoid(x.split(H)[k] + W[k] @ read + b[k]) for k in (0, 1))
    inner = r * (W[2] @ read + b[2]) if options.get("resetAfter", True) else W[2] @ (r * read) + b[2]
    n = torch.tanh(x.split(H)[2] + inner)
    return (1 - z) * n * update + z * h, None


def rnn(w, options, sums, read, h, c, update):
    phi = torch.relu if options.get("activation") == "relu" else torch.tanh
    a = sums[0] + w["biasIh"] + w["weightHh"] @ (read * update) + (w["biasHh"] if w["biasHh"] is not None else 0)
    return phi(a), None


def case(name, cell, options=None, convention="pytorch", rates=None, lengths=None, reverse=False, start=True):
    """rates: variational, update, zoneout; expected: zoneout without masks."""
    options, rates = options or {}, rates or {}
    has_c = cell is lstm
    G = {lstm: 3 if options.get("coupledGates") else 4, gru: 3, rnn: 1}[cell]
    two = convention == "pytorch" or (cell is gru and options.get("resetAfter", True))
    shapes = {"x": (T, B, I), "weightIh": (G * H, I), "weightHh": (G * H, H), "biasIh": (G * H,)}
    if two:
        shapes["biasHh"] = (G * H,)
    if options.get("peephole"):
        shapes["peephole"] = ((G - 1) * H,)
    if options.get("layerNorm"):
        shapes |= {"normIh": (G * H,), "normHh": (G * H,), "normC": (H,), "normCBias": (H,)}
    if start:
        shapes |= {"h0": (B, H)} | ({"c0": (B, H)} if has_c else {})
    w = {key: grown(draw(*shape, scale=0.6)) for key, shape in shapes.items()}
    w.setdefault("biasHh", None)
    masks = {}
    if v := rates.get("variational"):
        masks |= {"input": mask(v, B, I), "recurrent": mask(v, B, H)}
    if u := rates.get("update"):
        masks["update"] = mask(u, T, B, H)
    z = rates.get("zoneout")
    if z:
        masks |= {"zoneoutH": mask(z, T, B, H)} | ({"zoneoutC": mask(z, T, B, H)} if has_c else {})
    expected = rates.get("expected")
    ys = [[torch.zeros(H) for _ in range(B)] for _ in range(T)]
    ends, states = {"hN": [], "cN": []}, []
    for b in range(B):
        h = w["h0"][b] if start else torch.zeros(H)
        c = (w["c0"][b] if start else torch.zeros(H)) if has_c else None
        seen = {}
        for t in order((lengths or [T] * B)[b], reverse):
            x = w["x"][t, b] * masks["input"][b] if v else w["x"][t, b]
            read = h * masks["recurrent"][b] if v else h
            update = masks["update"][t, b] if u else torch.ones(H)
            h_new, c_new = cell(w, options, (w["weightIh"] @ x, None), read, h, c, update)
            if z or expected:
                stays = lambda key: (masks[key][t, b] == 0).double() if z else torch.full((H,), expected)
                h_new = stays("zoneoutH") * h + (1 - stays("zoneoutH")) * h_new
                if has_c:
                    c_new = stays("zoneoutC") * c + (1 - stays("zoneoutC")) * c_new
            h, c = h_new, c_new
            h.retain_grad()
            ys[t][b], seen[t] = h, [h]
        ends["hN"].append(h)
        ends["cN"].append(c)
        states.append(seen)
    results = {"y": torch.stack([torch.stack(row) for row in ys]), "hN": torch.stack(ends["hN"])}
    if has_c:
        results["cN"] = torch.stack(ends["cN"])
    return finished(name, cell.__name__, options, convention, lengths, reverse, w, masks, z or expected, results, states)


def finished(name, cell, options, convention, lengths, reverse, w, masks, zoneout, results, states):
    inputs = {key: value for key, value in w.items() if value is not None}
    given = {key: draw(*value.shape) for key, value in results.items()}
    sum((value * given[key]).sum() for key, value in results.items()).backward()
    gradients = {key: value.grad if value.grad is not None else torch.zeros_like(value) for key, value in inputs.items()}
    norms = {} if states is None else {"gradNorm": mean_norms(T, states, reverse)}
    return {"name": name, "layer": {"type": cell, "units": H, **options}, "convention": convention, "lengths": lengths,
            "reverse": reverse, "zoneout": zoneout, "inputs": inputs, "masks": masks, "results": results,
            "given": given, "gradients": {**gradients, **norms}}


def projected(name, P, lengths=None, reverse=False):
    """torch.nn.LSTM(proj_size=P), which begins with zeros: its own h_n is W_hr of ours."""
    module = torch.nn.LSTM(I, H, proj_size=P)
    w = {ours: grown(draw(*getattr(module, f"{theirs}_l0").shape, scale=0.6)) for ours, theirs in
         [("weightIh", "weight_ih"), ("weightHh", "weight_hh"), ("weightHr", "weight_hr"), ("biasIh", "bias_ih"), ("biasHh", "bias_hh")]}
    parameters = {f"{theirs}_l0": w[ours] for ours, theirs in
                  [("weightIh", "weight_ih"), ("weightHh", "weight_hh"), ("weightHr", "weight_hr"), ("biasIh", "bias_ih"), ("biasHh", "bias_hh")]}
    x = grown(draw(T, B, I, scale=0.6))
    ys, cells = [[torch.zeros(P) for _ in range(B)] for _ in range(T)], []
    for b in range(B):
        length = (lengths or [T] * B)[b]
        steps = list(order(length, reverse))
        if not steps:
            cells.append(torch.zeros(H))
            continue
        y, (_, c) = torch.func.functional_call(module, parameters, (x[steps, b:b + 1],))
        for s, t in enumerate(steps):
            ys[t][b] = y[s, 0]
        cells.append(c[0, 0])
    results = {"y": torch.stack([torch.stack(row) for row in ys]), "cN": torch.stack(cells)}
    return finished(name, "lstm", {"projection": P}, "pytorch", lengths, reverse, {"x": x, **w}, {}, None, results, None)


ragged = [5, 0, 3]
write("cells", "Recurrent cells by field; the loss is the sum of each result times what is given for it.", [
    projected("LSTM with a projection: torch.nn.LSTM(proj_size=2)", 2),
    projected("LSTM with a projection, unequal lengths, backwards", 3, ragged, True),
    case("LSTM with peepholes", lstm, {"peephole": True}),
    case("LSTM with peepholes, unequal lengths, backwards, one bias", lstm, {"peephole": True}, "keras", None, ragged, True, False),
    case("LSTM with coupled gates", lstm, {"coupledGates": True}),
    case("LSTM with coupled gates and peepholes, unequal lengths", lstm, {"coupledGates": True, "peephole": True}, "pytorch", None, ragged),
    case("LSTM with layer norm", lstm, {"layerNorm": True}),
    case("LSTM with layer norm and peepholes, unequal lengths, backwards", lstm, {"layerNorm": True, "peephole": True}, "tfjs", None, ragged, True, False),
    case("LSTM with layer norm and coupled gates", lstm, {"layerNorm": True, "coupledGates": True}),
    case("LSTM with recurrent dropout", lstm, rates={"update": 0.5}),
    case("LSTM with variational dropout", lstm, rates={"variational": 0.5}),
    case("LSTM with zoneout", lstm, rates={"zoneout": 0.5}),
    case("LSTM with expected zoneout, unequal lengths", lstm, rates={"expected": 0.25}, lengths=ragged),
    case("LSTM with everything, unequal lengths, backwards", lstm, {"layerNorm": True, "peephole": True},
         rates={"update": 0.5, "variational": 0.2, "zoneout": 0.5}, lengths=ragged, reverse=True),
    case("GRU with every mask", gru, rates={"update": 0.5, "variational": 0.2, "zoneout": 0.5}),
    case("GRU with recurrent and variational dropout, unequal lengths, backwards", gru, rates={"update": 0.5, "variational": 0.5},
         lengths=ragged, reverse=True, start=False),
    case("GRU with expected zoneout", gru, convention="keras", rates={"expected": 0.25}),
    case("GRU resetting before, every mask", gru, {"resetAfter": False}, "tfjs", rates={"update": 0.5, "variational": 0.2, "zoneout": 0.5}),
    case("RNN with every mask", rnn, rates={"update": 0.5, "variational": 0.2, "zoneout": 0.5}),
    case("RNN relu with variational dropout, unequal lengths", rnn, {"activation": "relu"}, rates={"variational": 0.5}, lengths=ragged),
    case("RNN with expected zoneout, backwards", rnn, rates={"expected": 0.25}, reverse=True, start=False),
])
