"""The weights of weights_import/*.weights.h5 as `model.save("NAME.h5")` writes them, the older form of Keras.

    python weights_h5.py
"""
import os

os.environ.setdefault("KERAS_BACKEND", "jax")
import keras
from keras import layers as L

out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "weights_import")


def keep(name, layers):
    model = keras.Sequential(layers)
    model.load_weights(os.path.join(out, f"{name}.weights.h5"))
    model.save(os.path.join(out, f"{name}.h5"), include_optimizer=False)


keep("keras_lstm", [keras.Input((None,), dtype="int32"), L.Embedding(10, 4), L.LSTM(5, return_sequences=True), L.LSTM(5, return_sequences=True), L.Dense(10)])
keep("keras_both_ways", [keras.Input((None, 2)), L.Bidirectional(L.GRU(3, return_sequences=True)), L.LayerNormalization(epsilon=1e-5), L.SimpleRNN(4, return_sequences=True, name="own_name"), L.TimeDistributed(L.Dense(1))])
keep("keras_convolution", [keras.Input((None, 2)), L.Conv1D(4, 3, padding="causal", activation="relu"), L.BatchNormalization(epsilon=1e-5), L.Dense(1)])
