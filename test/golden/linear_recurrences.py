# requirements: torch==2.13.0 (transformers==5.18.0 and flash-linear-attention==0.5.2 where a case names them)
# Golden values of the layers of linear recurrences: each layer as its paper or reference implementation has it, one step
# after the other, from drawn weights under the names of our variables; outputs, and every gradient by autograd.
# Run: python test/golden/linear_recurrences.py
import torch
from torch.nn.functional import gelu, linear, sigmoid
from common import draw, write

CASES = []


def layer(description, inputs, shapes, run, T=7, B=2, scale=0.5, fixed=None):
    """run(weights, x) gives (T, B, units); `fixed`: weights that are not drawn as the rest."""
    weights = {name: draw(*shape, scale=scale).requires_grad_() for name, shape in shapes.items()}
    for name, value in (fixed or {}).items():
        weights[name] = value.detach().clone().requires_grad_()
    x = draw(T, B, inputs).requires_grad_()
    outputs = run(weights, x)
    given = draw(*outputs.shape)
    (outputs * given).sum().backward()
    CASES.append({"layer": description, "x": x, "given": given, "outputs": outputs,
                  "weights": weights, "gradients": {name: value.grad for name, value in weights.items()}})


def affine(weights, name, x):
    return linear(x, weights[f"{name}.weight"], weights.get(f"{name}.bias"))


def of_linear(name, outputs, inputs, bias=True):
    return {f"{name}.weight": [outputs, inputs], **({f"{name}.bias": [outputs]} if bias else {})}


def glu_shapes(units):
    return {**of_linear("glu.value", units, units), **of_linear("glu.gate", units, units)}


def glu(weights, y):
    return affine(weights, "glu.value", gelu(y)) * sigmoid(affine(weights, "glu.gate", gelu(y)))


def loop(a, b):
    """h_t = a_t h_{t-1} + b_t over the first axis."""
    h, states = torch.zeros_like(b[0]), []
    for t in range(len(b)):
        h = (a if a.dim() == 1 else a[t]) * h + b[t]
        states.append(h)
    return torch.stack(states)


def min_gru(weights, x, positive=False):
    z, c = sigmoid(affine(weights, "gate", x)), affine(weights, "hidden", x)
    if positive:
        c = torch.where(c >= 0, c + 0.5, sigmoid(c))
    return loop(1 - z, z * c)


for candidate in ["linear", "positive"]:
    layer({"type": "min-gru", "units": 4, "candidate": candidate}, 3, {**of_linear("gate", 4, 3), **of_linear("hidden", 4, 3)},
          lambda weights, x, positive=candidate == "positive": min_gru(weights, x, positive))


def lru(weights, x):
    eigenvalues = torch.exp(torch.complex(-weights["nu_log"].exp(), weights["theta_log"].exp()))
    b = torch.complex(weights["B_re"], weights["B_im"]) * weights["gamma_log"].exp()[:, None]
    h = loop(eigenvalues, x.to(b.dtype) @ b.T)
    y = (h @ torch.complex(weights["C_re"], weights["C_im"]).T).real + x @ weights["D"].T
    return glu(weights, y) if "glu.value.weight" in weights else y


LRU = {"nu_log": [5], "theta_log": [5], "gamma_log": [5], "B_re": [5, 3], "B_im": [5, 3], "C_re": [4, 5], "C_im": [4, 5],
       "D": [4, 3]}
layer({"type": "lru", "units": 4, "stateSize": 5, "glu": False}, 3, LRU, lru)
layer({"type": "lru", "units": 4, "stateSize": 5}, 3, {**LRU, **glu_shapes(4)}, lru)

write("linear_recurrences", "Layers of linear recurrences; the loss is the sum of the outputs times what is given for them.", CASES)
