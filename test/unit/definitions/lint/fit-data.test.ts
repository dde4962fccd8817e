// Data of two dimensions to a model that reads sequences.
import assert from 'node:assert/strict';
import { mended, said, silent } from './linted.ts';

const id = 'fit-two-dimensions';
const KERAS =
  'import numpy as np\nfrom keras import Input, Model, Sequential\nfrom keras.layers import *\nX = np.zeros((500, 10))\n';
const TFJS = "import * as tf from '@tensorflow/tfjs';\n";

describe('Data of two dimensions to fit', () => {
  it('is told, with one feature at each step or one step as the layer says', async () => {
    for (const [shape, text] of [
      ['(10, 1)', 'X.reshape((X.shape[0], X.shape[1], 1))'],
      ['(1, 10)', 'X.reshape((X.shape[0], 1, X.shape[1]))'],
    ] as const)
      for (const model of [
        `m = Sequential()\nm.add(LSTM(8, input_shape=${shape}))\nm.add(Dense(1))\n`,
        `m = Sequential([Input(${shape}), LSTM(8), Dense(1)])\n`,
        `m = Sequential([Bidirectional(GRU(8), input_shape=${shape}), Dense(1)])\n`,
        `i = Input(shape=${shape})\nm = Model(i, Dense(1)(LSTM(8)(i)))\n`,
      ]) {
        const code = `${KERAS}${model}m.compile(loss="mse")\nm.fit(X, y, epochs=3)\n`;
        assert.deepEqual(await said('python', code, id), [['warning', 'X']], model);
        assert.deepEqual(await mended('python', code, id), [code.replace('fit(X', `fit(${text}`)]);
      }
  });

  it('is told in TensorFlow.js', async () => {
    const code = `${TFJS}const m = tf.sequential();\nm.add(tf.layers.lstm({units: 3, inputShape: [10, 1]}));\nconst xs = tf.tensor2d(rows);\nm.fit(xs, ys, {epochs: 3});\n`;
    assert.deepEqual(await said('typescript', code, id), [['warning', 'xs']]);
    assert.deepEqual(await mended('typescript', code, id), [code.replace('fit(xs', 'fit(xs.expandDims(2)')]);
  });

  it('is not said of what fits, or may', async () => {
    for (const text of [
      'm = Sequential([LSTM(8, input_shape=(10, 1))])\nX = X.reshape((500, 10, 1))\nm.fit(X, y)',
      'm = Sequential([LSTM(8, input_shape=(10, 1))])\nm.fit(load(), y)',
      'm = Sequential([LSTM(8, input_shape=(10, 1))])\nX = load()\nm.fit(X, y)',
      'm = Sequential([Embedding(50, 4), LSTM(8)])\nm.fit(X, y)',
      'm = Sequential([Input((10,)), Reshape((10, 1)), LSTM(8)])\nm.fit(X, y)',
      'm = Sequential([Dense(4, input_shape=(10,)), Reshape((4, 1)), LSTM(8)])\nm.fit(X, y)',
      'm = Sequential([LSTM(8, input_shape=(10, 1))])\nother = Sequential([Dense(8)])\nother.fit(X, y)',
      'm = Sequential([LSTM(8, input_shape=(10, 1))])\nscaler.fit(X)',
      'if deep:\n    X = X.reshape((500, 10, 1))\nm = Sequential([LSTM(8, input_shape=(10, 1))])\nm.fit(X, y)',
      'a = Input((10, 1))\nb = Input((10,))\nm = Model([a, b], Dense(1)(LSTM(8)(a)))\nm.fit(X, y)',
    ])
      await silent('python', `${KERAS}${text}\n`, id);
    await silent(
      'typescript',
      `${TFJS}const m = tf.sequential();\nm.add(tf.layers.lstm({units: 3, inputShape: [10, 1]}));\nm.fit(tf.tensor3d(rows), ys);\n`,
      id,
    );
  });
});
