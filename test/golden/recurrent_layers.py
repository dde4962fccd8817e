# requirements: torch==2.13.0
# Golden values of recurrent layers of their own: each unrolled as its paper has it, from drawn weights under the names
# of our variables; outputs, and every gradient by autograd.
# Run: python test/golden/recurrent_layers.py
import torch
from torch.nn.functional import leaky_relu, linear
from common import draw, write

CASES = []
PHI = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid, "leaky-relu": leaky_relu, "linear": lambda a: a}


def layer(description, shapes, step, I=3, T=9, B=2, scale=0.5):
    """step(weights, x_t, state, t) gives h_t and the next state, which begins as None."""
    weights = {name: draw(*shape, scale=scale).requires_grad_() for name, shape in shapes.items()}
    x = draw(T, B, I).requires_grad_()
    state, outputs = None, []
    for t, x_t in enumerate(x):
        h, state = step(weights, x_t, state, t)
        outputs.append(h)
    outputs = torch.stack(outputs)
    given = draw(*outputs.shape)
    (outputs * given).sum().backward()
    CASES.append({"layer": description, "x": x, "given": given, "outputs": outputs, "weights": weights,
                  "gradients": {name: value.grad for name, value in weights.items()}})


def start(x_t, H):
    return x_t.new_zeros(x_t.shape[0], H)


def elman(H, activation, recurrent):
    def step(w, x_t, h, t):
        h = start(x_t, H) if h is None else h
        h = PHI[activation](linear(x_t, w["weight_ih"], w["bias"]) + recurrent(w, h))
        return h, h
    return step


for activation in PHI:
    layer({"type": "ind-rnn", "units": 4, "activation": activation},
          {"weight_ih": [4, 3], "weight_hh": [4], "bias": [4]}, elman(4, activation, lambda w, h: w["weight_hh"] * h))


def orthogonal(w, n):
    rows, columns = torch.tril_indices(n, n, -1)
    lower = torch.zeros(n, n).index_put((rows, columns), w["skew"])
    A = lower - lower.T
    Q = torch.linalg.solve(torch.eye(n) + A, torch.eye(n) - A)
    torch.testing.assert_close(Q.T @ Q, torch.eye(n))
    return Q


for units, activation in [(5, "tanh"), (4, "linear"), (6, "relu"), (2, "linear")]:
    layer({"type": "orthogonal-rnn", "units": units, "activation": activation},
          {"weight_ih": [units, 3], "skew": [units * (units - 1) // 2], "bias": [units]},
          elman(units, activation, lambda w, h: h @ orthogonal(w, h.shape[1]).T))


def clockwork(units, periods):
    size = units // len(periods)

    def step(w, x_t, h, t):
        h = start(x_t, units) if h is None else h
        sums = linear(x_t, w["weight_ih"], w["bias"])
        parts = []
        for g, period in enumerate(periods):
            own = slice(g * size, (g + 1) * size)
            # what it reads: itself and the slower modules behind it
            new = torch.tanh(sums[:, own] + h[:, g * size:] @ w[f"weight_hh_{g}"].T)
            parts.append(new if t % period == 0 else h[:, own])
        h = torch.cat(parts, 1)
        return h, h
    return step


for units, periods in [(4, [1, 2, 4, 8]), (6, [1, 3]), (3, [2])]:
    size = units // len(periods)
    layer({"type": "clockwork", "units": units, "periods": periods},
          {"weight_ih": [units, 3], "bias": [units],
           **{f"weight_hh_{g}": [size, size * (len(periods) - g)] for g in range(len(periods))}},
          clockwork(units, periods), T=11)


def hierarchical(H, segment):
    def step(w, x_t, state, t):
        h, s = (start(x_t, H), start(x_t, H)) if state is None else state
        if t > 0 and t % segment == 0:
            s = torch.tanh(linear(h, w["weight_hs"], w["bias_s"]) + s @ w["weight_ss"].T)
            h = torch.zeros_like(h)
        h = torch.tanh(linear(x_t, w["weight_ih"], w["bias"]) + h @ w["weight_hh"].T + s @ w["weight_sh"].T)
        return h, (h, s)
    return step


for segment in [3, 4, 1]:
    layer({"type": "hierarchical", "units": 4, "segment": segment},
          {"weight_ih": [4, 3], "bias": [4], "bias_s": [4],
           **{name: [4, 4] for name in ["weight_hh", "weight_sh", "weight_hs", "weight_ss"]}}, hierarchical(4, segment))


def echo_state(H, leak):
    def step(w, x_t, h, t):
        h = start(x_t, H) if h is None else h
        h = (1 - leak) * h + leak * torch.tanh(linear(x_t, w["weight_ih"], w["bias"]) + h @ w["weight_hh"].T)
        return h, h
    return step


for leak in [1, 0.3]:
    layer({"type": "echo-state", "units": 5, "leak": leak}, {"weight_ih": [5, 3], "weight_hh": [5, 5], "bias": [5]},
          echo_state(5, leak))

write("recurrent_layers", "Recurrent layers of their own; the loss is the sum of the outputs times what is given for them.",
      CASES)
