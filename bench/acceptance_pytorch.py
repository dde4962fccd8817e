"""The PyTorch side of bench/acceptance.ts, Shakespeare: the same model, data and batch order, one thread; from the
initial values that `node --import tsx bench/acceptance.ts shakespeare --initial` writes, and from its own.

python bench/acceptance_pytorch.py        (torch 2.13.0; writes bench/out/shakespeare-pytorch.json)
"""

import json
import math
import pathlib
import struct

import torch

HERE = pathlib.Path(__file__).resolve().parent
TEXT = HERE.parent.parent / "shared/data/samples/tinyshakespeare/input.txt"
spec = json.loads((HERE / "shakespeare.rnn.json").read_text())
training = spec["training"]
B, T, steps = training["batchSize"], training["seqLen"], training["steps"]
embedding, lstm, _ = spec["model"]["layers"]
SEEDS = (1, 2, 3)


class CharModel(torch.nn.Module):
    def __init__(self, vocabulary: int):
        super().__init__()
        self.embed = torch.nn.Embedding(vocabulary, embedding["dim"])
        self.lstm = torch.nn.LSTM(embedding["dim"], lstm["units"])
        self.out = torch.nn.Linear(lstm["units"], vocabulary)

    def forward(self, tokens, state):
        y, state = self.lstm(self.embed(tokens), state)
        return self.out(y), state


def load_initial(model: CharModel, seed: int):
    raw = (HERE / f"out/shakespeare-{seed}.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length])
    names = {"layers.0": "embed", "layers.1": "lstm", "layers.2": "out"}
    state = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        values = torch.frombuffer(bytearray(raw[begin:end]), dtype=torch.float32)
        layer, parameter = name[:8], name[9:]
        state[f"{names[layer]}.{parameter}"] = values.reshape(entry["shape"])
    model.load_state_dict(state)


def windows(ids: torch.Tensor):
    """Rows side by side, cut into windows of T: as src/trainer/tasks/text-stream.ts."""
    rows = min(B, (len(ids) - 1) // T)
    length = (len(ids) - 1) // rows
    for index in range(length // T):
        starts = torch.arange(rows) * length + index * T
        places = starts[None, :] + torch.arange(T)[:, None]
        yield ids[places], ids[places + 1]


def cross_entropy(model, tokens, targets, state):
    logits, state = model(tokens, state)
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten()), state


def train(seed: int, ids, vocabulary: int, same: bool) -> float:
    torch.manual_seed(seed)
    first = math.floor(len(ids) * spec["data"]["split"][0])
    second = math.floor(len(ids) * (spec["data"]["split"][0] + spec["data"]["split"][1]))
    model = CharModel(vocabulary)
    if same:
        load_initial(model, seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=training["optimizer"]["learningRate"])
    batches = list(windows(ids[:first]))
    state = None
    for step in range(steps):
        index = step % len(batches)
        if index == 0:
            state = None
        loss, state = cross_entropy(model, *batches[index], state)
        state = tuple(part.detach() for part in state)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), training["clipNorm"])
        optimizer.step()
    total, count, state = 0.0, 0, None
    with torch.no_grad():
        for tokens, targets in windows(ids[first:second]):
            loss, state = cross_entropy(model, tokens, targets, state)
            total += loss.item() * targets.numel()
            count += targets.numel()
    return total / count


def main():
    torch.set_num_threads(1)
    text = TEXT.read_text()
    symbols = sorted(set(text))
    id_of = {symbol: index for index, symbol in enumerate(symbols)}
    ids = torch.tensor([id_of[symbol] for symbol in text])
    results = {"same": {}, "own": {}}
    for values in results:
        for seed in SEEDS:
            results[values][str(seed)] = train(seed, ids, len(symbols), values == "same")
            print(f"{values} initial values, seed {seed}: {results[values][str(seed)]:.4f}", flush=True)
    (HERE / "out/shakespeare-pytorch.json").write_text(json.dumps(results))


main()
