// ReLU in a recurrence, and how its weights begin.
import assert from 'node:assert/strict';
import { mended, said, silent } from './linted.ts';

const id = 'relu-initialization';
const TORCH = 'import torch.nn as nn\n';
const KERAS = 'from keras import layers, initializers\n';
const TFJS = "import * as tf from '@tensorflow/tfjs';\n";

describe('A recurrent layer with a ReLU', () => {
  it('begins with uniform weights in PyTorch', async () => {
    assert.deepEqual(await said('python', `${TORCH}x = nn.RNN(3, 4, nonlinearity='relu')\n`, id), [
      ['hint', "nonlinearity='relu'"],
    ]);
    assert.deepEqual(await said('python', `${TORCH}x = nn.RNNCell(3, 4, True, 'relu')\n`, id), [
      ['hint', "'relu'"],
    ]);
  });

  it('is fine once the file begins its weights so, or without a ReLU', async () => {
    await silent(
      'python',
      `${TORCH}x = nn.RNN(3, 4, nonlinearity='relu')\nnn.init.eye_(x.weight_hh_l0)\n`,
      id,
    );
    await silent(
      'python',
      `${TORCH}x = nn.RNN(3, 4, nonlinearity='tanh')\ny = nn.RNN(3, 4)\nz = nn.LSTM(3, 4)\n`,
      id,
    );
    await silent('python', `${TORCH}def f(kind='relu'):\n    return nn.RNN(3, 4, nonlinearity=kind)\n`, id);
  });

  it('begins orthogonal in Keras and TensorFlow.js, unless another start is asked for', async () => {
    await silent('python', `${KERAS}x = layers.SimpleRNN(4, activation='relu')\n`, id);
    await silent('javascript', `${TFJS}const x = tf.layers.gru({units: 4, activation: 'relu'});\n`, id);
    for (const start of ["'identity'", 'initializers.Identity(0.5)', "'orthogonal'", 'mine', 'tf.eye'])
      await silent(
        'python',
        `${KERAS}x = layers.SimpleRNN(4, activation='relu', recurrent_initializer=${start})\n`,
        id,
      );
    await silent('python', `${KERAS}x = layers.GRU(4, recurrent_initializer='zeros')\n`, id);
    assert.deepEqual(
      await said(
        'python',
        `${KERAS}x = layers.SimpleRNN(4, 'relu', recurrent_initializer=initializers.RandomNormal(0, 0.1))\n`,
        id,
      ),
      [['hint', 'recurrent_initializer=initializers.RandomNormal(0, 0.1)']],
    );
    assert.deepEqual(
      await said(
        'javascript',
        `${TFJS}const x = tf.layers.simpleRNN({units: 4, activation: 'relu', recurrentInitializer: 'glorotUniform'});\n`,
        id,
      ),
      [['hint', "recurrentInitializer: 'glorotUniform'"]],
    );
  });

  it('gets orthogonal weights', async () => {
    const torch = (own: string, indent = '') => `${TORCH}if True:\n${indent}    self.a = ${own}\n`;
    const one = torch("nn.RNN(3, 4, nonlinearity='relu')  # fast");
    assert.deepEqual(await mended('python', one, id), [
      `${one}    nn.init.orthogonal_(self.a.weight_hh_l0)\n`,
    ]);
    const cell = torch("nn.RNNCell(3, 4, nonlinearity='relu')");
    assert.deepEqual(await mended('python', cell, id), [
      `${cell}    nn.init.orthogonal_(self.a.weight_hh)\n`,
    ]);
    const two = torch('nn.RNN(3, 4, 2, nonlinearity="relu")');
    assert.deepEqual(await mended('python', two, id), [
      `${two}    for name, weight in self.a.named_parameters():\n        if "weight_hh" in name:\n            nn.init.orthogonal_(weight)\n`,
    ]);
    const keras = (start: string) =>
      `${KERAS}x = layers.GRU(4, activation="relu", recurrent_initializer=${start})\n`;
    assert.deepEqual(await mended('python', keras('"zeros"'), id), [keras('"orthogonal"')]);
  });

  it('is left as it is where its statement cannot be followed by another', async () => {
    assert.deepEqual(await mended('python', `${TORCH}x = wrap(nn.RNN(3, 4, nonlinearity='relu'))\n`, id), []);
    assert.deepEqual(
      await mended('python', "from torch.nn import RNN\nx = RNN(3, 4, nonlinearity='relu')\n", id),
      [],
    );
  });
});
