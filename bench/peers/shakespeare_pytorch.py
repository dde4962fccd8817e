"""Trains the model of an experiment in PyTorch until its validation loss is low enough: the same batches in the same
order as src/trainer/tasks/text-stream.ts, validation counted in the time.

python shakespeare_pytorch.py EXPERIMENT TEXT SEED THREADS LOSS        (torch 2.13.0)
"""

import json
import math
import pathlib
import sys
import time

import torch
from torch import nn

experiment, text, seed, threads, wanted = sys.argv[1:]
spec = json.loads(pathlib.Path(experiment).read_text())
training = spec["training"]
B, T = training["batchSize"], training["seqLen"]
torch.set_num_threads(int(threads))
torch.manual_seed(int(seed))


class CharModel(nn.Module):
    def __init__(self, vocabulary, dim, units):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, dim)
        self.lstm = nn.LSTM(dim, units)
        self.out = nn.Linear(units, vocabulary)

    def forward(self, tokens, state):
        y, state = self.lstm(self.embed(tokens), state)
        return self.out(y), state


def windows(ids, most=None):
    rows = min(B, (len(ids) - 1) // T)
    length = (len(ids) - 1) // rows
    for index in range(min(length // T, most or length)):
        places = (torch.arange(rows) * length + index * T)[None, :] + torch.arange(T)[:, None]
        yield ids[places], ids[places + 1]


def cross_entropy(model, tokens, targets, state):
    logits, state = model(tokens, state)
    return nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten()), state


@torch.no_grad()
def validate(model, batches):
    total, count, state = 0.0, 0, None
    for tokens, targets in batches:
        loss, state = cross_entropy(model, tokens, targets, state)
        total += loss.item() * targets.numel()
        count += targets.numel()
    return total / count


def main():
    symbols = sorted(set(letters := pathlib.Path(text).read_text()))
    id_of = {symbol: index for index, symbol in enumerate(symbols)}
    ids = torch.tensor([id_of[symbol] for symbol in letters])
    split = spec["data"]["split"]
    first, second = math.floor(len(ids) * split[0]), math.floor(len(ids) * (split[0] + split[1]))
    batches = list(windows(ids[:first]))
    held = list(windows(ids[first:second], training["validation"]["maxBatches"]))
    embedding, lstm, _ = spec["model"]["layers"]
    model = CharModel(len(symbols), embedding["dim"], lstm["units"])
    optimizer = torch.optim.Adam(model.parameters(), lr=training["optimizer"]["learningRate"])
    state, curve, reached, began = None, [], None, time.perf_counter()
    for step in range(1, training["steps"] + 1):
        index = (step - 1) % len(batches)
        loss, state = cross_entropy(model, *batches[index], None if index == 0 else state)
        state = tuple(part.detach() for part in state)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), training["clipNorm"])
        optimizer.step()
        loss.item()
        if step % training["validation"]["every"]:
            continue
        curve.append((step, validate(model, held)))
        if reached is None and curve[-1][1] <= float(wanted):
            reached = (time.perf_counter() - began, step)
        if reached and step >= 1000:
            break
    seconds, steps = reached or (None, training["steps"])
    print(json.dumps({"seconds": seconds, "steps": steps, "curve": curve}))


main()
