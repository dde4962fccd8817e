"""Loads exported `.keras` archives in Keras and compares their outputs with the run's own (reference.json, 1e-5), and
writes the paths and shapes that Keras itself gives the weights of such models (keras_archive.json).

    python keras_archive.py                      the golden file
    python keras_archive.py check FOLDER...      exports, each a folder of `unroll export RUN --format keras`
"""
import json
import os
import sys
import tempfile

os.environ.setdefault("KERAS_BACKEND", "jax")
import h5py
import keras
import numpy as np
from keras import layers as L


def check(folder):
    model = keras.saving.load_model(os.path.join(folder, "model.keras"))
    with open(os.path.join(folder, "reference.json")) as file:
        reference = json.load(file)
    x = np.array(reference["input"]).reshape(reference["shape"])
    x = np.swapaxes(x, 0, 1).astype(model.inputs[0].dtype)
    y = np.array(model.predict(x, verbose=0))
    y = y[None] if y.ndim == 2 else np.swapaxes(y, 0, 1)
    wanted = np.array(reference["outputs"]).reshape(y.shape)
    difference = np.max(np.abs(y - wanted) / np.maximum(1, np.abs(wanted)))
    print(folder, model.count_params(), "parameters, largest difference", difference)
    assert difference <= reference["tolerance"], difference


def paths_of(build):
    keras.backend.clear_session()
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "model.weights.h5")
        build().save_weights(file)
        found = {}
        with h5py.File(file) as weights:
            weights.visititems(
                lambda name, item: found.update({name: list(item.shape)}) if isinstance(item, h5py.Dataset) else None
            )
        return found


def symbols():
    x = keras.Input((None,), dtype="int32")
    y = L.Embedding(10, 4)(x)
    y = L.LSTM(5, return_sequences=True)(y)
    y = L.Dropout(0.2)(y)
    y = L.LSTM(5, return_sequences=True)(y)
    y = L.Dense(7, activation="tanh")(y)
    return keras.Model(x, L.Dense(10)(y))


def ends():
    x = keras.Input((None, 2))
    y = L.Bidirectional(L.GRU(4, return_sequences=True))(x)
    y = L.Bidirectional(L.GRU(4))(y)
    return keras.Model(x, L.Dense(1)(y))


def numbers():
    x = keras.Input((None, 2))
    y = L.Dense(6)(x)
    y = L.Conv1D(6, 3, padding="causal", dilation_rate=2, groups=2, activation="gelu")(y)
    y = L.LayerNormalization()(y)
    y = L.Conv1D(6, 4, padding="same")(y)
    y = L.RMSNormalization()(y)
    y = L.Conv1D(4, 2, strides=2)(y)
    y = L.Dropout(0.5)(y)
    y = L.BatchNormalization()(y)
    y = L.AveragePooling1D(2)(y)
    return keras.Model(x, L.Dense(1)(y))


if sys.argv[1:2] == ["check"]:
    for folder in sys.argv[2:]:
        check(folder)
else:
    golden = {
        "an LSTM of two levels on symbols": paths_of(symbols),
        "both directions, whose last states are read": paths_of(ends),
        "norms, dropout, convolutions and pooling": paths_of(numbers),
    }
    out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "keras_archive.json")
    with open(out, "w") as file:
        json.dump(golden, file, indent=1)
        file.write("\n")
