# requirements: torch==2.13.0
# Golden values of models with an encoder: a recurrent encoder hands its last states (h, and c of an LSTM) to the decoder,
# which starts in them; sources and targets of unequal lengths; a decoder that starts in states it learns; attention.
# Run: python test/golden/encoders.py
import torch
from common import draw, write

S, T, B, V, W, D, H = 5, 4, 3, 6, 7, 4, 5
LENGTHS = torch.tensor([5, 2, 4])


class Attention(torch.nn.Module):
    """Scores of every state of the source, softmax over its valid steps, and the weighted sum joined with the query."""

    def __init__(self, score, memory, width, compared, location=None):
        super().__init__()
        self.score, self.location = score, None
        if score == "additive":
            self.query = torch.nn.Linear(width, compared, bias=False)
            self.key = torch.nn.Linear(memory, compared, bias=False)
            self.v = torch.nn.Linear(compared, 1, bias=False)
        if location:
            filters, size = location
            self.filters = torch.nn.Conv1d(1, filters, size, padding=size // 2, bias=False)
            self.location = torch.nn.Linear(filters, compared, bias=False)
        if score == "general":
            self.query = torch.nn.Linear(width, memory, bias=False)

    def forward(self, h, states, lengths):
        h, s = h.transpose(0, 1), states.transpose(0, 1)
        beyond = torch.arange(s.shape[1])[None, None] >= lengths[:, None, None]
        if self.location is not None:
            a, shares = torch.zeros(s.shape[:2]), []
            for h_t in h.unbind(1):
                f = self.filters(a[:, None]).transpose(1, 2)
                e = self.v(torch.tanh(self.query(h_t)[:, None] + self.key(s) + self.location(f)))[..., 0]
                a = torch.softmax(e.masked_fill(beyond[:, 0], -torch.inf), 1)
                shares.append(a)
            self.weights = torch.stack(shares, 1)
            return torch.cat([self.weights @ s, h], 2).transpose(0, 1)
        if self.score == "additive":
            e = self.v(torch.tanh(self.query(h)[:, :, None] + self.key(s)[:, None]))[..., 0]
        else:
            e = (self.query(h) if self.score == "general" else h) @ s.transpose(1, 2)
        self.weights = torch.softmax(e.masked_fill(beyond, -torch.inf), 2)
        return torch.cat([self.weights @ s, h], 2).transpose(0, 1)


def case(name, cell, bidirectional, layers, learned=False, score=None, compared=None, bridge=None, location=None):
    kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}[cell]
    units = bridge or (2 * H if bidirectional else H)
    ends_in = 2 * H if bidirectional else H
    parts = {
        "encoder.0": torch.nn.Embedding(V, D),
        "encoder.1": kind(D, H, layers, bidirectional=bidirectional),
        "layers.0": torch.nn.Embedding(W, D),
        "layers.1": kind(D, units, layers),
    }
    if score:
        parts["layers.2"] = Attention(score, ends_in, units, compared or units, location)
    head = f"layers.{3 if score else 2}"
    parts[head] = torch.nn.Linear(ends_in + units if score else units, W)
    initial = {}
    state_parts = ("h", "c")[: 2 if cell == "lstm" else 1]
    bridges = {}
    if bridge:
        for part in state_parts:
            for level in range(layers):
                bridges[f"layers.1.bridge_{part}_l{level}"] = torch.nn.Linear(ends_in, units)
    parts_and_bridges = {**parts, **bridges}
    if learned:
        for level in range(layers):
            for part in ("h", "c")[: 2 if cell == "lstm" else 1]:
                initial[f"layers.1.initial_{part}_l{level}"] = draw(units).requires_grad_()
    source = torch.randint(0, V, (S, B))
    target = torch.randint(0, W, (T + 1, B))
    embedded = torch.nn.utils.rnn.pack_padded_sequence(parts["encoder.0"](source), LENGTHS, enforce_sorted=False)
    states, last = parts["encoder.1"](embedded)
    states = torch.nn.utils.rnn.pad_packed_sequence(states)[0]

    def ends(state):
        if not bidirectional:
            return state
        both = state.reshape(layers, 2, B, H)
        return torch.cat([both[:, 0], both[:, 1]], 2)

    def begin(part):
        rows = [initial[f"layers.1.initial_{part}_l{level}"].expand(B, units) for level in range(layers)]
        return torch.stack(rows)

    if learned:
        state = (begin("h"), begin("c")) if cell == "lstm" else begin("h")
    else:
        state = (ends(last[0]), ends(last[1])) if cell == "lstm" else ends(last)
    if bridge:

        def through(states, part):
            rows = [torch.tanh(bridges[f"layers.1.bridge_{part}_l{level}"](states[level])) for level in range(layers)]
            return torch.stack(rows)

        state = (through(state[0], "h"), through(state[1], "c")) if cell == "lstm" else through(state, "h")
    y, _ = parts["layers.1"](parts["layers.0"](target[:-1]), state)
    if score:
        y = parts["layers.2"](y, states, LENGTHS)
    outputs = parts[head](y)
    loss = torch.nn.functional.cross_entropy(outputs.reshape(-1, W), target[1:].reshape(-1))
    loss.backward()
    weights = {f"{prefix}.{key}": value for prefix, part in parts_and_bridges.items() for key, value in part.named_parameters()}
    weights.update(initial)
    begins = {} if not learned else {"initialState": "learned"}
    if bridge:
        begins["bridge"] = "dense"
    located = {"locationSensitive": True, "filters": location[0], "kernelSize": location[1]} if location else {}
    looks = [{"type": "attention", "score": score, **({"units": compared} if compared else {}), **located}] if score else []
    return {
        "name": name,
        "encoder": [{"type": "embedding", "dim": D}, {"type": cell, "units": H, "layers": layers, "bidirectional": bidirectional}],
        "layers": [{"type": "embedding", "dim": D}, {"type": cell, "units": units, "layers": layers, **begins}, *looks, {"type": "dense"}],
        "source": source,
        "lengths": LENGTHS.tolist(),
        "input": target[:-1],
        "targets": target[1:],
        "vocabularies": [V, W],
        "weights": {key: value.detach() for key, value in weights.items()},
        "outputs": outputs.detach(),
        "attention": parts["layers.2"].weights if score else None,
        "loss": loss.detach(),
        "gradients": {key: torch.zeros_like(value) if value.grad is None else value.grad for key, value in weights.items()},
    }


torch.manual_seed(1)
write(
    "encoders",
    "Models with an encoder: outputs, loss and all gradients.",
    [
        case("an LSTM through h and c", "lstm", False, 1),
        case("two levels of GRU", "gru", False, 2),
        case("a bidirectional LSTM, both ends side by side", "lstm", True, 2),
        case("a simple RNN", "rnn", False, 1),
        case("states that are learned", "lstm", False, 2, learned=True),
        case("additive attention (Bahdanau)", "gru", True, 1, score="additive"),
        case("additive attention of a width of its own", "lstm", False, 1, score="additive", compared=3),
        case("a bridge from two directions to fewer units", "lstm", True, 2, bridge=3),
        case("a bridge and additive attention", "gru", True, 1, bridge=4, score="additive", compared=3),
        case("dot attention (Luong)", "gru", False, 1, score="dot"),
        case("general attention (Luong)", "lstm", True, 1, score="general"),
        case("location-sensitive attention (Chorowski)", "gru", False, 1, score="additive", compared=4, location=(3, 3)),
    ],
)
