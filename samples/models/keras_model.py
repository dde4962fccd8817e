"""Recurrent models in Keras. Unroll reads them where they stand: press Train above one."""

import keras
from keras import layers

UNITS = 32

forecaster = keras.Sequential(
    [
        keras.Input(shape=(24, 1)),
        layers.GRU(UNITS, return_sequences=True),
        layers.Dropout(0.1),
        layers.LSTM(UNITS),
        layers.Dense(1),
    ]
)
