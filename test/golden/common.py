# What the golden generators share: numbers that float32 holds exactly go in, float64 results come out, written with
# nine digits.
import json
import pathlib

import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(20261121)

HERE = pathlib.Path(__file__).parent


def draw(*shape, scale=1.0):
    """Random numbers with few digits, each exactly a float32."""
    return (torch.randn(*shape) * scale * 1024).round() / 1024


def plain(value):
    """Tensors as {shape, data}, the rest as it is."""
    if isinstance(value, torch.Tensor):
        data = [float(f"{x:.9g}") for x in value.detach().reshape(-1).tolist()]
        return {"shape": list(value.shape), "data": [int(x) if x == int(x) else x for x in data]}
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    return value


def write(name, comment, cases, script=None):
    text = {"comment": f"{comment} Written by test/golden/{script or name}.py with torch {torch.__version__}.", "cases": cases}
    (HERE / f"{name}.json").write_text(json.dumps(plain(text), separators=(",", ":")) + "\n")
    print(f"{name}.json: {len(cases)} cases, {(HERE / f'{name}.json').stat().st_size} bytes")
