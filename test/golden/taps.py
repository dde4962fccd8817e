# requirements: torch==2.13.0
# Golden values of what the gradient heatmap shows: for each layer's output and each recurrent state, autograd's
# gradient by time step as the mean over the batch of its Euclidean norm.
# Run: python test/golden/taps.py
import torch
from common import draw, write
from models import Tcn, Transformer, fewer_digits

nn = torch.nn


class Recurrent(nn.Module):
    """One level, step by step, so that h_t itself has a gradient: its total derivative."""

    def __init__(self, cell):
        super().__init__()
        self.cell = cell
        self.states = []

    def forward(self, x):
        B, H = x.shape[1], self.cell.hidden_size
        h = c = torch.zeros(B, H)
        self.states = []
        for x_t in x:
            if isinstance(self.cell, nn.LSTMCell):
                h, c = self.cell(x_t, (h, c))
            else:
                h = self.cell(x_t, h)
            h.retain_grad()
            self.states.append(h)
        return torch.stack(self.states)


def named(layers):
    """Our names of the variables: a cell's are those of level 0."""
    found = {}
    for place, layer in enumerate(layers):
        for key, value in layer.named_parameters():
            suffix = key.removeprefix("cell.") + ("_l0" if key.startswith("cell.") else "")
            found[f"layers.{place}.{suffix.removeprefix('0.')}"] = value.detach().clone()
    return found


def norms(gradient):
    """(T, B, D) to (T)"""
    return gradient.norm(dim=2).mean(1)


def run(name, description, layers, x, targets, last):
    for layer in layers:
        fewer_digits(layer)
    weights = named(layers)
    outputs = []
    y = x
    for place, layer in enumerate(layers):
        if last is not None and place == last + 1:
            y = y[-1:]
        y = layer(y)
        y.retain_grad()
        outputs.append(y)
    flat = y.reshape(-1, y.shape[-1])
    loss = nn.functional.cross_entropy(flat, targets.reshape(-1)) if last is None else ((flat - targets) ** 2).mean()
    loss.backward()
    rows = {}
    for place, layer in enumerate(layers[:-1]):
        if isinstance(layer, Recurrent):
            rows[f"layers.{place}.0"] = norms(torch.stack([h.grad for h in layer.states]))
        else:
            row = torch.zeros(x.shape[0])
            own = norms(outputs[place].grad)
            row[-len(own):] = own  # of fewer steps: the newest ones
            rows[f"layers.{place}"] = row
    return {"name": name, "layers": description, "input": x, "targets": targets, "start": weights, "loss": loss,
            "outputs": outputs[-1].shape[-1], "lastStep": last is not None, "rows": rows}


if __name__ == "__main__":
    T, B, V = 7, 3, 5
    write("taps", "Norms of autograd's gradients by layer and time step.", [
        run("every kind of layer, a loss at every step",
            [{"type": "embedding", "dim": 6}, {"type": "transformer", "layers": 1, "heads": 2, "hidden": 5},
             {"type": "layer-norm"}, {"type": "dense", "units": 4, "activation": "relu"},
             {"type": "tcn", "units": 4, "layers": 1, "kernelSize": 2}, {"type": "lstm", "units": 3}, {"type": "dense"}],
            [nn.Embedding(V, 6), Transformer(6, 2, 5, 1, "gelu", table=T), nn.LayerNorm(6),
             nn.Sequential(nn.Linear(6, 4), nn.ReLU()), Tcn(4, 4, 2, 1), Recurrent(nn.LSTMCell(4, 3)), nn.Linear(3, V)],
            torch.randint(0, V, (T, B)), torch.randint(0, V, (T, B)), None),
        run("a loss at the last step, layers of one step behind a GRU",
            [{"type": "dense", "units": 4, "activation": "tanh"}, {"type": "rnn", "units": 3}, {"type": "gru", "units": 4},
             {"type": "dense", "units": 3, "activation": "tanh"}, {"type": "dense"}],
            [nn.Sequential(nn.Linear(2, 4), nn.Tanh()), Recurrent(nn.RNNCell(4, 3)), Recurrent(nn.GRUCell(3, 4)),
             nn.Sequential(nn.Linear(4, 3), nn.Tanh()), nn.Linear(3, 2)],
            draw(T, B, 2), draw(B, 2), 2),
    ])
