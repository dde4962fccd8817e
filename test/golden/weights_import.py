"""Weights that PyTorch and Keras wrote, with what their models say: weights_import/NAME.safetensors, NAME.weights.h5 and
weights_import.json (inputs and outputs, time-major). Biases are drawn too, so that none is 0.

    python weights_import.py
"""
import json
import os

os.environ.setdefault("KERAS_BACKEND", "jax")
import keras
import numpy as np
import torch
from keras import layers as L
from safetensors.torch import save_file
from torch import nn

here = os.path.dirname(os.path.abspath(__file__))
out = os.path.join(here, "weights_import")
os.makedirs(out, exist_ok=True)
random = np.random.default_rng(7)
golden = {}
STEPS, BATCH, SYMBOLS = 7, 2, 10
tokens = random.integers(0, SYMBOLS, (STEPS, BATCH))
numbers = random.normal(size=(STEPS, BATCH, 2)).astype("float32")


def keep(name, file, x, y):
    golden[name] = {"file": file, "shape": list(x.shape), "input": x.ravel().tolist(), "outputs": [round(float(v), 8) for v in np.asarray(y).ravel()]}


def with_torch(name, model, x, double=False):
    torch.manual_seed(len(golden) + 1)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.4)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            nn.init.normal_(module.running_mean, std=0.3)
            nn.init.uniform_(module.running_var, 0.5, 2)
    model.eval()
    with torch.no_grad():
        y = model(torch.from_numpy(x))
    state = {key: value.clone() for key, value in model.state_dict().items()}
    if double:
        state = {key: value.double() for key, value in state.items()}
    save_file(state, os.path.join(out, f"{name}.safetensors"))
    keep(name, f"{name}.safetensors", x, y.numpy())


def with_keras(name, model, x):
    model.set_weights([random.uniform(0.5, 2, w.shape) if "variance" in w.path else random.normal(0, 0.4, w.shape) for w in model.weights])
    y = np.swapaxes(np.array(model(np.swapaxes(x, 0, 1), training=False)), 0, 1)
    model.save_weights(os.path.join(out, f"{name}.weights.h5"))
    keep(name, f"{name}.weights.h5", x, y)


class Language(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(SYMBOLS, 4)
        self.rnn = nn.LSTM(4, 5, 2)
        self.out = nn.Linear(5, SYMBOLS)

    def forward(self, x):
        return self.out(self.rnn(self.embed(x))[0])


class BothWays(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.GRU(2, 3, bidirectional=True)
        self.norm = nn.LayerNorm(6)
        self.second = nn.RNN(6, 4, nonlinearity="relu", bias=False)
        self.head = nn.Linear(4, 1)

    def forward(self, x):
        return self.head(self.second(self.norm(self.first(x)[0]))[0])


class Convolution(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv1d(2, 4, 3)
        self.norm = nn.BatchNorm1d(4)
        self.conv2 = nn.Conv1d(4, 4, 3)
        self.head = nn.Linear(4, 1)

    def forward(self, x):
        x = x.permute(1, 2, 0)
        x = self.norm(self.conv1(nn.functional.pad(x, (2, 0))))
        x = self.conv2(nn.functional.pad(x, (2, 0)))
        return self.head(x.permute(2, 0, 1))


with_torch("torch_lstm", Language(), tokens)
with_torch("torch_both_ways", BothWays(), numbers)
with_torch("torch_convolution", Convolution(), numbers, double=True)

x = keras.Input((None,), dtype="int32")
y = L.Embedding(SYMBOLS, 4)(x)
y = L.LSTM(5, return_sequences=True)(y)
y = L.LSTM(5, return_sequences=True)(y)
with_keras("keras_lstm", keras.Model(x, L.Dense(SYMBOLS)(y)), tokens)

x = keras.Input((None, 2))
y = L.Bidirectional(L.GRU(3, return_sequences=True))(x)
y = L.LayerNormalization(epsilon=1e-5)(y)
y = L.SimpleRNN(4, return_sequences=True)(y)
with_keras("keras_both_ways", keras.Model(x, L.TimeDistributed(L.Dense(1))(y)), numbers)

x = keras.Input((None, 2))
y = L.GRU(4, reset_after=False, return_sequences=True)(x)
with_keras("keras_gru_before", keras.Model(x, L.Dense(1)(y)), numbers)

x = keras.Input((None, 2))
y = L.GRU(4, return_sequences=True)(x)
with_keras("keras_gru_after", keras.Model(x, L.Dense(1)(y)), numbers)

x = keras.Input((None, 2))
y = L.Conv1D(4, 3, padding="causal", activation="relu")(x)
y = L.BatchNormalization(epsilon=1e-5)(y)
with_keras("keras_convolution", keras.Model(x, L.Dense(1)(y)), numbers)

with open(os.path.join(here, "weights_import.json"), "w") as file:
    json.dump(golden, file)
    file.write("\n")
