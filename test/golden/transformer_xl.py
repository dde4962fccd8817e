# requirements: torch==2.13.0
# Golden values of Transformer-XL with and without compressed memory: a sequence that is read in two segments, one query
# at a time, its keys gathered one by one. No gradient goes from the second segment to the first.
# Run: python test/golden/transformer_xl.py
import torch
from common import draw, write

D, O, HIDDEN = 6, 2, 3


class Block(torch.nn.Module):
    def __init__(self, spec):
        super().__init__()
        self.spec = spec
        self.norm1, self.norm2 = torch.nn.LayerNorm(D), torch.nn.LayerNorm(D)
        attention = torch.nn.Module()
        for name, outputs in [("q", D), ("kv", 2 * D), ("r", D), ("out", D)]:
            setattr(attention, name, torch.nn.Linear(D, outputs, bias=False))
        attention.u, attention.v = torch.nn.Parameter(torch.randn(D)), torch.nn.Parameter(torch.randn(D))
        self.self_attn = attention
        self.linear1, self.linear2 = torch.nn.Linear(D, HIDDEN), torch.nn.Linear(HIDDEN, D)

    def rows_before(self, history, t):
        """What stands before step t of one sequence, oldest first."""
        M, c = self.spec["memory"], self.spec.get("compression")
        if c is None:
            return list(history[max(0, t - M) : t])
        gone = max(0, t // M - 1) * M
        means = [history[i : i + c].mean(0) for i in range(0, gone, c)]
        return means[-self.spec["compressedMemory"] :] + list(history[gone:t])

    def distance(self, j):
        columns = torch.arange(D)
        angles = j / 10000 ** ((columns - columns % 2) / D)
        return torch.where(columns % 2 == 0, angles.sin(), angles.cos())

    def attend(self, own, before):
        a, heads = self.self_attn, self.spec["heads"]
        rows = before + [own]
        q, answer = a.q(own), []
        keys = [a.kv(row) for row in rows]
        for head in range(heads):
            part = slice(head * D // heads, (head + 1) * D // heads)
            scores = []
            for place, key in enumerate(keys):
                r = a.r(self.distance(torch.tensor(float(len(rows) - 1 - place))))
                scores.append((q + a.u)[part] @ key[:D][part] + (q + a.v)[part] @ r[part])
            shares = torch.softmax(torch.stack(scores) / (D / heads) ** 0.5, 0)
            answer.append(sum(share * key[D:][part] for share, key in zip(shares, keys)))
        return a.out(torch.cat(answer))

    def forward(self, x, cut):
        """(T, D) of one sequence; what stands before `cut` gives no gradient to what stands behind it."""
        y = []
        for t, own in enumerate(x):
            history = torch.cat([x[:cut].detach(), x[cut:]]) if t >= cut else x
            before = self.rows_before(history, t)
            if self.spec.get("norm", "pre") == "pre":
                z = own + self.attend(self.norm1(own), [self.norm1(row) for row in before])
                y.append(z + self.dense(self.norm2(z)))
            else:
                z = self.norm1(own + self.attend(own, before))
                y.append(self.norm2(z + self.dense(z)))
        return torch.stack(y)

    def dense(self, x):
        return self.linear2(torch.nn.functional.gelu(self.linear1(x)))


def case(name, spec, T, cut, B=2):
    layer = {"type": "transformer-xl", "hidden": HIDDEN, **spec}
    blocks = torch.nn.ModuleList([Block(spec) for _ in range(spec.get("layers", 1))])
    head = torch.nn.Linear(D, O)
    for module in [blocks, head]:
        for parameter in module.parameters():
            with torch.no_grad():
                if parameter.dim() == 1:
                    parameter.add_(torch.randn_like(parameter) * 0.3)
                parameter.copy_((parameter * 1024).round() / 1024)
    x, dy = draw(T, B, D).requires_grad_(), draw(T, B, O)
    dy[:cut] = 0
    outputs = []
    for b in range(B):
        h = x[:, b]
        for block in blocks:
            h = block(h, cut)
        outputs.append(head(h))
    y = torch.stack(outputs, 1)
    (y * dy).sum().backward()
    assert (x.grad[:cut] == 0).all()
    named = {f"layers.0.blocks.{key}": value for key, value in blocks.named_parameters()}
    named.update({f"layers.1.{key}": value for key, value in head.named_parameters()})
    return {"name": name, "layers": [layer, {"type": "dense"}], "input": x, "cut": cut, "dy": dy, "outputs": y,
            "weights": {key: value.detach() for key, value in named.items()},
            "gradients": {key: value.grad for key, value in named.items()}, "inputGradient": x.grad}


if __name__ == "__main__":
    write("transformer_xl", "Transformer-XL in two segments; the loss is the sum of y dy of the second.", [
        case("a memory as long as a segment", {"heads": 2, "memory": 4}, T=8, cut=4),
        case("two blocks, post-norm, a memory of three steps", {"heads": 1, "memory": 3, "layers": 2, "norm": "post"}, T=9, cut=4),
        case("a memory longer than what was read", {"heads": 3, "memory": 7}, T=7, cut=2),
        case("compressed memory", {"heads": 2, "memory": 2, "compression": 2, "compressedMemory": 2}, T=11, cut=7),
        case("compressed memory of two blocks, of three steps each",
             {"heads": 1, "memory": 3, "compression": 3, "compressedMemory": 3, "layers": 2}, T=11, cut=5, B=1),
    ])
