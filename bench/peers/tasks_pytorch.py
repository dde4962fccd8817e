"""Whole tasks in PyTorch, as they are usually written, for the group `tasks`; milliseconds a step as one JSON line.

python tasks_pytorch.py WHAT DATA STEPS THREADS        (torch 2.13.0)

WHAT: padded or packed (texts of unequal lengths, an LSTM of 64 units), additive or general (pairs; an encoder and a decoder
of 128 GRU units with attention of that score, a step of the decoder at a time), ctc (the loss alone; DATA is T,B,C,L).
"""

import json
import statistics
import sys
import time

import torch
from torch import nn

what, data, steps, threads = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
torch.set_num_threads(threads)
torch.manual_seed(1)


def rows_of(path):
    with open(path, encoding="utf-8") as file:
        return [line.rstrip("\n").split("\t") for line in file][1:]


def codes(text):
    return torch.tensor([ord(letter) - 96 for letter in text])


class Classifier(nn.Module):
    def __init__(self, packed, units=64):
        super().__init__()
        self.packed = packed
        self.embed, self.cell = nn.Embedding(27, 32), nn.LSTM(32, units)
        self.head = nn.Linear(units, 2)

    def forward(self, x, lengths):
        x = self.embed(x)
        if self.packed:
            x = nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=False)
            return self.head(self.cell(x)[1][0][0])
        y, _ = self.cell(x)
        return self.head(y[lengths - 1, torch.arange(len(lengths))])


class Seq2seq(nn.Module):
    """Bahdanau's score, v · tanh(W s + U h), or Luong's general one, s · W h."""

    def __init__(self, additive, dim=64, units=128, symbols=29):
        super().__init__()
        self.additive = additive
        self.source, self.target = nn.Embedding(symbols, dim), nn.Embedding(symbols, dim)
        self.encoder, self.decoder = nn.GRU(dim, units), nn.GRU(dim + units, units)
        self.w, self.u, self.v = nn.Linear(units, units), nn.Linear(units, units), nn.Linear(units, 1)
        self.head = nn.Linear(units, symbols)

    def forward(self, x, y):
        keys, state = self.encoder(self.source(x))
        projected, logits = self.u(keys), []
        for step in range(len(y)):
            if self.additive:
                scores = self.v(torch.tanh(self.w(state[-1]) + projected)).softmax(0)
            else:
                scores = (state[-1] * projected).sum(-1, keepdim=True).softmax(0)
            context = (scores * keys).sum(0)
            out, state = self.decoder(torch.cat([self.target(y[step]), context], -1)[None], state)
            logits.append(self.head(out[0]))
        return torch.stack(logits)


def train(model, batches):
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    times = []
    for step in range(steps):
        began = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        logits, targets = batches(model)
        nn.functional.cross_entropy(logits.flatten(0, -2), targets.flatten()).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step >= steps // 4:
            times.append((time.perf_counter() - began) * 1e3)
    return statistics.fmean(times)


def ragged(packed, size=32):
    rows = rows_of(data)
    texts, labels = [codes(text) for text, _ in rows], torch.tensor([int(label == "b") for _, label in rows])

    def batches(model):
        chosen = torch.randint(len(texts), (size,))
        parts = [texts[i] for i in chosen]
        x = nn.utils.rnn.pad_sequence(parts)
        return model(x, torch.tensor([len(part) for part in parts])), labels[chosen]

    return train(Classifier(packed), batches)


def seq2seq(additive, size=64):
    rows = rows_of(data)
    sources = torch.stack([codes(row[0]) for row in rows]).T.contiguous()
    targets = torch.stack([codes(row[1]) for row in rows]).T.contiguous()

    def batches(model):
        chosen = torch.randint(len(rows), (size,))
        wanted = torch.cat([targets[:, chosen], torch.full((1, size), 28)])
        begun = torch.cat([torch.full((1, size), 27), targets[:, chosen]])
        return model(sources[:, chosen], begun), wanted

    return train(Seq2seq(additive), batches)


def ctc():
    T, B, C, L = map(int, data.split(","))
    logits = torch.randn(T, B, C, requires_grad=True)
    labels, times = torch.randint(1, C, (B, L)), []
    for step in range(steps):
        began = time.perf_counter()
        logits.grad = None
        lengths = torch.full((B,), T), torch.full((B,), L)
        nn.functional.ctc_loss(logits.log_softmax(-1), labels, *lengths, reduction="sum").backward()
        if step >= steps // 4:
            times.append((time.perf_counter() - began) * 1e3)
    return statistics.fmean(times)


ms = {
    "padded": lambda: ragged(False),
    "packed": lambda: ragged(True),
    "additive": lambda: seq2seq(True),
    "general": lambda: seq2seq(False),
    "ctc": ctc,
}[what]()
print(json.dumps({"ms": ms, "version": torch.__version__}))
