"""Keras's own answers of encoder-decoders that `unroll export --format keras` wrote as code: of given targets (which
model.py compares itself), and of sources of unequal lengths and what `translate` writes, which `unroll predict` is
compared with. Writes keras_encoder_decoder.json: experiment, weights, hashes of what was exported, and Keras's logits.

    node esbuild.js --bundles && mkdir /tmp/k && cd /tmp/k && python .../test/golden/keras_encoder_decoder.py .../dist/engine/unroll.mjs
"""
import base64
import hashlib
import importlib.util
import json
import os
import pathlib
import subprocess
import sys

os.environ.setdefault("KERAS_BACKEND", "jax")
import numpy as np

UNROLL = ["node", sys.argv[1]]
E, ATTENTION = {"type": "embedding", "dim": 4}, {"type": "attention"}
CASES = {
    "GRUs with additive attention": (
        [E, {"type": "gru", "units": 6}],
        [E, {"type": "gru", "units": 6}, {"type": "attention", "units": 5}, {"type": "dense"}]),
    "an LSTM both ways through a bridge, with general attention": (
        [E, {"type": "lstm", "units": 4, "bidirectional": True, "layers": 2, "dropout": 0.2}],
        [E, {"type": "lstm", "units": 5, "layers": 2, "bridge": "dense"}, {"type": "attention", "score": "general"},
         {"type": "dense", "units": 7, "activation": "tanh"}, {"type": "dense"}]),
    "a GRU both ways that hands its state to an LSTM, with attention by dot product": (
        [E, {"type": "gru", "units": 3, "bidirectional": True}],
        [E, {"type": "lstm", "units": 6, "bridge": "dense"}, {"type": "attention", "score": "dot"}, {"type": "dense"}]),
    "RNNs without attention or embedding": (
        [{"type": "rnn", "units": 6}], [{"type": "rnn", "units": 6}, {"type": "dense"}]),
    "zeros to begin with, a level more, convolved states": (
        [E, {"type": "conv1d", "units": 4, "kernelSize": 3, "padding": "same", "activation": "relu"},
         {"type": "gru", "units": 4, "resetAfter": False}, {"type": "layer-norm"}],
        [E, {"type": "gru", "units": 4, "initialState": "zeros"}, {"type": "gru", "units": 4, "layers": 2},
         {"type": "attention", "score": "concat"}, {"type": "dense", "residual": True, "units": 8}, {"type": "dense"}]),
}
SOURCES = ["abcd", "a", "dbcabdc", "bb"]
TARGETS = ["dc", "abcd", "a", "bb"]


def unroll(*arguments, **options):
    made = subprocess.run([*UNROLL, *arguments], capture_output=True, text=True, **options)
    assert made.returncode == 0, made.stderr
    return made.stdout


golden = {}
for at, (name, (encoder, layers)) in enumerate(CASES.items()):
    experiment = {"data": {"task": "reverse", "length": 7, "symbols": 4}, "model": {"encoder": encoder, "layers": layers},
                  "training": {"steps": 60, "batchSize": 16, "optimizer": {"type": "adam", "learningRate": 0.03}}}
    pathlib.Path(f"{at}.rnn.json").write_text(json.dumps(experiment))
    run = json.loads(unroll("train", f"{at}.rnn.json", "--json", "--threads", "1").splitlines()[-1])["run"]
    out = f"out-{at}"
    unroll("export", run, "--format", "keras", "--out", out)
    unroll("export", run, "--format", "safetensors", "--out", f"weights-{at}")
    spec = importlib.util.spec_from_file_location(f"model_{at}", os.path.join(out, "model.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    models = module.load()
    difference, tolerance = module.check(*models)
    assert difference <= tolerance, (name, difference)
    # what it writes by itself
    pathlib.Path("sources.tsv").write_text("".join(f"{source}\n" for source in SOURCES))
    told = json.loads(unroll("predict", run, "sources.tsv", "--json").splitlines()[0])
    written = [module.translate(*models, source) for source in SOURCES]
    assert written == [row["prediction"] for row in told["rows"]], (name, written, told["rows"])
    # sources of unequal lengths, read at once
    ids = [module.source_ids(source) for source in SOURCES]
    steps = max(map(len, ids))
    source = np.array([row + [0] * (steps - len(row)) for row in ids], "int32")
    symbols = {symbol: index for index, symbol in enumerate(module.TASK["targetSymbols"])}
    x = [[module.START, *(symbols[symbol] for symbol in target)] for target in TARGETS]
    steps = max(map(len, x))
    x = np.array([row + [0] * (steps - len(row)) for row in x], "int32")
    tensor = module.ops.convert_to_tensor
    given = module.several(models[0]([tensor(source), tensor([len(row) for row in ids], "int32")]))
    logits = np.asarray(models[1]([tensor(x), *given])[0])
    print(name, f"{difference:.1e}", written)
    read = lambda *path: pathlib.Path(*path).read_bytes()
    golden[name] = {
        "experiment": experiment,
        "weights": base64.b64encode(read(f"weights-{at}", "model.safetensors")).decode(),
        "task": json.loads(read(out, "task.json")),
        "code": hashlib.sha256(read(out, "model.py").split(b'"""', 2)[2]).hexdigest(),
        "arrays": hashlib.sha256(read(out, "model.safetensors")).hexdigest(),
        "targets": TARGETS, "sources": SOURCES, "written": written,
        "logits": [float(f"{value:.7g}") for value in logits.ravel()],
    }
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(golden) + "\n")
