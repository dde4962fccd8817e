"""PyTorch as a participant of the benchmark: orders on stdin, one JSON line each, answered with one each.

python pytorch_peer.py --threads 2        (torch 2.13.0)

{"open": {"cell": "lstm", "shape": [I, H, T, B, O], "window": null}}, {"measure": {"seconds": 1}} or
{"measure": {"steps": 10}}, {"forms": true} of layers of recurrences, {"gemm": {"size": 2048, "seconds": 1}}, {"close": true}.
A step: forward, mean cross-entropy over all steps, backward, clipping to norm 1, Adam.
"""

import argparse
import json
import resource
import statistics
import sys
import time

import pytorch_recurrences
import torch
from torch import nn


class Recurrent(nn.Module):
    def __init__(self, kind, inputs, hidden, outputs, **more):
        super().__init__()
        self.cell = kind(inputs, hidden, **more)
        self.head = nn.Linear(hidden * (2 if more.get("bidirectional") else 1), outputs)

    def forward(self, x, state=None):
        h, state = self.cell(x, state)
        return self.head(h), state


class TransformerBlock(nn.Module):
    """A linear map to the width, learned positions, one pre-norm block, causal; head of its own."""

    def __init__(self, inputs, width, seq_len, outputs, heads=4):
        super().__init__()
        self.embed = nn.Linear(inputs, width)
        self.positions = nn.Parameter(torch.randn(seq_len, 1, width) * 0.02)
        self.block = nn.TransformerEncoderLayer(
            width, heads, 4 * width, dropout=0.0, activation="gelu", norm_first=True
        )
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, outputs)
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(seq_len))

    def forward(self, x, state=None):
        h = self.block(self.embed(x) + self.positions, src_mask=self.mask, is_causal=True)
        return self.head(self.norm(h)), None


class TemporalBlock(nn.Module):
    """Two causal convolutions and a residual; no weight normalisation."""

    def __init__(self, inputs, units, kernel, dilation):
        super().__init__()
        self.pad = (kernel - 1) * dilation
        self.conv1 = nn.Conv1d(inputs, units, kernel, dilation=dilation)
        self.conv2 = nn.Conv1d(units, units, kernel, dilation=dilation)
        self.change = nn.Conv1d(inputs, units, 1) if inputs != units else nn.Identity()

    def forward(self, x):
        z = torch.relu(self.conv1(nn.functional.pad(x, (self.pad, 0))))
        z = torch.relu(self.conv2(nn.functional.pad(z, (self.pad, 0))))
        return torch.relu(z + self.change(x))


class Tcn(nn.Module):
    def __init__(self, inputs, units, outputs, layers=4, kernel=3):
        super().__init__()
        widths = [inputs] + [units] * layers
        blocks = [TemporalBlock(widths[k], widths[k + 1], kernel, 2**k) for k in range(layers)]
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(units, outputs)

    def forward(self, x, state=None):
        # (T, B, I) to the (B, I, T) of a convolution, and back
        return self.head(self.blocks(x.permute(1, 2, 0)).permute(2, 0, 1)), None


class Conv(nn.Module):
    """A causal convolution of three taps and a ReLU."""

    def __init__(self, inputs, units, outputs, kernel=3):
        super().__init__()
        self.pad = kernel - 1
        self.conv = nn.Conv1d(inputs, units, kernel)
        self.head = nn.Linear(units, outputs)

    def forward(self, x, state=None):
        y = torch.relu(self.conv(nn.functional.pad(x.permute(1, 2, 0), (self.pad, 0))))
        return self.head(y.permute(2, 0, 1)), None


class WaveNet(nn.Module):
    """Gated causal convolutions of two taps, residual and skip connections; one convolution for filter and gate."""

    def __init__(self, inputs, units, outputs, layers=4):
        super().__init__()
        self.input, self.output = nn.Conv1d(inputs, units, 1), nn.Conv1d(units, units, 1)
        self.gated = nn.ModuleList([nn.Conv1d(units, 2 * units, 2, dilation=2**k) for k in range(layers)])
        self.skip = nn.ModuleList([nn.Conv1d(units, units, 1) for _ in range(layers)])
        self.residual = nn.ModuleList([nn.Conv1d(units, units, 1) for _ in range(layers - 1)])
        self.head = nn.Linear(units, outputs)

    def forward(self, x, state=None):
        x, skips = self.input(x.permute(1, 2, 0)), 0
        for k, gated in enumerate(self.gated):
            a, b = gated(nn.functional.pad(x, (2**k, 0))).chunk(2, 1)
            z = torch.tanh(a) * torch.sigmoid(b)
            skips = skips + self.skip[k](z)
            if k < len(self.residual):
                x = x + self.residual[k](z)
        return self.head(torch.relu(self.output(torch.relu(skips))).permute(2, 0, 1)), None


def detached(state):
    return state.detach() if isinstance(state, torch.Tensor) else tuple(part.detach() for part in state)


def model_of(cell, shape):
    inputs, hidden, seq_len, _, outputs = shape
    if cell in ("lstm", "gru", "rnn"):
        kind = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[cell]
        return Recurrent(kind, inputs, hidden, outputs)
    if cell == "bidirectional-lstm":
        return Recurrent(nn.LSTM, inputs, hidden, outputs, num_layers=2, bidirectional=True)
    if cell == "transformer":
        return TransformerBlock(inputs, hidden, seq_len, outputs)
    if cell == "tcn":
        return Tcn(inputs, hidden, outputs)
    if cell == "conv1d":
        return Conv(inputs, hidden, outputs)
    if cell == "wavenet":
        return WaveNet(inputs, hidden, outputs)
    if "/" in cell:
        return pytorch_recurrences.Layer(cell, inputs, hidden, outputs)
    raise ValueError(f"there is no model {cell} here")


class Layer:
    """The recurrent layer alone, forward and backward, with the gradient of its input."""

    def __init__(self, cell, shape):
        torch.manual_seed(1)
        inputs, hidden, seq_len, batch, _ = shape
        self.cell = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[cell](inputs, hidden)
        self.x = torch.randn(seq_len, batch, inputs, requires_grad=True)
        self.dy = torch.randn(seq_len, batch, hidden)

    def step(self):
        self.x.grad = None
        self.cell.zero_grad(set_to_none=True)
        self.cell(self.x)[0].backward(self.dy)

    def measure(self, seconds=0.0, steps=3):
        return measured(self.step, seconds, steps)


def measured(step, seconds, steps):
    times, began, loss, processor = [], time.perf_counter(), None, time.process_time()
    while len(times) < steps or time.perf_counter() - began < seconds:
        start = time.perf_counter()
        loss = step()
        times.append((time.perf_counter() - start) * 1e3)
    return {
        "msMedian": statistics.median(times),
        "msMean": statistics.fmean(times),
        "msProcessor": (time.process_time() - processor) * 1e3 / len(times),
        "steps": len(times),
        "loss": loss,
        "peakMemoryBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


class Training:
    def __init__(self, cell, shape, window=None, **_):
        torch.manual_seed(1)
        inputs, _, seq_len, batch, outputs = shape
        self.model = model_of(cell, shape)
        self.parameters = list(self.model.parameters())
        self.optimizer = torch.optim.Adam(self.parameters, lr=1e-3)
        self.x = [torch.randn(seq_len, batch, inputs) for _ in range(2)]
        self.y = [torch.randint(0, outputs, (seq_len, batch)) for _ in range(2)]
        self.window = window or seq_len
        self.turn = 0

    def step(self):
        x, y = self.x[self.turn % 2], self.y[self.turn % 2]
        self.turn += 1
        self.optimizer.zero_grad(set_to_none=True)
        state, total, parts = None, 0.0, -(-len(x) // self.window)
        for part in range(parts):
            piece = slice(part * self.window, (part + 1) * self.window)
            logits, state = self.model(x[piece], state)
            state = state if parts == 1 or state is None else detached(state)
            loss = nn.functional.cross_entropy(logits.flatten(0, 1), y[piece].flatten())
            share = len(x[piece]) / len(x)
            (loss if parts == 1 else loss * share).backward()
            total += loss.item() * share
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        return total

    def measure(self, seconds=0.0, steps=3):
        return measured(self.step, seconds, steps)


def gemm(size, seconds):
    """Operations a second of the best product: what the machine's own library reaches."""
    a, b, best, began = torch.randn(size, size), torch.randn(size, size), float("inf"), time.perf_counter()
    while time.perf_counter() - began < seconds:
        start = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - start)
    return {"operations": 2 * size**3 / best}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=0)
    threads = parser.parse_args().threads
    if threads:
        torch.set_num_threads(threads)
    facts = {
        "threads": torch.get_num_threads(),
        "isa": torch.backends.cpu.get_cpu_capability(),
        "version": torch.__version__,
    }
    training = None
    for line in sys.stdin:
        try:
            order = json.loads(line)
            if "open" in order:
                asked = order["open"]
                alone = asked.pop("part", None) == "layer"
                training = Layer(asked["cell"], asked["shape"]) if alone else Training(**asked)
                answer = {"opened": True}
            elif "measure" in order:
                answer = training.measure(**order["measure"])
            elif "forms" in order:
                answer = {"forms": pytorch_recurrences.FORMS}
            elif "gemm" in order:
                answer = gemm(**order["gemm"])
            else:
                training = None
                answer = {"closed": True}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps({**facts, **answer}), flush=True)


main()
