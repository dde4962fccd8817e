"""JAX as a participant of the group `layer`: one recurrent layer forward and backward, jitted, lax.scan over time.

python jax_peer.py --threads 2        (jax 0.6 or later, CPU)

Orders as of pytorch_peer.py, of which it takes {"open": {"cell", "shape", "part": "layer"}}, {"measure"} and {"close"}.
"""

import argparse
import json
import os
import statistics
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("--threads", type=int, default=2)
threads = parser.parse_args().threads
os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'}"
os.environ["JAX_PLATFORMS"] = "cpu"
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])

import jax
import jax.numpy as jnp

GATES = {"lstm": 4, "gru": 3, "rnn": 1}


def layer(cell, weights, x):
    w_ih, w_hh, b_ih, b_hh = weights
    h0 = jnp.zeros((x.shape[1], w_hh.shape[1]))
    projected = x @ w_ih.T + b_ih  # of all steps at once

    def lstm(carry, a):
        h, c = carry
        i, f, g, o = jnp.split(a + h @ w_hh.T + b_hh, 4, -1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    def gru(h, a):
        r, z, n = jnp.split(a, 3, -1)
        hr, hz, hn = jnp.split(h @ w_hh.T + b_hh, 3, -1)
        r, z = jax.nn.sigmoid(r + hr), jax.nn.sigmoid(z + hz)
        n = jnp.tanh(n + r * hn)
        h = n + z * (h - n)
        return h, h

    def rnn(h, a):
        h = jnp.tanh(a + h @ w_hh.T + b_hh)
        return h, h

    step = {"lstm": lstm, "gru": gru, "rnn": rnn}[cell]
    return jax.lax.scan(step, (h0, h0) if cell == "lstm" else h0, projected)[1]


class Training:
    def __init__(self, cell, shape, **_):
        inputs, hidden, seq_len, batch, _ = shape
        keys = iter(jax.random.split(jax.random.PRNGKey(1), 6))
        draw = lambda *size: jax.random.uniform(next(keys), size, minval=-1, maxval=1) / hidden**0.5
        rows = GATES[cell] * hidden
        self.weights = (draw(rows, inputs), draw(rows, hidden), draw(rows), draw(rows))
        self.x = jax.random.normal(next(keys), (seq_len, batch, inputs))
        dy = jax.random.normal(next(keys), (seq_len, batch, hidden))
        loss = lambda weights, x: (layer(cell, weights, x) * dy).sum()
        self.run = jax.jit(jax.grad(loss, argnums=(0, 1)))

    def step(self):
        jax.block_until_ready(self.run(self.weights, self.x))

    def measure(self, seconds=0.0, steps=3):
        times, began = [], time.perf_counter()
        while len(times) < steps or time.perf_counter() - began < seconds:
            start = time.perf_counter()
            self.step()
            times.append((time.perf_counter() - start) * 1e3)
        return {"msMedian": statistics.median(times), "msMean": statistics.fmean(times), "steps": len(times)}


training = None
for line in sys.stdin:
    try:
        order = json.loads(line)
        if "open" in order:
            training = Training(**order["open"])
            answer = {"opened": True}
        elif "measure" in order:
            answer = training.measure(**order["measure"])
        else:
            training = None
            answer = {"closed": True}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps({"threads": threads, "isa": "XLA", "version": jax.__version__, **answer}), flush=True)
