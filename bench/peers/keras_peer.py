"""Keras on TensorFlow as a participant of the benchmark; orders and work as of pytorch_peer.py.

python keras_peer.py --threads 2        (tensorflow-cpu 2.21.0)
"""

import argparse
import json
import os
import statistics
import sys
import time

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
import tensorflow as tf


class Training:
    def __init__(self, cell, shape, **_):
        inputs, hidden, seq_len, batch, outputs = shape
        kinds = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "rnn": keras.layers.SimpleRNN}
        if cell not in kinds:
            raise ValueError(f"there is no model {cell} here")
        model = keras.Sequential(
            [
                keras.Input((seq_len, inputs), batch_size=batch),
                kinds[cell](hidden, return_sequences=True),
                keras.layers.Dense(outputs),
            ]
        )
        optimizer = keras.optimizers.Adam(1e-3, global_clipnorm=1.0)
        loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.x = tf.random.normal([batch, seq_len, inputs])
        self.y = tf.random.uniform([batch, seq_len], 0, outputs, tf.int32)
        optimizer.build(model.trainable_variables)

        @tf.function
        def step(x, y):
            with tf.GradientTape() as tape:
                loss = loss_of(y, model(x, training=True))
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables))
            return loss

        self.step = step

    def measure(self, seconds=0.0, steps=3):
        times, began, loss = [], time.perf_counter(), None
        while len(times) < steps or time.perf_counter() - began < seconds:
            start = time.perf_counter()
            loss = float(self.step(self.x, self.y))
            times.append((time.perf_counter() - start) * 1e3)
        return {
            "msMedian": statistics.median(times),
            "msMean": statistics.fmean(times),
            "steps": len(times),
            "loss": loss,
        }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=0)
    threads = parser.parse_args().threads
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    facts = {"threads": threads, "version": tf.__version__}
    training = None
    for line in sys.stdin:
        try:
            order = json.loads(line)
            if "open" in order:
                keras.backend.clear_session()
                training = Training(**order["open"])
                answer = {"opened": True}
            elif "measure" in order:
                answer = training.measure(**order["measure"])
            else:
                training = None
                answer = {"closed": True}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {str(error).splitlines()[0]}"}
        print(json.dumps({**facts, **answer}), flush=True)


main()
