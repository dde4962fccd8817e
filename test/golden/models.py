# requirements: torch==2.13.0
# Golden values of whole small models: outputs, loss, all gradients, and the weights after three clipped optimizer
# steps. Names are those of our variables: layers.<place>.<name in torch.nn's state_dict>.
# Run: python test/golden/models.py
import torch
from common import draw, write


class Model(torch.nn.Module):
    """layers: (kind, options) in order, as in an experiment."""

    def __init__(self, layers):
        super().__init__()
        self.layers = torch.nn.ModuleList(layers)

    def forward(self, x, lengths=None, last=False):
        state = []
        ends = None
        for layer in self.layers:
            # a bidirectional layer's last states: h_n, as one feeds it to what follows
            if last and ends is not None and not isinstance(layer, torch.nn.RNNBase):
                x, ends, last = ends, None, False
            if isinstance(layer, torch.nn.RNNBase):
                steps = x.shape[0]
                if lengths is not None:
                    x = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=False)
                x, s = layer(x)
                if lengths is not None:
                    x, _ = torch.nn.utils.rnn.pad_packed_sequence(x, total_length=steps)
                state.append(s)
                h_n = s[0] if isinstance(s, tuple) else s
                ends = torch.cat([h_n[-2], h_n[-1]], 1)[None] if layer.bidirectional else None
            else:
                x = layer(x)
        if last:
            at = lengths - 1 if lengths is not None else torch.full((x.shape[1],), x.shape[0] - 1)
            x = x[at, torch.arange(x.shape[1])][None]
        return x, state


class Transformer(torch.nn.Module):
    """Causal pre-norm blocks; positions learned, or sinusoids where there is no table."""

    def __init__(self, width, heads, hidden, blocks, activation, table=None, window=None):
        super().__init__()
        make = lambda: torch.nn.TransformerEncoderLayer(width, heads, hidden, 0.0, activation, norm_first=True)
        self.blocks = torch.nn.ModuleList([make() for _ in range(blocks)])
        self.positions = torch.nn.Parameter(torch.randn(table, width)) if table else None
        self.window = window
        for name, parameter in self.named_parameters():
            # biases and norms of torch start at 0 and 1, which would hide mistakes
            if parameter.dim() == 1:
                parameter.data.add_(torch.randn_like(parameter) * 0.3)

    def forward(self, x):
        T, _, D = x.shape
        t, j = torch.arange(T)[:, None], torch.arange(D)[None]
        angles = t / 10000 ** ((j - j % 2) / D)
        table = self.positions[:T] if self.positions is not None else torch.where(j % 2 == 0, angles.sin(), angles.cos())
        x = x + table[:, None]
        hidden = (t.T > t) | (t - t.T >= (self.window or T))
        for block in self.blocks:
            x = block(x, src_mask=hidden)
        return x


class TcnBlock(torch.nn.Module):
    def __init__(self, inputs, channels, kernel, dilation):
        super().__init__()
        self.padding = (kernel - 1) * dilation
        self.conv1 = torch.nn.Conv1d(inputs, channels, kernel, dilation=dilation)
        self.conv2 = torch.nn.Conv1d(channels, channels, kernel, dilation=dilation)
        self.downsample = torch.nn.Conv1d(inputs, channels, 1) if inputs != channels else None

    def forward(self, x):
        pad = lambda y: torch.nn.functional.pad(y, (self.padding, 0))
        y = self.conv2(pad(self.conv1(pad(x)).relu())).relu()
        return (y + (x if self.downsample is None else self.downsample(x))).relu()


class Tcn(torch.nn.Module):
    def __init__(self, inputs, channels, kernel, blocks):
        super().__init__()
        widths = [inputs] + [channels] * blocks
        self.blocks = torch.nn.ModuleList([TcnBlock(widths[k], channels, kernel, 2**k) for k in range(blocks)])

    def forward(self, x):
        return torch.nn.Sequential(*self.blocks)(x.permute(1, 2, 0)).permute(2, 0, 1)


def fewer_digits(model):
    """Weights that float32 holds exactly, written with few digits."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_((parameter * 1024).round() / 1024)


def our_name(layers, key):
    """torch counts activations as layers; an experiment does not."""
    _, index, rest = key.split(".", 2)
    place = sum(any(True for _ in layer.parameters()) for layer in layers[: int(index)])
    return f"layers.{place}.{rest}"


def run(name, description, layers, data, optimizer, spec, clip):
    model = Model(layers)
    fewer_digits(model)
    named = lambda tensors: {our_name(layers, key): value.clone() for key, value in tensors}
    start = named(model.state_dict().items())
    torch_optimizer = optimizer(model.parameters())
    lengths = data.get("lengths")
    steps = []
    for index in range(3):
        torch_optimizer.zero_grad()
        outputs, _ = model(data["input"], lengths, data["outputs"] == "last-step")
        flat = outputs.reshape(-1, outputs.shape[-1])
        if data["loss"] == "cross-entropy":
            each = torch.nn.functional.cross_entropy(flat, data["targets"].reshape(-1), reduction="none")
        else:
            each = ((flat - data["targets"]) ** 2).mean(1)
        w = data["weights"]
        loss = (each * w).sum() / w.sum()
        loss.backward()
        gradients = named((key, p.grad) for key, p in model.named_parameters())
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        torch_optimizer.step()
        steps.append({"loss": loss, "norm": norm})
        if index == 0:
            first = {"outputs": outputs, "gradients": gradients}
    return {
        "name": name,
        "layers": description,
        "input": data["input"],
        "targets": data["targets"],
        "weights": w,
        "lengths": None if lengths is None else lengths.tolist(),
        "outputsAt": data["outputs"],
        "loss": data["loss"],
        "optimizer": spec,
        "clipNorm": clip,
        "start": start,
        **first,
        "steps": steps,
        "end": named(model.state_dict().items()),
    }


def text(T, B, V):
    return {
        "input": torch.randint(0, V, (T, B)),
        "targets": torch.randint(0, V, (T, B)),
        "weights": (torch.rand(T * B) > 0.2).double(),
        "loss": "cross-entropy",
        "outputs": "every-step",
    }


def numbers(T, B, F, O, lengths=None):
    data = {"input": draw(T, B, F), "targets": draw(B, O), "weights": torch.ones(B), "loss": "mean-squared-error",
            "outputs": "last-step"}
    return {**data, "lengths": torch.tensor(lengths)} if lengths else data


nn, optim = torch.nn, torch.optim

if __name__ == "__main__":
    adam = {"learningRate": 0.02, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    write("models", "Whole models, trained for three clipped steps.", [
        run("characters, embedding, two stacked LSTMs, Adam",
            [{"type": "embedding", "dim": 4}, {"type": "lstm", "units": 5, "layers": 2}, {"type": "dense"}],
            [nn.Embedding(6, 4), nn.LSTM(4, 5, 2), nn.Linear(5, 6)], text(7, 3, 6),
            lambda p: optim.Adam(p, lr=0.02), {"type": "adam", **adam}, 0.5),
        run("numbers, GRU, last of unequal lengths, AdamW",
            [{"type": "gru", "units": 4}, {"type": "dense"}],
            [nn.GRU(3, 4), nn.Linear(4, 2)], numbers(6, 4, 3, 2, [6, 2, 4, 5]),
            lambda p: optim.AdamW(p, lr=0.02, weight_decay=0.1), {"type": "adamw", **adam, "weightDecay": 0.1}, 0.25),
        run("numbers, tanh RNN, tanh dense, SGD with momentum",
            [{"type": "rnn", "units": 5}, {"type": "dense", "units": 3, "activation": "tanh"}, {"type": "dense"}],
            [nn.RNN(2, 5), nn.Linear(5, 3), nn.Tanh(), nn.Linear(3, 1)], numbers(8, 3, 2, 1),
            lambda p: optim.SGD(p, lr=0.1, momentum=0.9), {"type": "sgd", "learningRate": 0.1, "momentum": 0.9, "nesterov": False}, 10.0),
        run("characters, relu RNN under GRU, RMSProp",
            [{"type": "embedding", "dim": 3}, {"type": "rnn", "units": 4, "activation": "relu"}, {"type": "gru", "units": 3},
             {"type": "dense"}],
            [nn.Embedding(5, 3), nn.RNN(3, 4, nonlinearity="relu"), nn.GRU(4, 3), nn.Linear(3, 5)], text(6, 2, 5),
            lambda p: optim.RMSprop(p, lr=0.01, alpha=0.9), {"type": "rmsprop", "learningRate": 0.01, "decay": 0.9, "momentum": 0, "epsilon": 1e-8}, 0.5),
        run("numbers, two bidirectional LSTMs, last of unequal lengths, Adam",
            [{"type": "lstm", "units": 3, "layers": 2, "bidirectional": True}, {"type": "dense"}],
            [nn.LSTM(2, 3, 2, bidirectional=True), nn.Linear(6, 2)], numbers(5, 4, 2, 2, [3, 5, 1, 4]),
            lambda p: optim.Adam(p, lr=0.02), {"type": "adam", **adam}, 0.5),
        run("characters, bidirectional GRU under an RNN, Adam",
            [{"type": "embedding", "dim": 3}, {"type": "gru", "units": 3, "bidirectional": True}, {"type": "rnn", "units": 4},
             {"type": "dense"}],
            [nn.Embedding(5, 3), nn.GRU(3, 3, bidirectional=True), nn.RNN(6, 4), nn.Linear(4, 5)], text(6, 3, 5),
            lambda p: optim.Adam(p, lr=0.02), {"type": "adam", **adam}, 0.5),
        # no Adam here: the bias of the keys has no gradient but rounding errors, which Adam would make steps of
        run("characters, two Transformer blocks with learned positions, layer norm, SGD with momentum",
            [{"type": "embedding", "dim": 6}, {"type": "transformer", "layers": 2, "heads": 2, "hidden": 5}, {"type": "layer-norm"},
             {"type": "dense"}],
            [nn.Embedding(5, 6), Transformer(6, 2, 5, 2, "gelu", table=7), nn.LayerNorm(6), nn.Linear(6, 5)], text(7, 2, 5),
            lambda p: optim.SGD(p, lr=0.1, momentum=0.9), {"type": "sgd", "learningRate": 0.1, "momentum": 0.9, "nesterov": False}, 0.5),
        run("numbers, Transformer with sinusoids, a window and relu, last of unequal lengths, SGD",
            [{"type": "dense", "units": 4}, {"type": "transformer", "heads": 1, "activation": "relu", "positions": "sinusoidal",
                                            "window": 3}, {"type": "dense"}],
            [nn.Linear(2, 4), Transformer(4, 1, 16, 1, "relu", window=3), nn.Linear(4, 2)], numbers(6, 4, 2, 2, [6, 2, 4, 1]),
            lambda p: optim.SGD(p, lr=0.1), {"type": "sgd", "learningRate": 0.1, "momentum": 0, "nesterov": False}, 10.0),
        run("numbers, a TCN of three blocks, Adam",
            [{"type": "tcn", "units": 4, "layers": 3, "kernelSize": 2}, {"type": "dense"}],
            [Tcn(3, 4, 2, 3), nn.Linear(4, 2)], numbers(9, 3, 3, 2),
            lambda p: optim.Adam(p, lr=0.02), {"type": "adam", **adam}, 0.5),
        run("characters, a TCN as wide as its input, AdamW",
            [{"type": "embedding", "dim": 4}, {"type": "tcn", "units": 4}, {"type": "dense"}],
            [nn.Embedding(5, 4), Tcn(4, 4, 3, 1), nn.Linear(4, 5)], text(6, 3, 5),
            lambda p: optim.AdamW(p, lr=0.02, weight_decay=0.1), {"type": "adamw", **adam, "weightDecay": 0.1}, 0.5),
    ])
