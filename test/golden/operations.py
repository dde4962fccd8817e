# requirements: torch==2.13.0
# Golden values of losses and optimizer steps.
# Run: python test/golden/operations.py
import torch
from common import draw, write


def cross_entropy(name, rows, classes, weights=None, smoothing=0.0, scale=2.0):
    logits = draw(rows, classes, scale=scale).requires_grad_()
    targets = torch.randint(0, classes, (rows,))
    each = torch.nn.functional.cross_entropy(logits, targets, reduction="none", label_smoothing=smoothing)
    w = torch.ones(rows) if weights is None else torch.tensor(weights, dtype=torch.float64)
    loss = (each * w).sum() / w.sum()
    loss.backward()
    return {
        "operation": "softmaxCrossEntropy",
        "name": name,
        "logits": logits,
        "targets": targets.tolist(),
        "weights": weights,
        "labelSmoothing": smoothing,
        "loss": loss,
        "dLogits": logits.grad,
    }


def dense_cross_entropy(name, rows, inputs, outputs, weights=None, smoothing=0.0):
    x = draw(rows, inputs).requires_grad_()
    weight = draw(outputs, inputs).requires_grad_()
    bias = draw(outputs).requires_grad_()
    targets = torch.randint(0, outputs, (rows,))
    logits = torch.nn.functional.linear(x, weight, bias)
    each = torch.nn.functional.cross_entropy(logits, targets, reduction="none", label_smoothing=smoothing)
    w = torch.ones(rows) if weights is None else torch.tensor(weights, dtype=torch.float64)
    loss = (each * w).sum() / w.sum()
    loss.backward()
    return {
        "operation": "denseCrossEntropy",
        "name": name,
        "x": x,
        "weight": weight,
        "bias": bias,
        "targets": targets.tolist(),
        "weights": weights,
        "labelSmoothing": smoothing,
        "loss": loss,
        "dx": x.grad,
        "dWeight": weight.grad,
        "dBias": bias.grad,
    }


def optimizer(name, spec, make, steps=4, size=6):
    parameter = draw(size).requires_grad_()
    start = parameter.detach().clone()
    torch_optimizer = make([parameter])
    gradients, after = [], []
    for _ in range(steps):
        parameter.grad = draw(size)
        gradients.append(parameter.grad.clone())
        torch_optimizer.step()
        after.append(parameter.detach().clone())
    return {"operation": "optimizer", "name": name, "spec": spec, "start": start, "gradients": gradients, "after": after}


optim = torch.optim
adam = {"learningRate": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
write("operations", "Losses with gradients, and parameters after each optimizer step.", [
    cross_entropy("plain", 5, 7),
    cross_entropy("one class", 3, 1),
    cross_entropy("masked and weighted", 6, 4, weights=[1, 0, 0.5, 2, 0, 1]),
    cross_entropy("label smoothing", 5, 3, smoothing=0.125),
    cross_entropy("label smoothing with weights", 4, 5, weights=[0, 1, 3, 0.25], smoothing=0.25),
    cross_entropy("large logits", 4, 6, scale=60.0),
    optimizer("Adam", {"type": "adam", **adam}, lambda p: optim.Adam(p, lr=0.01)),
    optimizer("Adam, other betas", {"type": "adam", **adam, "beta1": 0.5, "beta2": 0.75, "epsilon": 0.001},
              lambda p: optim.Adam(p, lr=0.01, betas=(0.5, 0.75), eps=0.001)),
    optimizer("AdamW", {"type": "adamw", **adam, "weightDecay": 0.1}, lambda p: optim.AdamW(p, lr=0.01, weight_decay=0.1)),
    optimizer("SGD", {"type": "sgd", "learningRate": 0.1, "momentum": 0, "nesterov": False},
              lambda p: optim.SGD(p, lr=0.1)),
    optimizer("SGD with momentum", {"type": "sgd", "learningRate": 0.1, "momentum": 0.9, "nesterov": False},
              lambda p: optim.SGD(p, lr=0.1, momentum=0.9)),
    optimizer("SGD with Nesterov momentum", {"type": "sgd", "learningRate": 0.1, "momentum": 0.9, "nesterov": True},
              lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True)),
    optimizer("RMSProp", {"type": "rmsprop", "learningRate": 0.01, "decay": 0.9, "momentum": 0, "epsilon": 1e-8},
              lambda p: optim.RMSprop(p, lr=0.01, alpha=0.9)),
    optimizer("RMSProp with momentum",
              {"type": "rmsprop", "learningRate": 0.01, "decay": 0.99, "momentum": 0.5, "epsilon": 1e-6},
              lambda p: optim.RMSprop(p, lr=0.01, alpha=0.99, eps=1e-6, momentum=0.5)),
    dense_cross_entropy("plain", 5, 4, 7),
    dense_cross_entropy("one class, one input", 3, 1, 1),
    dense_cross_entropy("masked and weighted", 6, 3, 10, weights=[1, 0, 0.5, 2, 0, 1]),
    dense_cross_entropy("label smoothing with weights", 4, 9, 5, weights=[0, 1, 3, 0.25], smoothing=0.25),
])
