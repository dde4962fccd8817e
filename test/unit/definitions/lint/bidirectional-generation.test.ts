// Models that read both ways, and functions that let them write.
import assert from 'node:assert/strict';
import { mended, said, silent } from './linted.ts';

const id = 'bidirectional-generation';
const GENERATE = `    def generate(self, x, n):
        for _ in range(n):
            x = torch.multinomial(self(x), 1)
        return x
`;
const torch = (layers: string, methods: string) => `import torch
import torch.nn as nn
class M(nn.Module):
    def __init__(self):
${layers.replace(/^/gm, '        ')}
${methods}`;
const KERAS =
  'from keras.models import Sequential\nfrom keras.layers import LSTM, Bidirectional, Dense\nimport numpy as np\n';
const SAMPLE = `
def sample_text(model, x, n):
    while len(x) < n:
        x.append(np.argmax(model.predict(x)))
`;

describe('A bidirectional layer in a model that generates', () => {
  it('is seen in a class with its own method', async () => {
    assert.deepEqual(await said('python', torch('self.a = nn.GRU(3, 4, bidirectional=True)', GENERATE), id), [
      ['hint', 'GRU'],
    ]);
    assert.deepEqual(
      await mended('python', torch('self.a = nn.GRU(3, 4, bidirectional=True)', GENERATE), id),
      [],
    );
  });

  it('is seen in a script with one model, and unwrapped', async () => {
    const text = (layer: string) => `${KERAS}model = Sequential([${layer}, Dense(9)])\n${SAMPLE}`;
    assert.deepEqual(await mended('python', text('Bidirectional(LSTM(8), merge_mode="sum")'), id), [
      text('LSTM(8)'),
    ]);
    assert.deepEqual(await mended('python', text('Bidirectional(LSTM(8), input_shape=(5, 2))'), id), []);
    const script = (layer: string) => `import * as tf from '@tensorflow/tfjs';
const model = tf.sequential({layers: [${layer}]});
const generate = async (seed: number[]) => {
  for (let i = 0; i < 9; i++) seed.push(tf.multinomial(model.predict(seed), 1));
};
`;
    assert.deepEqual(
      await mended('typescript', script('tf.layers.bidirectional({layer: tf.layers.gru({units: 4})})'), id),
      [script('tf.layers.gru({units: 4})')],
    );
  });

  it('is not spoken of in encoders, in one direction, or where nothing is generated', async () => {
    const quiet = (layers: string, methods: string) => silent('python', torch(layers, methods), id);
    await quiet('self.a = nn.GRU(3, 4)', GENERATE);
    await quiet('self.a = nn.GRU(3, 4, bidirectional=both)', GENERATE);
    await quiet('self.encoder = nn.GRU(3, 4, bidirectional=True)', GENERATE);
    await quiet('self.a = nn.GRU(3, 4, bidirectional=True)\nself.b = nn.GRU(8, 4)', GENERATE);
    await quiet(
      'self.a = nn.GRU(3, 4, bidirectional=True)',
      '    def forward(self, x):\n        return self.a(x)\n',
    );
    const drawn = '    def sample(self, mean, log):\n        return mean + torch.randn(3) * log\n';
    await quiet('self.a = nn.GRU(3, 4, bidirectional=True)', drawn);
    const two = `${torch('self.a = nn.GRU(3, 4, bidirectional=True)', '')}
class Writer(nn.Module):
    def __init__(self):
        self.b = nn.GRU(3, 4)
${GENERATE}`;
    await silent('python', two, id);
  });
});
