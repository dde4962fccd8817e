# requirements: torch==2.13.0
# Golden values of normalisation, highway layers and pooling: outputs, and the gradient of every input and weight.
# Sequences of unequal lengths: batch norm over the valid steps alone; pooling of each sequence by itself.
# Run: python test/golden/normalisation.py
import torch
from common import draw, write
from torch import nn

T, B, D = 7, 3, 5


def grown(*shape, scale=1.0, shift=0.0):
    return (draw(*shape, scale=scale) + shift).requires_grad_()


def case(name, layer, lengths, x, y, variables, **more):
    dy = draw(*y.shape)
    for t, b in ((t, b) for b, length in enumerate(lengths or []) for t in range(length, len(dy))):
        dy[t, b] = 0
    (y * dy).sum().backward()
    return {"name": name, "layer": layer, "lengths": lengths, "x": x, "dy": dy, "y": y,
            "variables": {key: value.detach() for key, value in variables.items()},
            "gradients": {"x": x.grad, **{key: value.grad for key, value in variables.items() if value.grad is not None}},
            **more}


def rms_norm(epsilon):
    x, weight = grown(T, B, D), grown(D)
    return case(f"rms-norm, epsilon {epsilon}", {"type": "rms-norm", "epsilon": epsilon}, None, x,
                nn.functional.rms_norm(x, [D], weight, epsilon), {"weight": weight})


def batch_norm(name, training, lengths=None, momentum=0.1):
    module = nn.BatchNorm1d(D, momentum=momentum)
    for value in (module.weight, module.bias, module.running_mean):
        value.data.copy_(draw(D))
    module.running_var.copy_(draw(D).abs() + 0.5)
    before = {"running_mean": module.running_mean.clone(), "running_var": module.running_var.clone()}
    module.train(training)
    x = grown(T, B, D, scale=2.0, shift=1.0)
    inside = torch.arange(T)[:, None] < torch.tensor(lengths or [T] * B)
    y = torch.zeros(T, B, D).masked_scatter(inside[:, :, None].expand(T, B, D), module(x[inside]))
    return case(name, {"type": "batch-norm", "momentum": momentum}, lengths, x, y,
                {"weight": module.weight, "bias": module.bias, **before}, training=training,
                after={"running_mean": module.running_mean, "running_var": module.running_var})


def highway(activation, levels):
    x, variables = grown(T, B, D), {}
    y = x
    function = {"relu": torch.relu, "tanh": torch.tanh, "gelu": nn.functional.gelu}[activation]
    for level in range(levels):
        parts = {f"{level}.{part}.{name}": grown(*shape, scale=0.5)
                 for part in ("transform", "gate") for name, shape in (("weight", (D, D)), ("bias", (D,)))}
        transform, transform_bias, gate, gate_bias = parts.values()
        g = torch.sigmoid(nn.functional.linear(y, gate, gate_bias))
        y = g * function(nn.functional.linear(y, transform, transform_bias)) + (1 - g) * y
        variables |= parts
    return case(f"highway, {activation}, {levels}", {"type": "highway", "layers": levels, "activation": activation},
                None, x, y, variables)


def pool(mode, kernel, stride=None, lengths=None, whole=False):
    """Each sequence by itself with torch's pooling; a padded batch is as long as its longest."""
    x = grown(T, B, D)
    function = {"max": nn.functional.max_pool1d, "mean": nn.functional.avg_pool1d}[mode]
    rows = []
    for b, length in enumerate(lengths or [T] * B):
        own = x[:length, b].T[None]
        rows.append(function(own, length if whole else kernel, 1 if whole else stride or kernel)[0].T)
    steps = max(map(len, rows))
    y = torch.stack([nn.functional.pad(row, (0, 0, 0, steps - len(row))) for row in rows], 1)
    layer = {"type": "pool", "mode": mode, "kernelSize": kernel, **({"stride": stride} if stride else {}), "global": whole}
    return case(f"pool {mode}, {'all steps' if whole else f'{kernel} steps, {stride} apart'}, lengths {lengths}", layer,
                lengths, x, y, {}, after_lengths=[len(row) for row in rows])


write("normalisation", "Layers that normalise, gate or pool; the loss is the sum of y dy.", [
    rms_norm(1e-6),
    rms_norm(0.1),
    batch_norm("batch-norm in training", True),
    batch_norm("batch-norm in training, momentum 0.3", True, momentum=0.3),
    batch_norm("batch-norm in training, unequal lengths", True, lengths=[7, 2, 4]),
    batch_norm("batch-norm with running statistics", False),
    highway("relu", 1),
    highway("tanh", 3),
    highway("gelu", 2),
    *(pool(mode, kernel, stride, lengths)
      for mode in ("max", "mean") for kernel, stride in ((2, None), (3, 1), (2, 3)) for lengths in (None, [7, 3, 5])),
    pool("max", 2, whole=True, lengths=[7, 1, 4]),
    pool("mean", 2, whole=True, lengths=[7, 1, 4]),
])
