// Models in code become layers of an experiment, or sentences that say why not.
import assert from 'node:assert/strict';
import { toExperiment } from '../../../src/definitions/to-experiment.ts';
import { experimentSchema } from '../../../src/experiment/schema.ts';
import { find } from './find.ts';

async function mapped(language: 'python' | 'typescript', text: string) {
  const { models } = await find(language, text);
  const result = toExperiment(models[0]!);
  if (result.obstacles.length === 0)
    experimentSchema.parse({
      data: { task: 'adding' },
      model: { convention: result.convention, layers: result.layers },
    });
  return result;
}

describe('models from code', () => {
  it('keep what PyTorch does', async () => {
    const { convention, layers, obstacles, notes } = await mapped(
      'python',
      `
from torch import nn
class Net(nn.Module):
    def __init__(self, words, hidden=48):
        self.embed = nn.Embedding(words, 16)
        self.rnn = nn.LSTM(16, hidden, num_layers=2, dropout=0.25, batch_first=True)
        self.drop = nn.Dropout(0.1)
        self.mid = nn.Linear(hidden, 20)
        self.act = nn.ReLU()
        self.out = nn.Linear(20, words)
`,
    );
    assert.deepEqual(obstacles, []);
    assert.equal(convention, 'pytorch');
    assert.deepEqual(layers, [
      { type: 'embedding', dim: 16 },
      { type: 'lstm', units: 48, layers: 2, dropout: 0.25 },
      { type: 'dropout', rate: 0.1 },
      { type: 'dense', units: 20, activation: 'relu' },
      { type: 'dense' },
    ]);
    assert.deepEqual(notes, ['hidden is taken as its default, 48.']);
  });

  it('have dropout between levels where there is any, and several levels', async () => {
    for (const [options, expected] of [
      ['', {}],
      [', dropout=0.5', {}],
      [', num_layers=2', { layers: 2 }],
      [', num_layers=2, dropout=0', { layers: 2 }],
      [', num_layers=2, dropout=0.5', { layers: 2, dropout: 0.5 }],
    ] as const) {
      const { layers } = await mapped('python', `from torch import nn\nrnn = nn.LSTM(3, 8${options})\n`);
      assert.deepEqual(layers[0], { type: 'lstm', units: 8, ...expected }, options);
    }
  });

  it('keep activations that PyTorch code calls as functions', async () => {
    const { layers, notes } = await mapped(
      'python',
      `
from torch import nn
import torch.nn.functional as F
class Net(nn.Module):
    def __init__(self):
        self.rnn = nn.GRU(3, 8)
        self.a = nn.Linear(8, 5)
        self.ab = nn.Linear(5, 6)
        self.b = nn.Linear(6, 7)
        self.c = nn.Linear(7, 8)
        self.d = nn.Linear(8, 9)
        self.out = nn.Linear(9, 1)
    def forward(self, x):
        x, _ = self.rnn(x)
        x = F.relu(self.a(x))
        x = self.ab(x)
        x = self.b(x).tanh()
        x = self.c(x)
        x = torch.sigmoid(x)
        x = F.gelu(self.d(x))
        return self.out(x)
`,
    );
    assert.deepEqual(layers.slice(1), [
      { type: 'dense', units: 5, activation: 'relu' },
      { type: 'dense', units: 6 },
      { type: 'dense', units: 7, activation: 'tanh' },
      { type: 'dense', units: 8, activation: 'sigmoid' },
      { type: 'dense', units: 9 },
      { type: 'dense' },
    ]);
    assert.match(notes.join('\n'), /Line 11: the activation gelu of Linear is left out/);
  });

  it('keep what Keras and tfjs do, and name what differs', async () => {
    const keras = await mapped(
      'python',
      `
import keras
from keras import layers
m = keras.Sequential([
    keras.Input(shape=(10, 3)),
    layers.GRU(8, return_sequences=True, reset_after=False, recurrent_dropout=0.2),
    layers.SimpleRNN(4, activation='relu', recurrent_initializer='identity'),
    layers.Dense(5, activation='softmax'),
])
`,
    );
    assert.deepEqual(keras.layers, [
      { type: 'gru', units: 8, resetAfter: false },
      { type: 'rnn', units: 4, recurrentInit: 'identity', activation: 'relu' },
      { type: 'dense' },
    ]);
    assert.match(keras.notes.join('\n'), /recurrent_dropout inside the cell/);
    const tfjs = await mapped(
      'typescript',
      `import * as tf from '@tensorflow/tfjs';
const m = tf.sequential();
m.add(tf.layers.lstm({ units: 6, inputShape: [10, 2], unitForgetBias: true }));
m.add(tf.layers.dense({ units: 1 }));
`,
    );
    assert.equal(tfjs.convention, 'tfjs');
    assert.deepEqual(tfjs.layers, [{ type: 'lstm', units: 6, forgetBias: 1 }, { type: 'dense' }]);
    assert.match(tfjs.notes.join('\n'), /gates are sigmoid here, hardSigmoid in TensorFlow.js/);
  });

  it('read both ways where the code does', async () => {
    const { layers, obstacles } = await mapped(
      'python',
      `
import keras
from keras import layers
m = keras.Sequential([
    layers.Bidirectional(layers.LSTM(8, return_sequences=True)),
    layers.LayerNormalization(),
    layers.GRU(4),
    layers.Dense(2),
])
`,
    );
    assert.deepEqual(obstacles, []);
    assert.deepEqual(layers, [
      { type: 'lstm', units: 8, bidirectional: true },
      { type: 'layer-norm' },
      { type: 'gru', units: 4 },
      { type: 'dense' },
    ]);
    const summed = await mapped(
      'typescript',
      `import * as tf from '@tensorflow/tfjs';
const m = tf.sequential();
m.add(tf.layers.bidirectional({ layer: tf.layers.gru({ units: 2 }), mergeMode: 'sum' }));
`,
    );
    assert.deepEqual(summed.obstacles, []);
    assert.deepEqual(summed.layers[0], { type: 'gru', units: 2, bidirectional: true, merge: 'sum' });
    const projected = await mapped(
      'python',
      `
from torch import nn
class Net(nn.Module):
    def __init__(self):
        self.a = nn.LSTM(3, 8, proj_size=5)
`,
    );
    assert.deepEqual(projected.obstacles, []);
    assert.deepEqual(projected.layers[0], { type: 'lstm', units: 8, projection: 5 });
  });

  it('say in one sentence with the line what cannot be mapped', async () => {
    const { obstacles } = await mapped(
      'python',
      `
from torch import nn
class Net(nn.Module):
    def __init__(self, hidden, kind):
        self.a = nn.LSTM(3, hidden)
        self.b = getattr(nn, kind)(3, 4, num_layers=1)
        self.c = nn.GRU(3, 4, bidirectional=kind)
        self.d = nn.RNNCell(3, 4)
        self.e = nn.Conv1d(3, 4, 5)
        self.f = nn.LSTM(3, 4, bias=False)
        self.g = [nn.GRU(3, 4) for _ in range(3)]
        if kind:
            self.h = nn.GRU(3, 4)
`,
    );
    assert.deepEqual(
      obstacles.map(({ line }) => line),
      [5, 6, 7, 8, 9, 10, 11, 13],
    );
    for (const { message } of obstacles) assert.match(message, /^[A-Z*].*\.$/);
  });
});
