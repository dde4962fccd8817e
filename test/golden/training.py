# requirements: torch==2.13.0 numpy
# Golden values of training: optimizers step by step on a vector and a matrix, learning rates, label smoothing, clipping.
# Lion and Muon are the equations of their papers in numpy (torch has no Lion, and its Muon computes in bfloat16).
# Run: python test/golden/training.py
import numpy as np
import torch
from common import draw, write

optim = torch.optim
STEPS = 6


def optimizer(name, spec, make):
    """`make`: parameters -> a function that steps once, gradients being there."""
    parameters = {"matrix": draw(5, 3), "vector": draw(6), "wide": draw(2, 4)}
    parameters = {key: value.requires_grad_() for key, value in parameters.items()}
    start = {key: value.detach().clone() for key, value in parameters.items()}
    step, gradients, after = make(parameters), [], []
    for _ in range(STEPS):
        for value in parameters.values():
            value.grad = draw(*value.shape)
        gradients.append({key: value.grad.clone() for key, value in parameters.items()})
        step()
        after.append({key: value.detach().clone() for key, value in parameters.items()})
    return {"kind": "optimizer", "name": name, "spec": spec, "start": start, "gradients": gradients, "after": after}


def torchs(make):
    return lambda parameters: make(parameters.values()).step


def by_hand(update):
    """`update(key, w, g, memory)`: the new weights, in numpy float64; `memory` is a dict of each parameter's own."""
    def make(parameters):
        memory = {key: {} for key in parameters}

        def step():
            for key, value in parameters.items():
                w = update(value.detach().numpy().copy(), value.grad.numpy(), memory[key])
                value.data.copy_(torch.from_numpy(w))
        return step
    return make


def lion(rate, beta1, beta2, decay):
    def update(w, g, memory):
        m = memory.get("m", np.zeros_like(w))
        memory["m"] = beta2 * m + (1 - beta2) * g
        return w - rate * (np.sign(beta1 * m + (1 - beta1) * g) + decay * w)
    return by_hand(update)


def muon(rate, momentum, other, decay, nesterov=True):
    def update(w, g, memory):
        memory["t"] = t = memory.get("t", 0) + 1
        if w.ndim == 1:  # AdamW
            m = memory["m"] = 0.9 * memory.get("m", 0) + 0.1 * g
            v = memory["v"] = 0.95 * memory.get("v", 0) + 0.05 * g * g
            return w * (1 - other * decay) - other * m / (1 - 0.9 ** t) / (np.sqrt(v / (1 - 0.95 ** t)) + 1e-8)
        b = memory["b"] = momentum * memory.get("b", 0) + (1 - momentum) * g
        u = (1 - momentum) * g + momentum * b if nesterov else b
        x = (u.T if u.shape[0] > u.shape[1] else u) / np.linalg.norm(u)
        for _ in range(5):
            a = x @ x.T
            x = 3.4445 * x + (-4.775 * a + 2.0315 * a @ a) @ x
        x = x.T if u.shape[0] > u.shape[1] else x
        return w * (1 - rate * decay) - rate * max(1, w.shape[0] / w.shape[1]) ** 0.5 * x
    return by_hand(update)


def one_cycle(steps, **options):
    parameter = torch.zeros(1, requires_grad=True)
    sgd = optim.SGD([parameter], lr=1)
    schedule = optim.lr_scheduler.OneCycleLR(sgd, max_lr=2.0, total_steps=steps, cycle_momentum=False,
                                             pct_start=options.get("rise", 0.3), div_factor=1 / options.get("start", 0.04),
                                             final_div_factor=options.get("start", 0.04) / options.get("final", 4e-6),
                                             anneal_strategy={"cosine": "cos", "linear": "linear"}[options.get("anneal", "cosine")])
    rates = []
    for step in range(steps):
        rates.append(sgd.param_groups[0]["lr"])
        sgd.step()
        if step < steps - 1:
            schedule.step()
    return {"kind": "one-cycle", "spec": {"type": "one-cycle", **options}, "steps": steps, "rates": torch.tensor(rates)}


def plateau(losses, factor=0.1, patience=10, threshold=1e-4, cooldown=0, final=0.0):
    sgd = optim.SGD([torch.zeros(1, requires_grad=True)], lr=2.0)
    schedule = optim.lr_scheduler.ReduceLROnPlateau(sgd, factor=factor, patience=patience, threshold=threshold,
                                                    cooldown=cooldown, min_lr=2.0 * final)
    rates = []
    for loss in losses:
        schedule.step(loss)
        rates.append(sgd.param_groups[0]["lr"])
    spec = {"type": "plateau", "factor": factor, "patience": patience, "threshold": threshold, "cooldown": cooldown,
            "final": final}
    return {"kind": "plateau", "spec": spec, "losses": torch.tensor(losses), "rates": torch.tensor(rates)}


def smoothing(share):
    logits, targets = draw(4, 5, scale=2.0).requires_grad_(), [1, 4, 0, 2]
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(targets), label_smoothing=share)
    loss.backward()
    return {"kind": "smoothing", "share": share, "logits": logits, "targets": targets, "loss": loss.item(),
            "gradient": logits.grad}


def clipping(name, limits, apply):
    values = [draw(2, 3, scale=2.0), draw(4, scale=0.2)]
    parameters = [torch.zeros_like(value, requires_grad=True) for value in values]
    for parameter, value in zip(parameters, values):
        parameter.grad = value.clone()
    norm = torch.cat([value.flatten() for value in values]).norm().item()
    apply(parameters)
    return {"kind": "clipping", "name": name, "limits": limits, "norm": norm, "before": values,
            "after": [parameter.grad for parameter in parameters]}


clip = torch.nn.utils
adam = {"learningRate": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
falling = [3, 2, 1.9, 1.95, 1.9, 1.89999, 2, 2, 1, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 0.5, 0.6, 0.6, 0.6, 0.6, 0.6]

write("training", "Optimizers, schedules, label smoothing and clipping.", [
    optimizer("AMSGrad", {"type": "adam", **adam, "amsgrad": True}, torchs(lambda p: optim.Adam(p, lr=0.01, amsgrad=True))),
    optimizer("AMSGrad, decoupled decay", {"type": "adamw", **adam, "beta2": 0.5, "weightDecay": 0.1, "amsgrad": True},
              torchs(lambda p: optim.AdamW(p, lr=0.01, betas=(0.9, 0.5), weight_decay=0.1, amsgrad=True))),
    optimizer("NAdam", {"type": "nadam", "learningRate": 0.01}, torchs(lambda p: optim.NAdam(p, lr=0.01))),
    optimizer("NAdam, other values",
              {"type": "nadam", "learningRate": 0.05, "beta1": 0.7, "beta2": 0.9, "epsilon": 1e-3, "momentumDecay": 0.1},
              torchs(lambda p: optim.NAdam(p, lr=0.05, betas=(0.7, 0.9), eps=1e-3, momentum_decay=0.1))),
    optimizer("Adagrad", {"type": "adagrad", "learningRate": 0.1}, torchs(lambda p: optim.Adagrad(p, lr=0.1))),
    optimizer("Adagrad, other values",
              {"type": "adagrad", "learningRate": 0.1, "learningRateDecay": 0.2, "initialAccumulator": 0.5, "epsilon": 1e-3},
              torchs(lambda p: optim.Adagrad(p, lr=0.1, lr_decay=0.2, initial_accumulator_value=0.5, eps=1e-3))),
    optimizer("Lion", {"type": "lion", "learningRate": 0.01}, lion(0.01, 0.9, 0.99, 0)),
    optimizer("Lion, other values", {"type": "lion", "learningRate": 0.02, "beta1": 0.5, "beta2": 0.7, "weightDecay": 0.3},
              lion(0.02, 0.5, 0.7, 0.3)),
    optimizer("Muon", {"type": "muon", "learningRate": 0.02}, muon(0.02, 0.95, 0.001, 0)),
    optimizer("Muon, other values",
              {"type": "muon", "learningRate": 0.1, "momentum": 0.5, "nesterov": False, "otherLearningRate": 0.01,
               "weightDecay": 0.2}, muon(0.1, 0.5, 0.01, 0.2, nesterov=False)),
    one_cycle(20),
    one_cycle(11, rise=0.5, anneal="linear", start=0.1, final=0.01),
    plateau(falling, factor=0.5, patience=1),
    plateau(falling, factor=0.1, patience=2, cooldown=2, threshold=0.1),
    plateau([1.0] * 30, factor=0.1, patience=0, final=0.05),
    smoothing(0.1),
    smoothing(0.5),
    clipping("by value", {"clipNorm": None, "clipValue": 0.5}, lambda p: clip.clip_grad_value_(p, 0.5)),
    clipping("each tensor", {"clipNorm": None, "clipTensorNorm": 0.7}, lambda p: [clip.clip_grad_norm_([q], 0.7) for q in p]),
    clipping("globally", {"clipNorm": 0.7}, lambda p: clip.clip_grad_norm_(p, 0.7)),
    clipping("by value, each tensor and globally", {"clipNorm": 0.6, "clipTensorNorm": 0.5, "clipValue": 1.0},
             lambda p: [clip.clip_grad_value_(p, 1.0), [clip.clip_grad_norm_([q], 0.5) for q in p],
                        clip.clip_grad_norm_(p, 0.6)]),
    clipping("beyond no limit", {"clipNorm": 100.0, "clipTensorNorm": 50.0, "clipValue": 40.0}, lambda p: None),
])
