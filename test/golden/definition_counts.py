# requirements: torch==2.13.0, keras==3.15.1 with any backend (tensorflow-cpu==2.21)
# Parameters of recurrent layers as the frameworks themselves count them, for the code that defines them.
# Run, with an interpreter for each: python test/golden/definition_counts.py torch ; python … keras ;
# node test/golden/definition_counts.mjs for TensorFlow.js. Each fills its own part of definition_counts.json.
import json
import pathlib
import sys

FILE = pathlib.Path(__file__).parent / "definition_counts.json"

TORCH = [
    "nn.LSTM(10, 20)",
    "nn.LSTM(10, 20, 2, bidirectional=True)",
    "nn.LSTM(3, 7, num_layers=3, bias=False)",
    "nn.GRU(input_size=5, hidden_size=9, num_layers=2)",
    "nn.GRU(5, 9, bidirectional=True, batch_first=True)",
    "nn.RNN(4, 6, 2, 'relu')",
    "nn.RNN(4, 6, bias=False)",
    "nn.LSTMCell(10, 20)",
    "nn.GRUCell(3, 5, bias=False)",
    "nn.RNNCell(3, 5)",
]
KERAS = [
    "keras.Sequential([keras.Input(shape=(5, 3)), layers.LSTM(8)])",
    "keras.Sequential([keras.Input(shape=(5, 3)), layers.LSTM(8, use_bias=False)])",
    "keras.Sequential([keras.Input(shape=(5, 3)), layers.GRU(8)])",
    "keras.Sequential([keras.Input(shape=(5, 3)), layers.GRU(8, reset_after=False)])",
    "keras.Sequential([keras.Input(shape=(5, 3)), layers.SimpleRNN(8)])",
    "keras.Sequential([keras.Input(shape=(5, 3)), layers.Bidirectional(layers.LSTM(8, return_sequences=True)), layers.GRU(4)])",
    "keras.Sequential([keras.Input(shape=(5,)), layers.Embedding(50, 6), layers.GRU(7, return_sequences=True), layers.Dropout(0.1), layers.LSTM(3)])",
    "keras.Sequential([keras.Input(shape=(5, 3)), layers.Dense(11), layers.SimpleRNN(4, use_bias=False)])",
    "keras.Sequential([keras.Input(shape=(5, 3)), layers.RNN(layers.GRUCell(6))])",
]


def count_torch(code):
    from torch import nn

    return [sum(p.numel() for p in eval(code, {"nn": nn}).parameters())]


def count_keras(code):
    import keras
    from keras import layers

    model = eval(code, {"keras": keras, "layers": layers})
    recurrent = (layers.RNN, layers.Bidirectional)
    return [layer.count_params() for layer in model.layers if isinstance(layer, recurrent)]


framework = sys.argv[1]
codes, count = {"torch": (TORCH, count_torch), "keras": (KERAS, count_keras)}[framework]
cases = json.loads(FILE.read_text()) if FILE.exists() else []
cases = [case for case in cases if case["framework"] != framework]
cases += [{"framework": framework, "code": code, "counts": count(code)} for code in codes]
FILE.write_text(json.dumps(sorted(cases, key=lambda case: case["framework"]), indent=1) + "\n")
