// Sizes that do not fit: batch of a stateful layer, classes, weights of an embedding, and sizes that cannot be.
import assert from 'node:assert/strict';
import { mended, said, silent } from './linted.ts';

const KERAS =
  'import numpy as np\nfrom keras import Input, Model, Sequential\nfrom keras.layers import *\nfrom keras.utils import to_categorical\n';
const TFJS = "import * as tf from '@tensorflow/tfjs';\n";

describe('A stateful layer without a batch size', () => {
  const id = 'stateful-batch-size';
  it('is told, and gets that of fit', async () => {
    const text = `${KERAS}m = Sequential()\nm.add(LSTM(8, input_shape=(10, 3), stateful=True))\nm.fit(x, y, epochs=3, batch_size=16)\n`;
    assert.deepEqual(await said('python', text, id), [['warning', 'stateful=True']]);
    assert.deepEqual(await mended('python', text, id), [
      text.replace('input_shape=(10, 3)', 'batch_input_shape=(16, 10, 3)'),
    ]);
    const js = `${TFJS}const m = tf.sequential();\nm.add(tf.layers.gru({units: 3, inputShape: [10, 3], stateful: true}));\nm.fit(x, y, {batchSize: 4});\n`;
    assert.deepEqual(await mended('typescript', js, id), [
      js.replace('inputShape: [10, 3]', 'batchInputShape: [4, 10, 3]'),
    ]);
    const input = `${KERAS}i = Input(shape=(10, 3))\no = GRU(4, stateful=True)(i)\nm = Model(i, o)\nm.fit(x, y, batch_size=2)\n`;
    assert.deepEqual(await mended('python', input, id), [
      input.replace('shape=(10, 3)', 'batch_shape=(2, 10, 3)'),
    ]);
  });

  it('gives the state up where no batch size is told', async () => {
    const text = `${KERAS}m = Sequential()\nm.add(LSTM(8, input_shape=(10, 3), stateful=True))\n`;
    assert.deepEqual(await mended('python', text, id), [text.replace('stateful=True', 'stateful=False')]);
  });

  it('is not said where it is given, or comes from elsewhere', async () => {
    for (const text of [
      'm = Sequential([LSTM(8, batch_input_shape=(16, 10, 3), stateful=True)])',
      'm = Sequential([Input(batch_shape=(16, 10, 3)), LSTM(8, stateful=True)])',
      'm = Sequential([Input(shape=(10, 3), batch_size=16), LSTM(8, stateful=True)])',
      'm = Sequential([Embedding(10, 4, batch_input_shape=(16, 10)), LSTM(8, stateful=True)])',
      'm = Sequential([LSTM(8, input_shape=(10, 3), stateful=flag)])',
      'm = Sequential([LSTM(8, stateful=True)])',
    ])
      await silent('python', KERAS + text, id);
  });
});

describe('The last layer against its classes', () => {
  const id = 'dense-classes';
  it('is told of softmax over one unit', async () => {
    const text = `${KERAS}m = Sequential([LSTM(8, input_shape=(10, 3)), Dense(1, activation='softmax')])\n`;
    assert.deepEqual(await said('python', text, id), [['warning', "activation='softmax'"]]);
    assert.deepEqual(await mended('python', text, id), [text.replace('softmax', 'sigmoid')]);
  });

  it('is told of one-hot targets of another width', async () => {
    const text = `${KERAS}y = to_categorical(y, num_classes=10)\nm = Sequential([LSTM(8, input_shape=(10, 3)), Dense(5, activation='softmax')])\n`;
    assert.deepEqual(await said('python', text, id), [['warning', '5']]);
    assert.deepEqual(await mended('python', text, id), [text.replace('Dense(5', 'Dense(10')]);
  });

  it('is not said of what fits, or may', async () => {
    for (const text of [
      "m = Sequential([LSTM(8), Dense(1, activation='sigmoid')])",
      "y = to_categorical(y, 10)\nm = Sequential([LSTM(8), Dense(10, activation='softmax')])",
      "y = to_categorical(y)\nm = Sequential([LSTM(8), Dense(10, activation='softmax')])",
      "y = to_categorical(y, 10)\nz = to_categorical(z, 5)\nm = Sequential([LSTM(8), Dense(5, activation='softmax')])",
      "y = to_categorical(y, n)\nm = Sequential([LSTM(8), Dense(5, activation='softmax')])",
      "m = Sequential([LSTM(8), Dense(1, activation='softmax'), Dense(3)])",
      'y = to_categorical(y, 10)\nm = Sequential([LSTM(8), Dense(5)])',
    ])
      await silent('python', KERAS + text, id);
  });
});

describe('An embedding against its weights', () => {
  const id = 'embedding-weights';
  it('is told of another width', async () => {
    const text = `${KERAS}matrix = np.zeros((1000, 50))\nm = Sequential([Embedding(1000, 100, weights=[matrix]), LSTM(8)])\n`;
    assert.deepEqual(await said('python', text, id), [['warning', '100']]);
    assert.deepEqual(await mended('python', text, id), [text.replace('1000, 100', '1000, 50')]);
    const words = `${KERAS}matrix = np.zeros((words + 1, 50))\nm = Sequential([Embedding(input_dim=words, output_dim=40, weights=[matrix]), LSTM(8)])\n`;
    assert.deepEqual(await said('python', words, id), [['warning', '40']]);
  });

  it('is told where the weights are set later', async () => {
    const keras = `${KERAS}words = Embedding(1000, 100)\nm = Sequential([words, LSTM(8)])\nmatrix = np.random.rand(1000, 50)\nwords.set_weights([matrix])\n`;
    assert.deepEqual(await mended('python', keras, id), [keras.replace('1000, 100', '1000, 50')]);
    const torch = (set: string) =>
      `import numpy as np\nimport torch\nfrom torch import nn\nrnn = nn.LSTM(50, 8)\nmatrix = np.zeros((900, 50))\nwords = nn.Embedding(1000, 50)\n${set}\n`;
    for (const set of [
      'words.weight.data.copy_(torch.from_numpy(matrix))',
      'words.weight.copy_(torch.tensor(matrix))',
      'words.load_state_dict({"weight": torch.from_numpy(matrix)})',
    ])
      assert.deepEqual(
        await mended('python', torch(set), id),
        [torch(set).replace('Embedding(1000', 'Embedding(900')],
        set,
      );
    for (const set of [
      'other.weight.data.copy_(torch.from_numpy(matrix))',
      'words.bias.data.copy_(torch.from_numpy(matrix))',
      'words.weight.data[:900].copy_(torch.from_numpy(matrix))',
      'words.load_state_dict(torch.load("words.pt"))',
    ])
      await silent('python', torch(set), id);
  });

  it('is not said of what fits, or may', async () => {
    for (const text of [
      'matrix = np.zeros((1000, 50))\nm = Sequential([Embedding(1000, 50, weights=[matrix]), LSTM(8)])',
      'matrix = load()\nm = Sequential([Embedding(1000, 100, weights=[matrix]), LSTM(8)])',
      'matrix = np.zeros((n, d))\nm = Sequential([Embedding(1000, 100, weights=[matrix]), LSTM(8)])',
      'matrix = np.zeros((1000, 50))\nmatrix = grow(matrix)\nm = Sequential([Embedding(1000, 100, weights=[matrix]), LSTM(8)])',
      'm = Sequential([Embedding(1000, 100), LSTM(8)])',
    ])
      await silent('python', KERAS + text, id);
  });
});

describe('A size that cannot be', () => {
  const id = 'impossible-size';
  const torch = 'import torch.nn as nn\n';
  it('is told at its argument', async () => {
    assert.deepEqual(
      await said('python', `${torch}nn.LSTM(8, -4)\nnn.GRU(8, 4, num_layers=0)\nnn.RNN(8, 2.5)\n`, id),
      [
        ['hint', '-4'],
        ['hint', 'num_layers=0'],
        ['hint', '2.5'],
      ],
    );
    await silent('python', `${torch}nn.LSTM(8, 4)\nnn.GRU(8, n)\n`, id);
  });
});
