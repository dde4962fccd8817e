# torch.nn.AdaptiveLogSoftmaxWithLoss and a linear layer tied to an embedding: outputs, loss and gradients.
import torch
from torch import nn

from common import draw, write


def adaptive(inputs, classes, cutoffs, div):
    module = nn.AdaptiveLogSoftmaxWithLoss(inputs, classes, cutoffs, div_value=div)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(draw(*parameter.shape, scale=0.5))
    x = draw(3, 4, inputs).requires_grad_()
    targets = torch.tensor([[0, 5, 2, 8], [1, 3, 11, 7], [4, 9, 10, 6]]) % classes
    loss = module(x.flatten(0, 1), targets.flatten()).loss
    loss.backward()
    return {
        "inputs": inputs, "classes": classes, "cutoffs": cutoffs, "divValue": div,
        "x": x, "targets": targets, "logProb": module.log_prob(x.flatten(0, 1)), "loss": loss.reshape(1), "dx": x.grad,
        "weights": {name: value for name, value in module.named_parameters()},
        "gradients": {name: value.grad for name, value in module.named_parameters()},
    }


def tied():
    embedding, output = nn.Embedding(5, 4), nn.Linear(4, 5)
    output.weight = embedding.weight
    with torch.no_grad():
        embedding.weight.copy_(draw(5, 4))
        output.bias.copy_(draw(5))
    tokens, targets = torch.tensor([[0, 3], [2, 3], [4, 1]]), torch.tensor([[3, 2], [2, 0], [1, 4]])
    loss = nn.functional.cross_entropy(output(torch.tanh(embedding(tokens))).flatten(0, 1), targets.flatten())
    loss.backward()
    return {
        "tokens": tokens, "targets": targets, "loss": loss.reshape(1),
        "weights": {"weight": embedding.weight, "bias": output.bias},
        "gradients": {"weight": embedding.weight.grad, "bias": output.bias.grad},
    }


write("output_layers", "Adaptive softmax and tied embeddings.", [
    {"name": "two clusters", **adaptive(8, 12, [4, 8], 2.0)},
    {"name": "one cluster, div_value 4", **adaptive(6, 9, [5], 4.0)},
    {"name": "tied", **tied()},
])
